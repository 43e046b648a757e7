"""The page of the claim: ten columns of pictures, the dial, numbers, and what the whole form has more of."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pipeline.methods.schedule import ModelSettings
from pipeline.report import dial, digits, tables
from pipeline.report.figures import figures
from pipeline.report.results import Results, Section
from pipeline.tasks.claimed import Settings
from pipeline.tasks.task import Task

SHOWN: tuple[str, ...] = (
    "fid",
    "coverage",
    "conditional_accuracy",
    "within_class_diversity",
    "gradient_energy",
)
SHOWN += ("mid_grey", "two_sample_accuracy")
COLUMNS = {name: tables.COLUMNS[name] for name in SHOWN}
ZOOM = 3
NOT_TOLD = {
    "seed",
    "log_every",
    "save_every",
    "num_snapshots",
    "monitor_every",
}  # of what is less: book-keeping


class Turned(NamedTuple):
    """A flow's dial."""

    rows: list[dict[str, float]]  # of each number of steps, as metrics.dial has them
    pictures: Mapping[
        int, np.ndarray
    ]  # its answers to the ten columns, (10, C, H, W) uint8, by number of steps
    num_images: int  # of the test split, that errors are of
    regression_error: float  # of regression's answers to the same test images


def section(
    models: Results,
    real: Mapping[str, Any],
    task: Task,
    turned: Turned,
    settings: Settings,
    of_models: Mapping[str, tuple[ModelSettings, ModelSettings]],
) -> Section:
    """The page, of models by label; `real` are floors and details of real digits, `of_models` each model's
    settings here and in the whole form.
    """
    sheet = partial(figures.sheet, columns=digits.NUM_COLUMNS, zoom=ZOOM)
    drawn = {name: sheet(rows) for name, rows in strips(models, task).items()}
    dials = {num: sheet(row) for num, row in turned.pictures.items()}
    metrics: dict[tuple[str, int | None], Mapping[str, float]] = {("real", None): real["metrics"]}
    metrics |= {(name, None): model.metrics for name, model in models.items()}
    cells = tables.written(tables.comparison(metrics), COLUMNS, ["real", *models])
    values = {
        "strips": list(drawn),
        "steps": list(dials),
        "dial": dial.table(turned.rows, turned.regression_error, False)["rows"],
        "headings": ["", *tables.headings(COLUMNS)],
        "rows": [[name, *row] for name, row in cells.items()],
        "real": real,
        "num_dial": turned.num_images,
        "less": {name: less(*both) for name, both in of_models.items()},
        "settings": settings,
    }
    return Section("claim_page", drawn | {f"N = {num}": each for num, each in dials.items()}, values)


def strips(models: Results, task: Task) -> dict[str, np.ndarray]:
    """By whose they are, the rows of the report's first figure, one below the other, real digits first:
    (rows x 10, C, H, W) each.
    """
    grouped: dict[str, list[np.ndarray]] = {"real": []}
    for name, row in digits.claim(models, task).items():
        grouped.setdefault(name.partition(",")[0], []).append(row)
    return {name: np.concatenate(rows) for name, rows in grouped.items()}


def less(here: ModelSettings, whole: ModelSettings) -> list[str]:
    """What is otherwise here than in the whole form, in words."""
    pairs = ((key, value, getattr(whole, key)) for key, value in here.model_dump(exclude=NOT_TOLD).items())
    return [f"{key} {said(value)} instead of {said(other)}" for key, value, other in pairs if value != other]


def said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
