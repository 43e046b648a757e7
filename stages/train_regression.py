"""Stage `train_regression@<task>`: the baseline, the same generator without latents, fitted by mean-squared
error.
"""

from pathlib import Path

from pipeline import conditions, params
from pipeline.training import regression
from stages import InputFile, run
from stages.generators import generator_job
from stages.training import train


def main(task: str, digits: InputFile, out: Path) -> None:
    """Train the regression network of section regressions.TASK on DIGITS; write it to the folder OUT."""
    schedule = params.read(f"regressions.{task}", regression.Params)
    names = f"train_regression@{task}", f"regression-{task}"
    train(generator_job(names, regression, schedule, 0, conditions.find(task)), digits, out)


if __name__ == "__main__":
    run(main)
