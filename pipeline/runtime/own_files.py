"""The user's own files: nothing of theirs may lie where DVC puts and removes a stage's outputs."""

import os
from pathlib import Path

from pipeline.runtime.errors import InputError

GENERATED = (".dvc", *(f"data/{name}" for name in ("code", "prepared", "raw", "reference", "tasks")))
GENERATED += ("mlruns", "models", "reports", "runs")


def check_folder(key: str, value: str) -> None:
    """Refuse a folder, the `value` of `key` in params.yaml, that DVC would overwrite or not follow.

    Raises:
        InputError: it is no folder; it is, holds or lies in what the pipeline generates; or it holds a link
            to a folder, which DVC takes for empty, or a file that DVC stops or waits at.
    """
    said, folder = f"{key} = {value!r}", Path(value)
    if not value or not folder.is_dir():
        hint = "; write the path without ~" if value.startswith("~") else ""
        raise InputError(f"{said}: not a folder; the default is data/none{hint}")
    found = folder.resolve()
    for name in GENERATED:
        generated = Path(name).resolve()
        if found.is_relative_to(generated) or generated.is_relative_to(found):
            raise InputError(f"{said}: DVC writes and removes {name}; your files must lie elsewhere")
    for parent, folders, files in os.walk(folder):
        for link in (Path(parent, name) for name in folders):
            if link.is_symlink():
                advice = "copy the folder, or link its files one by one"
                raise InputError(
                    f"{said}: DVC sees no change behind {shown(link)}, a link to a folder; {advice}"
                )
        for path in (Path(parent, name) for name in (*files, *folders)):
            if reason := hostile(path):
                raise InputError(f"{said}: DVC cannot read {shown(path)}, {reason}; remove or rename it")


def hostile(path: Path) -> str:
    """Why DVC cannot read a file; "" if it can."""
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return "whose name is not UTF-8"
    if path.is_symlink() and not path.exists():
        return "a link to nothing"
    return "" if path.is_file() or path.is_dir() else "which is a pipe, a socket or a device"


def shown(path: Path) -> str:
    """A path in UTF-8, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
