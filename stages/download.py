"""Stage `download@<data set>`: fetch raw data from the source that params.yaml names, check it, keep it."""

from pathlib import Path

from pipeline.data.sets import kind
from pipeline.runtime.errors import told_of
from pipeline.runtime.files import new_folder
from stages import run, timed


def main(name: str, out: Path) -> None:
    """Put the raw files of the data set NAME, an entry of `datasets:`, into the folder OUT; nothing where
    they are the user's own, in a folder.
    """
    found, settings = kind.of(name)
    with timed(f"download@{name}"), told_of(f"datasets.{name}"), new_folder(out) as folder:
        found.fetch(settings, folder)


if __name__ == "__main__":
    run(main)
