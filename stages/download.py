"""Stage `download@<data set>`: fetch raw data from the source that params.yaml names, check it, keep it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipeline import tracking
from pipeline.data.download import choice, mnist, openmoji, penguins
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from stages import run, took

Fetch = Callable[[Path], None]


def digits(settings: choice.Params) -> Fetch:
    """What fetches the digits; which ones, params.yaml says."""
    return partial(mnist.fetch, params.read("digits.dataset", mnist.DatasetName), settings)


def birds(settings: choice.Params) -> Fetch:
    return partial(penguins.fetch, settings)


def emojis(settings: choice.Params) -> Fetch:
    """Nothing where the drawings are the user's own pairs."""
    if params.read("drawings.source", str) != "openmoji":
        return lambda root: None
    return partial(openmoji.fetch, settings)


DATASETS: dict[str, Callable[[choice.Params], Fetch]] = {
    "mnist": digits,
    "penguins": birds,
    "openmoji": emojis,
}
Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(DATASETS)}.")]


def main(name: Name, out: Path) -> None:
    """Put the raw files of the data set NAME into the folder OUT: the digits as four IDX files in
    torchvision's layout, the penguins as one table,
    OpenMoji's drawings as SVG files.
    """
    if name not in DATASETS:
        raise InputError(f"NAME = {name!r}: allowed are {', '.join(DATASETS)}")
    fetch = DATASETS[name](params.read("download", choice.Params))
    tracking.send(tracking.connect)
    with new_folder(out) as folder:
        fetch(folder)
    took(f"download@{name}", 0.0)


if __name__ == "__main__":
    run(main)
