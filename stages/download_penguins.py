"""Stage `download_penguins`: fetch the table of flipper lengths from the source that params.yaml names."""

from pathlib import Path

from pipeline.data.download import penguins
from pipeline.runtime import params
from pipeline.runtime.errors import told_of
from pipeline.runtime.files import new_folder
from pipeline.theory.learned import Settings
from stages import run, timed


def main(out: Path) -> None:
    """Put penguins.csv into the folder OUT."""
    with timed("download_penguins"), told_of("bayes"), new_folder(out) as folder:
        penguins.fetch(params.read("bayes", Settings), folder)


if __name__ == "__main__":
    run(main)
