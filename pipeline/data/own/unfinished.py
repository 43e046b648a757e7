"""What is kept of a preparation that is under way, in a folder outside of DVC's outputs: it goes on there if
files, settings and code are the same.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import PIL

from pipeline.data.own.survey import Survey
from pipeline.data.prepared import SPLITS
from pipeline.runtime.fingerprint import imported_code
from pipeline.runtime.own_files import shown
from pipeline.runtime.params import Section

FILE = "fingerprint.txt"


def begin(work: Path, folder: Path, found: Survey, settings: Section) -> None:
    """Make `work` the folder of this preparation; what another one kept there is removed."""
    identity, path = fingerprint(folder, found, settings), work / FILE
    if path.exists() and path.read_text("utf-8") == identity:
        print(f"{shown(folder)}: going on where an earlier run ended", flush=True)
        return
    for split in SPLITS:
        shutil.rmtree(work / split, ignore_errors=True)
    for looks in work.glob("looks-*.npz"):
        looks.unlink()
    path.write_text(identity, "utf-8")


def fingerprint(folder: Path, found: Survey, settings: Section) -> str:
    """What must be equal: sizes and times of all images, settings, code, and what decodes images."""
    versions = {"numpy": np.__version__, "pillow": PIL.__version__}
    facts = {"settings": settings.model_dump(), "code": imported_code(), **versions}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for each in found.images:
        about = (folder / each.path).stat()
        told = about.st_size, about.st_mtime_ns, each.width, each.height
        digest.update(f"{shown(each.path)}\0{told}\n".encode())
    digest.update("\n".join(found.left_out).encode())
    return digest.hexdigest()
