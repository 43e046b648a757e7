"""The report's section on image to image: what regression and cGAN make of what is given of a drawing."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.metrics.posterior import NUM_DRAWS
from pipeline.report import image_tables
from pipeline.report.figures import digits as figures
from pipeline.report.figures import images as figures_images
from pipeline.report.figures import tones as figures_tones
from pipeline.report.sections import Section

LABELS = {"regression": "regression", "cgan": "conditional GAN"}
NUM_ROWS = 6  # drawings that are shown
NUM_COMPARED = 2  # samples shown of an ablation: enough to see whether they differ
STEP = 0.05  # scales of standard deviations end at a multiple of it


@dataclass(frozen=True)
class ImageResult:
    """All that the stages left of one model, trained from one seed."""

    scores: dict[str, Any]
    samples: dict[str, np.ndarray]

    @property
    def task(self) -> str:
        return str(self.scores["task"])


Results = Mapping[str, ImageResult]


def load(name: str, metrics: Path, samples: Path) -> ImageResult:
    """Gather what was measured and drawn of a model; its name ends in its seed."""
    with np.load(samples / f"{name}.npz") as drawn:
        return ImageResult(json.loads((metrics / f"{name}.json").read_text()), dict(drawn))


def section(results: Results, table: pd.DataFrame, real: Mapping[str, Any]) -> Section:
    """The section on all tasks.

    Args:
        results: of the first seed, by name without seed: regression-, cgan- and ablation-<entry>.
        table: rows of `tables.comparison`, these models' among others.
        real: the metrics of real drawings against real ones and the FID's yardsticks; and the drawings'
            `source`.
    """
    tasks = list(dict.fromkeys(result.task for result in results.values()))
    models = {task: found for task in tasks if (found := of_task(results, task, *LABELS))}
    ablations = {task: found for task in tasks if (found := of_task(results, task, "ablation"))}
    beside = {task: {**found, **models.get(task, {})} for task, found in ablations.items()}
    everything = {task: of_task(results, task, *LABELS, "ablation") for task in tasks}
    drawn = {f"images-{task}": strip(task, found) for task, found in models.items()}
    drawn |= {f"images-ablations-{task}": ablation_strip(task, found) for task, found in ablations.items()}
    drawn |= calibration(results)
    values = {
        "real": real,
        "openmoji": real["source"] == "openmoji",
        "tasks": list(models),
        "ablated": list(ablations),
        "table": image_tables.compared(table, models, image_tables.OF_TASKS),
        "tones": image_tables.compared(table, everything, image_tables.OF_TONES),
        "ablations": image_tables.compared(table, beside, image_tables.OF_ABLATIONS),
        "counts": image_tables.counts([result.scores for result in results.values()]),
        "num_seeds": int(table.loc[table["model"].isin(list(results)), "seed"].nunique()),
        "sketch": None,
    }
    if cgan := tones_of(results, "cgan"):
        regression = tones_of(results, "regression")
        drawn["images-tones"] = figures_tones.six_tones(cgan, regression)
        values["sketch"] = image_tables.sketch(cgan, regression)
    pictures = {name: figures.png(figure) for name, figure in drawn.items()}
    return Section("images", "images.html", pictures, values)


def of_task(results: Results, task: str, *kinds: str) -> dict[str, ImageResult]:
    """The models of a task, kind after kind."""
    return {
        name: result
        for kind in kinds
        for name, result in results.items()
        if name.startswith(f"{kind}-") and result.task == task
    }


def called(name: str, task: str) -> str:
    """A model in words: its kind and, unless that is called as its task, its entry."""
    kind, entry = name.split("-", 1)
    return LABELS[kind] if entry == task else f"{LABELS[kind]} {entry}"


def tones_of(results: Results, kind: str) -> dict[str, np.ndarray] | None:
    """What the first model of this kind left of a sketch whose six right answers are known, if one did."""
    found = of_task(results, "sketch", kind).values()
    return next((result.samples for result in found if "tone_drawn" in result.samples), None)


def strip(task: str, models: Results) -> Figure:
    """What each model makes of the same conditions; all standard deviations on one scale."""
    groups = conditions(task, models)
    cgans = [result.samples for name, result in models.items() if name.startswith("cgan-")]
    top = scale_end([samples["sd"][:NUM_ROWS] for samples in cgans]) if cgans else None
    for name, result in models.items():
        label, drawn = called(name, task), result.samples["drawn"][:NUM_ROWS]
        if name.startswith("cgan-"):
            groups[f"{label}, {drawn.shape[1]} samples"] = drawn
            groups[f"{label}: sd"] = figures_images.heat(result.samples["sd"][:NUM_ROWS], top or STEP)
        else:
            groups[label] = drawn[:, :1]
    return figures_images.strip(groups, top)


def scale_end(maps: list[np.ndarray]) -> float:
    """The first multiple of STEP that no standard deviation exceeds."""
    steps = math.ceil(max(float(sd.max()) for sd in maps) / STEP - 1e-6)  # the maps are float32
    return round(max(1, steps) * STEP, 6)


def ablation_strip(task: str, models: Results) -> Figure:
    """A few samples of each model for the same conditions."""
    drawn = {
        name.removeprefix("ablation-"): result.samples["drawn"][:NUM_ROWS, :NUM_COMPARED]
        for name, result in models.items()
    }
    return figures_images.strip({**conditions(task, models), **drawn})


def conditions(task: str, models: Results) -> dict[str, np.ndarray | list[str]]:
    """What was given, and the truth; both are the same for all models of a task."""
    samples = next(iter(models.values())).samples
    truth = samples["truth"][:NUM_ROWS, None]
    if task == "text":
        return {"given": samples["captions"][:NUM_ROWS].tolist(), "truth": truth}
    return {"given": samples["given"][:NUM_ROWS, None], "truth": truth}


def calibration(results: Results) -> dict[str, Figure]:
    """How far the spread of each cGAN's samples may be trusted; nothing if there is no cGAN."""
    spreads, gains, histograms = {}, {}, {}
    for model, result in results.items():
        kind, name = model.split("-", 1)
        if kind == "cgan":
            metrics, samples = result.scores["metrics"], result.samples
            histograms[name] = samples["ranks"]
            spreads[name] = np.stack([samples["predicted_sd"], samples["actual_error"]])
            values = {num: metrics.get(f"gain_{num}") for num in NUM_DRAWS}
            gains[name] = {num: entry["value"] for num, entry in values.items() if entry}
    if not histograms:
        return {}
    return {
        "images-ranks": figures_images.ranks(histograms),
        "images-trust": figures_images.trust(spreads, gains),
    }
