"""Stage `train_cgan@<task>`: the conditional GAN of a task; its discriminator sees the condition unless told
otherwise.
"""

from pathlib import Path

from pipeline import conditions, params
from pipeline.training import adversarial
from stages import InputFile, run
from stages.generators import generator_job
from stages.training import train


def main(task: str, digits: InputFile, out: Path) -> None:
    """Train the conditional GAN of section cgans.TASK on DIGITS; write it to the folder OUT."""
    schedule = params.read(f"cgans.{task}", adversarial.ConditionalParams)
    names = f"train_cgan@{task}", f"cgan-{task}"
    train(
        generator_job(names, adversarial, schedule, schedule.num_latents, conditions.find(task)), digits, out
    )


if __name__ == "__main__":
    run(main)
