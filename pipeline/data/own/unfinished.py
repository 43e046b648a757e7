"""What is kept of a preparation that is under way, in a folder outside of DVC's outputs: it goes on there if
files, settings and code are the same.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import PIL

from pipeline.data.own.survey import files
from pipeline.data.prepared import SPLITS
from pipeline.runtime.fingerprint import imported_code
from pipeline.runtime.own_files import shown
from pipeline.runtime.params import Section

FILE = "fingerprint.txt"


def begin(work: Path, folder: Path, settings: Section) -> None:
    """Make `work` the folder of this preparation; what another one kept there is removed."""
    identity, path = fingerprint(folder, settings), work / FILE
    if path.exists() and path.read_text("utf-8") == identity:
        print(f"{shown(folder)}: going on where an earlier run ended", flush=True)
        return
    for split in SPLITS:
        shutil.rmtree(work / split, ignore_errors=True)
    for looks in work.glob("looks-*.npz"):
        looks.unlink()
    path.write_text(identity, "utf-8")


def fingerprint(folder: Path, settings: Section) -> str:
    """What must be equal: sizes and times of all files, settings, code, and what decodes images."""
    versions = {"numpy": np.__version__, "pillow": PIL.__version__}
    facts = {"settings": settings.model_dump(), "code": imported_code(), **versions}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for path in files(folder):
        about = (folder / path).stat(follow_symlinks=True) if (folder / path).exists() else None
        told = (about.st_size, about.st_mtime_ns) if about else ()
        digest.update(f"{shown(path)}\0{told}\n".encode())
    return digest.hexdigest()
