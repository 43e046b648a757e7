"""Stage `train_regression@<task>-<seed>`: the baseline, the same generator without latents, fitted by
mean-squared error.
"""

from pathlib import Path

from pipeline.methods import regression
from pipeline.runtime import params
from pipeline.tasks import conditions
from stages import InputFile, run
from stages.generators import digits_job
from stages.training import train


def main(task: str, seed: int, digits: InputFile, judge: InputFile, out: Path) -> None:
    """Train the regression network of section regressions.TASK with this SEED on DIGITS; write it to the
    folder OUT.

    The features of JUDGE show its course.
    """
    schedule = params.read(f"regressions.{task}", regression.Params, seed=seed)
    names = f"train_regression@{task}-{seed}", f"regression-{task}-{seed}"
    train(digits_job(names, regression, schedule, conditions.find(task), judge), digits, out)


if __name__ == "__main__":
    run(main)
