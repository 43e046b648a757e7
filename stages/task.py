"""Stage `task@<name>`: a question put to a data set: all that a model of the task is trained on."""

from pathlib import Path

from pipeline.data import prepared
from pipeline.runtime import params
from pipeline.sampling import weights
from pipeline.tasks import make
from pipeline.tasks.question import Settings
from stages import InputFolder, run, timed


def main(name: str, data: InputFolder, features: InputFolder, out: Path) -> None:
    """Make the task NAME of params.yaml, in the folder OUT, of the folders of its DATA and its FEATURES."""
    settings = params.read(f"tasks.{name}", Settings)
    with timed(f"task@{name}"):
        make.task(out, settings, prepared.load(data), (features / weights.FILE).read_bytes())


if __name__ == "__main__":
    run(main)
