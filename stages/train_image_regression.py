"""Stage `train_image_regression@<name>-<seed>`: the network of a task on drawings, by squared error."""

from pathlib import Path

from pipeline.methods import regression
from pipeline.methods.translators import TranslatorSchedule
from pipeline.runtime import params
from stages import InputFile, run
from stages.images import job, train


def main(name: str, seed: int, prepared: InputFile, observer: InputFile, out: Path) -> None:
    """Train the regression network of section image_regressions.NAME with this SEED on the drawings in
    PREPARED; write it to the folder OUT.

    The features of OBSERVER show its course.
    """
    schedule = params.read(f"image_regressions.{name}", TranslatorSchedule, seed=seed)
    names = f"train_image_regression@{name}-{seed}", f"regression-{name}-{seed}"
    train(job(names, regression, schedule, observer), prepared, out)


if __name__ == "__main__":
    run(main)
