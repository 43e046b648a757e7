"""Stage `download_penguins`: fetch the table of flipper lengths from the source that params.yaml names."""

from pathlib import Path
from typing import Any

from pipeline.data.download import penguins
from pipeline.data.download.choice import Source
from pipeline.runtime import params
from pipeline.runtime.errors import told_of
from pipeline.runtime.files import new_folder
from stages import run, timed


def main(out: Path) -> None:
    """Put penguins.csv into the folder OUT."""
    section = params.read("bayes", dict[str, Any])
    chosen = {key: value for key, value in section.items() if key in Source.model_fields}
    settings = params.checked("bayes", chosen, Source)  # the rest is of other code, which this does not run
    with timed("download_penguins"), told_of("bayes"), new_folder(out) as folder:
        penguins.fetch(settings, folder)


if __name__ == "__main__":
    run(main)
