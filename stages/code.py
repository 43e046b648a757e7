"""Stage `code`: the names and folders that params.yaml gives to DVC, checked; then the fingerprint of each
stage's code, a file a stage.

A stage depends on its own fingerprint: a change anywhere in the project runs this one, in a second, and of
the others those whose code it touched. It runs before any other, so that what it refuses has cost nothing.
"""

import re
from pathlib import Path
from typing import Any

from pipeline.runtime import fingerprint as imports
from pipeline.runtime import own_files, params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from stages import run

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
NAMED = ("gans", "regressions", "cgans", "stacked", "toys", "image_regressions", "image_cgans", "ablations")
FOLDERS = ("download.folder", "drawings.folder")


def main(out: Path) -> None:
    """Write to folder OUT, for each stage, the hashes of all files of this project that it imports."""
    for section in NAMED:
        check_names(section, params.read(section, dict[Any, Any]))
    for key in FOLDERS:
        own_files.check_folder(key, params.read(key, str))
    modules = sorted(path.stem for path in Path("stages").glob("*.py") if path.stem != "__init__")
    with new_folder(out) as folder:
        for name in modules:
            (folder / f"{name}.txt").write_text(imports.fingerprint(f"stages.{name}"))


def check_names(section: str, entries: dict[Any, Any]) -> None:
    """Names of entries become names of stages and files, and words of commands."""
    for name in entries:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            allowed = "letters, digits, '_', '.' and '-', the first a letter or digit"
            raise InputError(f"{params.PARAMS_FILE}: {section} has an entry {name!r}: allowed are {allowed}")


if __name__ == "__main__":
    run(main)
