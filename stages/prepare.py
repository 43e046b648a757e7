"""Stage `prepare@<data set>`: raw files -> uint8 images, what is known of each, and the
train/validation/test split.
"""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from pipeline.data import prepared
from pipeline.runtime import params
from stages import InputFolder, run, timed

DATA_SETS = ("digits", "drawings")
Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(DATA_SETS)}.")]


def main(name: Name, raw: InputFolder, out: Path) -> None:
    """Split the raw files of NAME in the folder RAW, or the user's that params.yaml names, and write them to
    OUT (.npz). Files that are left out are named and counted.
    """
    params.check_name("NAME", name, DATA_SETS)
    module = import_module(f"pipeline.data.{name}")
    with timed(f"prepare@{name}"):
        data = module.prepare(raw, params.read(name, module.Settings))
        for line in data.left_out:
            print(f"left out: {line}", flush=True)
        if data.left_out:
            print(f"{len(data.left_out)} files left out", flush=True)
        prepared.save(out, data)


if __name__ == "__main__":
    run(main)
