"""The report: one page that holds all it shows, made from DVC outputs alone.

Numbers are means over the seeds of a model; images are of its first seed.
"""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from pipeline.metrics.classes import means
from pipeline.report import tables
from pipeline.report.figures import figures
from pipeline.report.figures.images import Pace, costs, paces
from pipeline.report.results import Figures, Results, Section
from pipeline.report.styles import STYLES
from pipeline.tasks.task import Task

NUM_COLUMNS = 10  # of sheets; of classes one a column, over and over if there are fewer
PANELS = (("d_loss", "g_loss"), ("real_logits", "fake_logits"), ("loss",))  # of columns that a history has
HERE = FileSystemLoader(Path(__file__).parent)
TEMPLATES = Environment(
    loader=HERE, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def digits(models: Results, real: Mapping[str, Any], table: pd.DataFrame, task: Task) -> Section:
    """The page itself, and on it the models of digits; `real` are floors and details of the real digits by
    class, `table` is a comparison of these models, among others.
    """
    columns = {key: column for key, column in tables.COLUMNS.items() if key in table}
    cells = tables.written(table, columns, ["real", *models])
    values = {"models": models, "real": real, "headings": ["model", *tables.headings(columns)]}
    values["rows"] = [[name, *row] for name, row in cells.items()]
    return Section("index", figures_of(models, real, table, task), values)


def figures_of(models: Results, real: Mapping[str, Any], table: pd.DataFrame, task: Task) -> Figures:
    """All figures of the models of digits, by name."""
    drawn: dict[str, Figure | bytes] = {"claim": figures.labelled_rows(claim(models, task))}
    for name, model in models.items():
        panels = [panel for panel in PANELS if set(panel) <= set(model.history)]
        drawn[f"{name}-curves"] = figures.curves(model.history, panels)
        drawn[f"{name}-sheet"] = figures.sheet(model.samples["sheet"], NUM_COLUMNS)
        steps, frames = model.snapshots["steps"], model.snapshots["images"]
        rows = {f"step {step}": frame[:NUM_COLUMNS] for step, frame in zip(steps, frames, strict=True)}
        drawn[f"{name}-frames"] = figures.labelled_rows(rows)
        if model.style.sampled:
            paths = model.samples["paths"]
            drawn[f"{name}-paths"] = figures.sheet(paths.reshape(-1, *paths.shape[2:]), paths.shape[1])
    colours = {name: model.style.colour for name, model in models.items()} | {"real": STYLES["real"].colour}
    pixels = {"real": task.test.arrays["images"].numpy()}
    pixels |= {name: model.samples["pixels"] for name, model in models.items()}
    drawn["histograms"] = figures.pixel_histograms(pixels, colours)
    over_seeds = table.groupby("model")["fid"].mean()
    fids = {name: float(over_seeds[name]) for name in models}
    marks = {"split": real["metrics"]["fid"]} | real["corruptions"]
    drawn["fid"] = figures.bars(fids, colours, marks, "FID (logarithmic)")
    return drawn


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


def timings(seconds: dict[str, dict[str, float]], speeds: Mapping[str, Mapping[str, Any]]) -> Section:
    """The page of times: `seconds` and `loop_seconds` of each stage; of each model its `task`, `label` and
    `colour`, `fid`, `energy_score` or None, `num_parameters`, `num_evaluations`, `train_seconds`,
    `images_per_second`, `milliseconds_per_sample` and `curve`, pairs of seconds and cheap FID.
    """
    panels: dict[str, dict[str, Pace]] = {}
    for speed in speeds.values():
        if speed["curve"]:
            panels.setdefault(speed["task"], {})[speed["label"]] = Pace(speed["curve"], speed["colour"])
    several = {task: methods for task, methods in panels.items() if len(methods) > 1}
    drawn = {"paces": paces(several, "seconds of training")} if several else {}
    compared = [speed for speed in speeds.values() if speed["energy_score"] is not None]
    of_tasks = {
        speed["task"]: [each for each in compared if each["task"] == speed["task"]] for speed in compared
    }
    drawn |= {f"costs-{task}": costs(of_task) for task, of_task in of_tasks.items()}
    keys = ("seconds", "loop_seconds")
    total = {"all": {key: sum(times[key] for times in seconds.values()) for key in keys}} if seconds else {}
    stages = [[name, *(f"{times[key]:.1f}" for key in keys)] for name, times in (seconds | total).items()]
    forms = {"num_parameters": "{:,}", "num_evaluations": "{}", "fid": "{:.3g}", "train_seconds": "{:.1f}"}
    forms |= {"images_per_second": "{:.0f}", "milliseconds_per_sample": "{:.2f}"}
    models = [
        [name, *(written(row[key], form) for key, form in forms.items())] for name, row in speeds.items()
    ]
    return Section("timings", drawn, {"stages": stages, "speeds": models, "costs": list(of_tasks)})


def written(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def files(sections: Iterable[Section]) -> dict[str, bytes]:
    """The figures of all sections as PNG files, by name."""
    drawn = {name: figure for section in sections for name, figure in section.figures.items()}
    return {name: each if isinstance(each, bytes) else figures.png(each) for name, each in drawn.items()}


def render(section: Section, files: Mapping[str, bytes], **values: object) -> str:
    """A section or a whole page, as HTML, with PNG files by name; index.html also takes `sections`, which it
    includes, and `facts`: `params` (text), `hashes` (file -> SHA-256), `seeds`.
    """
    encoded = {name: base64.b64encode(file).decode() for name, file in files.items()}
    images = {name: f"data:image/png;base64,{text}" for name, text in encoded.items()}
    template = TEMPLATES.get_template(f"{section.name}.html")
    return template.render(values=section.values, images=images, **values)
