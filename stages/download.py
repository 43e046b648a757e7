"""Stage `download@<data set>`: fetch raw data from the source that params.yaml names, check it, keep it."""

from pathlib import Path

from pipeline import params, sources, tracking
from pipeline.files import new_folder
from stages import run, took


def main(out: Path) -> None:
    """Put the digits' four IDX files into the folder OUT, in torchvision's layout."""
    settings = params.read("download", sources.Params)
    dataset = params.read("digits.dataset", sources.DatasetName)
    tracking.send(tracking.connect)
    with new_folder(out) as folder:
        sources.fetch(dataset, settings, folder)
    took("download@mnist", 0.0)


if __name__ == "__main__":
    run(main)
