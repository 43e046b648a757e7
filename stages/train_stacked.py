"""Stage `train_stacked@<name>-<seed>`: one GAN of stacked digits, which have a thousand modes to lose."""

from pathlib import Path

from pipeline.methods import adversarial
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count
from stages import InputFile, run
from stages.generators import stacked_job
from stages.training import train


def main(name: str, seed: int, digits: InputFile, judge: InputFile, out: Path) -> None:
    """Train the GAN of section stacked.NAME with this SEED on stacks of DIGITS; write it to the folder
    OUT.

    JUDGE counts the modes it hits on the way.
    """
    schedule = params.read(f"stacked.{name}", adversarial.Params, seed=seed)
    if schedule.clusters:
        raise InputError(
            f"stacked.{name}.clusters = {schedule.clusters}: stacked digits are not grouped; allowed is 0"
        )
    num_pictures = params.read("stacked_digits.num_pictures", Count)
    names = f"train_stacked@{name}-{seed}", f"stacked-{name}-{seed}"
    train(stacked_job(names, adversarial, schedule, num_pictures, judge), digits, out)


if __name__ == "__main__":
    run(main)
