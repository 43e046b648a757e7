"""Stage `train_judge`: the classifier whose features FID and its kin compare."""

from pathlib import Path

from pipeline.data.digits import NUM_CLASSES
from pipeline.methods import classification as classifier
from pipeline.networks.classifier import JudgeSpec
from pipeline.runtime import params
from pipeline.tasks.conditions import UNCONDITIONAL
from stages import InputFile, run
from stages.training import Job, train


def main(digits: InputFile, out: Path) -> None:
    """Train the judge on the training images in DIGITS; write its weights and history to the folder OUT."""
    schedule = params.read("judge", classifier.Params)
    spec = JudgeSpec(width=schedule.width, num_classes=NUM_CLASSES)
    job = Job(
        "train_judge",
        "judge",
        classifier,
        schedule,
        lambda data: (data.train, UNCONDITIONAL),
        lambda judge, shape: spec,
    )
    train(job, digits, out)


if __name__ == "__main__":
    run(main)
