"""Stage `train_observer`: the network in whose features FID and its kin compare drawings."""

from pathlib import Path

from pipeline.methods import contrastive
from pipeline.networks.simclr import ObserverSpec
from pipeline.runtime import params
from pipeline.tasks import drawings as tasks
from pipeline.tasks.conditions import UNCONDITIONAL
from stages import InputFile, run
from stages.images import train
from stages.training import Job


def main(prepared: InputFile, out: Path) -> None:
    """Train the observer on the training pictures in PREPARED; write its weights and
    history to folder OUT.
    """
    schedule = params.read("observer", contrastive.Params)
    job = Job(
        "train_observer",
        "observer",
        contrastive,
        schedule,
        lambda data: (tasks.sketch(data.train), UNCONDITIONAL),
        lambda observer, shape: ObserverSpec(width=schedule.width, image_shape=list(shape)),
    )
    train(job, prepared, out)


if __name__ == "__main__":
    run(main)
