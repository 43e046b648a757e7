"""The report: one page that holds all it shows, made from DVC outputs alone.

Numbers are means over the seeds of a model; images are of its first seed.
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.data.images import NUM_CLASSES
from pipeline.metrics.classes import means
from pipeline.report import tables
from pipeline.report.figures import figures
from pipeline.report.figures.figures import png
from pipeline.report.results import Results
from pipeline.report.sections import Section
from pipeline.report.styles import STYLES
from pipeline.tasks.task import Task

PANELS = (("d_loss", "g_loss"), ("real_logits", "fake_logits"), ("loss",))  # of columns that a history has


def draw_figures(
    models: Results, real: Mapping[str, Any], table: pd.DataFrame, task: Task
) -> dict[str, bytes]:
    """All figures of the models of digits, as PNG files, by name; `task` is the one by class."""
    drawn = {"claim": png(figures.labelled_rows(claim(models, task)))}
    for name, model in models.items():
        panels = [panel for panel in PANELS if set(panel) <= set(model.history)]
        drawn[f"{name}-curves"] = png(figures.curves(model.history, panels))
        drawn[f"{name}-sheet"] = figures.sheet(model.samples["sheet"], NUM_CLASSES)
        steps, frames = model.snapshots["steps"], model.snapshots["images"]
        rows = {f"step {step}": frame[:NUM_CLASSES] for step, frame in zip(steps, frames, strict=True)}
        drawn[f"{name}-frames"] = png(figures.labelled_rows(rows))
        if model.style.sampled:
            paths = model.samples["paths"]
            drawn[f"{name}-paths"] = figures.sheet(paths.reshape(-1, *paths.shape[2:]), paths.shape[1])
    colours = {name: model.style.colour for name, model in models.items()} | {"real": STYLES["real"].colour}
    pixels = {"real": task.test.arrays["images"].numpy()}
    pixels |= {name: model.samples["pixels"] for name, model in models.items()}
    drawn["histograms"] = png(figures.pixel_histograms(pixels, colours))
    over_seeds = table.groupby("model")["fid"].mean()
    fids = {name: float(over_seeds[name]) for name in models}
    marks = {"split": real["metrics"]["fid"]} | real["corruptions"]
    drawn["fid"] = png(figures.bars(fids, colours, marks, "FID (logarithmic)"))
    return drawn


def claim(models: Results, task: Task) -> dict[str, np.ndarray]:
    """The project's one figure: for each class regression's answer, the true mean, samples, real digits."""
    arrays, train = task.test.arrays, task.splits["train"].arrays
    labels = arrays["labels"]
    chosen = [(labels == k).nonzero()[:2, 0] for k in range(NUM_CLASSES)]
    true = means(train["images"], train["labels"].long()) * 255
    asked = {name: model for name, model in models.items() if model.kind == "class"}
    answers = {name: model for name, model in asked.items() if not model.style.sampled}
    rows = {name: model.samples["sheet"][:NUM_CLASSES] for name, model in answers.items()}
    rows["class mean"] = true.nan_to_num().round().byte().numpy()
    for name, model in asked.items():
        if model.style.sampled:
            sheets = model.samples["sheet"].reshape(-1, NUM_CLASSES, *model.samples["sheet"].shape[1:])
            rows |= {f"{name}, sample {i + 1}": sheets[i] for i in range(3)}
    return rows | {
        f"real, {i + 1}": np.stack([arrays["images"][c[min(i, len(c) - 1)]].numpy() for c in chosen])
        for i in range(2)
    }


def render(
    models: Results,
    real: Mapping[str, Any],
    table: pd.DataFrame,
    drawn: Mapping[str, bytes],
    sections: Sequence[Section],
    facts: Mapping[str, Any],
) -> str:
    """The page, as HTML.

    Args:
        models: of digits, by name.
        real: floors and details of real digits, asked for by class.
        table: the metrics of all models and seeds.
        drawn: PNG files by name.
        sections: parts of the page; their figures are not in `drawn`.
        facts: what the report was made from: `params` (text), `hashes` (file -> SHA-256), `seeds`.
    """
    columns = {name: column for name, column in tables.COLUMNS.items() if name in table}
    files = dict(drawn) | {name: file for section in sections for name, file in section.figures.items()}
    return template("index.html").render(
        headings=list(columns.values()),
        rows=tables.written(table[table["model"].isin(["real", *models])], columns),
        real=real,
        models=models,
        images={name: data_uri(content) for name, content in files.items()},
        sections=sections,
        facts=facts,
    )


def render_timings(
    seconds: Mapping[str, Mapping[str, float]], speeds: Mapping[str, Mapping[str, Any]]
) -> str:
    """The page of times, as HTML.

    Args:
        seconds: for each stage its whole time and that of its loops.
        speeds: for each model whose training is known `fid`, `coverage`, `train_seconds`,
            `images_per_second` and `curve`, pairs of seconds and cheap FID.
    """
    curves = {name: speed["curve"] for name, speed in speeds.items() if speed["curve"]}
    drawn = data_uri(png(figures.paces(curves))) if curves else ""
    return template("timings.html").render(stages=seconds, speeds=speeds, curves=drawn)


def data_uri(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode()


def template(name: str) -> Template:
    """A template of this folder; a name that it uses and is not given is an error."""
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template(name)
