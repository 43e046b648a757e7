"""Files that appear whole or not at all, with bytes that depend on their content alone."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.runtime.errors import InputError


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write in, which replaces what stands at `path` if the block ends without an error."""
    with _temporary(path) as part:
        yield part
        shutil.rmtree(path, ignore_errors=True)
        os.replace(part, path)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """The same for a file; its name is the same while it is written, since some formats store that."""
    with _temporary(path) as part:
        yield part / path.name
        os.replace(part / path.name, path)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A folder beside `path`, which is removed at the end."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a killed process that had our number
    part.mkdir(parents=True)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Keeps every other process out of `folder` until the block ends or this process dies, however it dies.

    Raises:
        InputError: another process is inside; the message names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            advice = f"wait for it, or stop it with: kill {holder}"
            raise InputError(f"{folder}: process {holder} is writing here; {advice}") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Sorted, indented JSON; an InputError if a number is not finite, which no metric of enough images is."""
    try:
        text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise InputError(f"{path}: a number to be written is not finite; too few images?") from error
    with new_file(path) as part:
        part.write_text(text + "\n", "utf-8")


def rounded(content: Any, digits: int = 9) -> Any:
    """Nested JSON values with floats to so many significant digits: what processors agree on."""
    if isinstance(content, dict):
        return {key: rounded(value, digits) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value, digits) for value in content]
    return float(f"{float(content):.{digits}g}") if isinstance(content, float) else content


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """The SHA-256 of all files of a folder and their names."""
    files = sorted(folder.iterdir())
    return hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()
