"""Stage `train_gan@<name>-<seed>`: one unconditional GAN."""

from pathlib import Path

from pipeline.methods import adversarial
from pipeline.runtime import params
from pipeline.tasks.conditions import UNCONDITIONAL
from stages import InputFile, run
from stages.generators import digits_job
from stages.training import train


def main(name: str, seed: int, digits: InputFile, judge: InputFile, out: Path) -> None:
    """Train the GAN of section gans.NAME with this SEED on DIGITS; write it to the folder OUT.

    The features of JUDGE show its course.
    """
    schedule = params.read(f"gans.{name}", adversarial.Params, seed=seed)
    names = f"train_gan@{name}-{seed}", f"gan-{name}-{seed}"
    train(digits_job(names, adversarial, schedule, UNCONDITIONAL, judge), digits, out)


if __name__ == "__main__":
    run(main)
