"""Stage `download@<data set>`: fetch raw data from the source that params.yaml names, check it, keep it."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from pipeline.data.download.choice import Settings
from pipeline.runtime import params
from pipeline.runtime.files import new_folder
from stages import run, timed

CHOSEN = {"mnist": "digits.dataset", "openmoji": "drawings.source", "penguins": "download.source"}
Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(CHOSEN)}.")]


def main(name: Name, out: Path) -> None:
    """Put the raw files of the data set NAME into the folder OUT: the digits as four IDX files in
    torchvision's layout, the penguins as one table, OpenMoji's drawings as SVG files; nothing where the
    drawings are the user's own pairs.
    """
    params.check_name("NAME", name, CHOSEN)
    settings, chosen = params.read("download", Settings), params.read(CHOSEN[name], str)
    with timed(f"download@{name}"), new_folder(out) as folder:
        import_module(f"pipeline.data.download.{name}").fetch(chosen, settings, folder)


if __name__ == "__main__":
    run(main)
