"""The report's sections on the digits: the claim, the numbers, and each model by itself.

Numbers are means over the seeds of a model; images are of its first seed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from pipeline.metrics.classes import means
from pipeline.report import tables
from pipeline.report.figures import figures
from pipeline.report.results import Figures, Result, Results, Section
from pipeline.report.styles import STYLES
from pipeline.tasks.task import Task

NUM_COLUMNS = 10  # of sheets; of classes one a column, over and over if there are fewer
PANELS = (("d_loss", "g_loss"), ("real_logits", "fake_logits"), ("loss",))  # of columns that a history has


def sections(
    models: Results, real: Mapping[str, Any], table: pd.DataFrame, task: Task, seeds: list[int]
) -> Iterator[Section]:
    """Of the models of digits; `real` are floors and details of the real digits by class, `table` is a
    comparison of these models, among others.
    """
    yield Section("claim", {"claim": figures.labelled_rows(claim(models, task))}, {})
    split = tables.split(table, tables.GROUPS, ["real", *models])
    values = {"tables": split, "real": real, "num_seeds": len(seeds)}
    yield Section("numbers", compared(models, real, table, task), values)
    drawn = {
        f"{name}-{part}": figure for name, model in models.items() for part, figure in of_model(model).items()
    }
    yield Section("models", drawn, {"models": models, "seeds": seeds})


def compared(models: Results, real: Mapping[str, Any], table: pd.DataFrame, task: Task) -> Figures:
    """Grey values and FIDs of all models."""
    colours = {name: model.style.colour for name, model in models.items()} | {"real": STYLES["real"].colour}
    pixels = {"real": task.test.arrays["images"].numpy()}
    pixels |= {name: model.samples["pixels"] for name, model in models.items()}
    over_seeds = table.groupby("model")["fid"].mean()
    fids = {name: float(over_seeds[name]) for name in models}
    marks = {"split": real["metrics"]["fid"]} | real["corruptions"]
    bars = figures.bars(fids, colours, marks, "FID (logarithmic)")
    return {"fid": bars, "histograms": figures.pixel_histograms(pixels, colours)}


def of_model(model: Result) -> Figures:
    """What one model draws, drew as it was trained, and draws between two latents; and its losses."""
    panels = [panel for panel in PANELS if set(panel) <= set(model.history)]
    steps, frames = model.snapshots["steps"], model.snapshots["images"]
    rows = {f"step {step}": frame[:NUM_COLUMNS] for step, frame in zip(steps, frames, strict=True)}
    drawn: Figures = {
        "curves": figures.curves(model.history, panels),
        "sheet": figures.sheet(model.samples["sheet"], NUM_COLUMNS),
        "frames": figures.labelled_rows(rows),
    }
    if not model.style.sampled:
        return drawn
    paths = model.samples["paths"]
    return {**drawn, "paths": figures.sheet(paths.reshape(-1, *paths.shape[2:]), paths.shape[1])}


def claim(models: Results, task: Task) -> dict[str, np.ndarray]:
    """The project's one figure: for each class regression's answer, the true mean, samples, real digits."""
    arrays, train = task.test.arrays, task.splits["train"].arrays
    asked_for = torch.arange(NUM_COLUMNS) % task.num_conditions
    chosen = [(arrays["labels"] == k).nonzero()[:2, 0] for k in asked_for]
    true = means(train["images"], train["labels"].long(), task.num_conditions)[asked_for] * 255
    asked = {name: model for name, model in models.items() if model.kind == "class"}
    answers = {name: model for name, model in asked.items() if not model.style.sampled}
    rows = {name: model.samples["sheet"][:NUM_COLUMNS] for name, model in answers.items()}
    rows["class mean"] = true.nan_to_num().round().byte().numpy()
    for name, model in asked.items():
        if model.style.sampled:
            sheets = model.samples["sheet"].reshape(-1, NUM_COLUMNS, *model.samples["sheet"].shape[1:])
            rows |= {f"{name}, sample {i + 1}": sheets[i] for i in range(3)}
    return rows | {
        f"real, {i + 1}": np.stack([arrays["images"][c[min(i, len(c) - 1)]].numpy() for c in chosen])
        for i in range(2)
    }
