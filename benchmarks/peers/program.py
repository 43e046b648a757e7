"""Another's program in this process, unmodified but for the DataLoader's iteration, which tells of steps."""

import contextlib
import json
import os
import runpy
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.peers.peer import Names, Step, Tell


class Stop(BaseException):
    """Ends a program of which enough is known; no program catches it as its own."""


def script(file: Path, arguments: list[str], folder: Path, tell: Tell) -> None:
    """Run a script as `python FILE ARGUMENTS` does in this folder."""
    with beginning(file, folder, file.parent, arguments), visited(file, tell):
        runpy.run_path(str(file), run_name="__main__")


def function(
    file: Path, name: str, given: Mapping[str, Any], folder: Path, library: Path, tell: Tell
) -> None:
    """Call a function of a script, with its repository's library at this path."""
    with beginning(file, folder, library, []), visited(file, tell):
        runpy.run_path(str(file))[name](**given)


def notebook(
    file: Path, num_cells: int, given: Mapping[str, Any], folder: Path, library: Path, tell: Tell
) -> None:
    """Run the first code cells of a notebook, without its magics; before the last of them these variables are
    set, which the earlier ones have set otherwise.
    """
    cells = [
        "".join(line for line in cell["source"] if not line.startswith("%"))
        for cell in json.loads(file.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    names: dict[str, Any] = {"__name__": "__main__"}
    with beginning(file, folder, library, []), visited(file, tell):
        for number, cell in enumerate(cells[:num_cells], 1):
            if number == num_cells:
                names |= given
            exec(compile(cell, str(file), "exec"), names)


@contextlib.contextmanager
def beginning(file: Path, folder: Path, library: Path, arguments: list[str]) -> Iterator[None]:
    """The folder, arguments and path of imports that a program starts with."""
    folder.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with (
            mock.patch.object(sys, "argv", [str(file), *arguments]),
            mock.patch.object(sys, "path", [str(library), *sys.path]),
        ):
            yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def visited(file: Path, tell: Tell) -> Iterator[None]:
    """While it lasts, the program in this file is visited each time it asks for a batch.

    Asking for the first is the beginning; asking for another ends the step before. A loader that reads a
    batch ahead, as accelerate's does, is visited a step early throughout.
    """
    plain, begun = DataLoader.__iter__, False

    def told(loader: DataLoader[Any]) -> Iterator[Any]:
        nonlocal begun
        if not begun:
            begun = True
            tell(Step(names_of(sys._getframe(), file), 0))
        for batch in plain(loader):
            yield batch
            tell(Step(names_of(sys._getframe(), file), num_images(batch)))

    with mock.patch.object(DataLoader, "__iter__", told):
        yield


def names_of(frame: FrameType, file: Path) -> Any:
    """What gives the variables of the innermost function of this file that is running above a frame."""
    caller: FrameType | None = frame
    while caller is not None and caller.f_code.co_filename != str(file):
        caller = caller.f_back
    if caller is None:
        raise RuntimeError(f"{file} asked for no batch itself, so that its variables are not found")
    found = caller

    def names() -> Names:
        return {**found.f_globals, **found.f_locals}

    return names


def num_images(batch: Any) -> int:
    """The images of a batch: rows of its first tensor."""
    while not isinstance(batch, Tensor):
        batch = next(iter(batch.values() if isinstance(batch, Mapping) else batch))
    return len(batch)
