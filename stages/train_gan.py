"""Stage `train_gan@<name>`: one unconditional GAN."""

from pathlib import Path

from pipeline import params
from pipeline.conditions import UNCONDITIONAL
from pipeline.training import adversarial
from stages import InputFile, run
from stages.generators import generator_job
from stages.training import train


def main(name: str, digits: InputFile, out: Path) -> None:
    """Train the GAN of section gans.NAME on DIGITS; write it to the folder OUT."""
    schedule = params.read(f"gans.{name}", adversarial.Params)
    names = f"train_gan@{name}", f"gan-{name}"
    train(generator_job(names, adversarial, schedule, schedule.num_latents, UNCONDITIONAL), digits, out)


if __name__ == "__main__":
    run(main)
