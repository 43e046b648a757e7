"""What lies in a user's folder: its images, by their heads, and what is none, each with the reason."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from pipeline.data.own import decode
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown
from pipeline.runtime.progress import Bar
from pipeline.runtime.threads import in_order

MIN_SIDE = 8  # pixels


class Found(NamedTuple):
    path: Path  # below the folder
    width: int
    height: int

    @property
    def name(self) -> PurePath:
        """The path as it is in UTF-8, whatever Python decodes it with."""
        return PurePath(shown(self.path))


class Survey(NamedTuple):
    images: list[Found]  # in the order of their paths
    left_out: list[str]  # "path: reason"


def survey(folder: Path) -> Survey:
    """All files below a folder but hidden ones."""
    images, left_out = list[Found](), list[str]()
    paths = list(files(folder))
    with decode.quietly(), Bar(f"finding images in {shown(folder)}", 0, len(paths), brief=True) as bar:
        heads = in_order(lambda path: misnamed(path) or head(folder / path), paths)
        for path, found in zip(paths, heads, strict=True):
            bar.advance(1)
            if isinstance(found, str):
                left_out.append(line(path, found))
            else:
                images.append(Found(path, *found))
    return Survey(images, left_out)


def files(folder: Path) -> Iterator[Path]:
    """What is below a folder and not hidden, but no folder, in the order of the paths."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name).relative_to(folder)


def misnamed(path: Path) -> str:
    """Why a path cannot be written down; "" if it can."""
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return "its name is not UTF-8"
    return ""


def head(path: Path) -> tuple[int, int] | str:
    """Width and height of an image; of what is none, or too small, the reason."""
    if path.is_symlink() and not path.exists():
        return "a link to nothing"
    if not path.is_file():
        return "not a file"
    other = f"not an image; allowed are {', '.join(decode.EXTENSIONS)}"
    if path.suffix and path.suffix.lower() not in decode.EXTENSIONS:
        return other
    try:
        width, height = decode.size(path)
    except InputError as error:
        return str(error) if path.suffix else other
    if min(width, height) < MIN_SIDE:
        return f"{width} x {height} pixels: must be {MIN_SIDE} x {MIN_SIDE} at least"
    return width, height


def line(path: Path, reason: str) -> str:
    """What is said of a file that is left out, in one line of UTF-8, whatever bytes its name has."""
    return " ".join(f"{shown(path)}: {reason}".split())
