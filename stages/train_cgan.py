"""Stage `train_cgan@<task>-<seed>`: the conditional GAN of a task; its discriminator sees the condition
unless told otherwise.
"""

from pathlib import Path

from pipeline.methods import adversarial
from pipeline.runtime import params
from pipeline.tasks import conditions
from stages import InputFile, run
from stages.generators import digits_job
from stages.training import train


def main(task: str, seed: int, digits: InputFile, judge: InputFile, out: Path) -> None:
    """Train the conditional GAN of section cgans.TASK with this SEED on DIGITS; write it to the folder OUT.

    The features of JUDGE show its course.
    """
    schedule = params.read(f"cgans.{task}", adversarial.ConditionalParams, seed=seed)
    names = f"train_cgan@{task}-{seed}", f"cgan-{task}-{seed}"
    train(digits_job(names, adversarial, schedule, conditions.find(task), judge), digits, out)


if __name__ == "__main__":
    run(main)
