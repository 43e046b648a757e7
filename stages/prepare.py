"""Stages `prepare@digits` and `prepare@drawings`: raw files -> one archive of uint8 images, what is known of
each, and the train/validation/test split.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pipeline.data import digit_preparation as preparation
from pipeline.data import drawing_preparation
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file
from stages import InputFolder, run, took

Arrays = dict[str, np.ndarray]


def digits(raw: Path) -> Arrays:
    return preparation.prepare(raw, params.read("digits", preparation.Params))


def drawings(raw: Path) -> Arrays:
    """OpenMoji's drawings, or the user's pairs; of these, files that are left out are named and counted."""
    settings = params.read("drawings", drawing_preparation.Params)
    raw = raw if settings.source == "openmoji" else Path(settings.folder)
    arrays, rejected = drawing_preparation.prepare(raw, settings)
    for line in rejected:
        print(f"left out: {line}", flush=True)
    if rejected:
        print(f"{len(rejected)} files left out", flush=True)
    return arrays


DATASETS: dict[str, Callable[[Path], Arrays]] = {"digits": digits, "drawings": drawings}
Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(DATASETS)}.")]


def main(name: Name, raw: InputFolder, out: Path) -> None:
    """Split the raw files of NAME in the folder RAW, or the user's that params.yaml names, and write them to
    OUT (.npz).
    """
    if name not in DATASETS:
        raise InputError(f"NAME = {name!r}: allowed are {', '.join(DATASETS)}")
    arrays = DATASETS[name](raw)
    with new_file(out) as part:
        np.savez(part, **arrays)  # type: ignore[arg-type]
    took(f"prepare@{name}", 0.0)


if __name__ == "__main__":
    run(main)
