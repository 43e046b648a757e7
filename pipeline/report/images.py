"""The report's section on image to image: what each method makes of the condition."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.metrics.posterior import NUM_DRAWS
from pipeline.report import image_tables
from pipeline.report.figures import images, tones
from pipeline.report.figures.figures import png
from pipeline.report.results import Arrays, Result, Results
from pipeline.report.sections import Section
from pipeline.report.styles import STYLES

NUM_ROWS = 6  # test images that are shown
NUM_COMPARED = 2  # samples shown of an ablation: enough to see whether they differ
STEP = 0.05  # scales of standard deviations end at a multiple of it


def section(
    results: Results, ablations: Results, table: pd.DataFrame, real: Mapping[str, Mapping[str, Any]]
) -> Section:
    """The section on all tasks.

    Args:
        results: of the first seed, by name.
        ablations: the same, shown in a table of their own.
        table: rows of `tables.comparison`, these models' among others.
        real: by task, the floors and details of real images.
    """
    every = {**results, **ablations}
    tasks = list(dict.fromkeys(result.task for result in every.values()))
    models = {task: found for task in tasks if (found := of_task(results, task))}
    ablated = {task: found for task in tasks if (found := of_task(ablations, task))}
    beside = {task: {**found, **models.get(task, {})} for task, found in ablated.items()}
    drawn = {f"images-{task}": strip(found) for task, found in models.items()}
    drawn |= {f"images-ablations-{task}": ablation_strip(found) for task, found in ablated.items()}
    drawn |= calibration(results)
    first = real[next(iter(models), tasks[0])]
    values = {
        "real": first,
        "openmoji": first["facts"].get("source") == "openmoji",
        "tasks": list(models),
        "ablated": list(ablated),
        "table": image_tables.compared(table, models, image_tables.OF_TASKS),
        "tones": image_tables.compared(
            table, {task: of_task(every, task) for task in tasks}, image_tables.OF_TONES
        ),
        "ablations": image_tables.compared(table, beside, image_tables.OF_ABLATIONS),
        "counts": image_tables.counts([result.details for result in every.values()]),
        "num_seeds": int(table.loc[table["model"].isin(list(every)), "seed"].nunique()),
        "sketch": None,
    }
    if cgan := tones_of(results, STYLES["cgan"].label):
        regression = tones_of(results, STYLES["regression"].label)
        drawn["images-tones"] = tones.six_tones(cgan, regression)
        values["sketch"] = image_tables.sketch(cgan, regression)
    return Section("images", "images.html", {name: png(figure) for name, figure in drawn.items()}, values)


def of_task(results: Results, task: str) -> dict[str, Result]:
    """The models of a task."""
    return {name: result for name, result in results.items() if result.task == task}


def called(result: Result) -> str:
    """A model in words: its method and, unless that is called as its task, its entry."""
    label = result.style.label
    return label if result.entry == result.task else f"{label} {result.entry}"


def tones_of(results: Results, label: str) -> Arrays | None:
    """What the first model of this label left of a sketch whose six right answers are known, if one did."""
    found = [result.samples for result in results.values() if result.style.label == label]
    found = [samples for samples in found if "tone_samples" in samples]
    return found[0] if found else None


def strip(models: Results) -> Figure:
    """What each model of a task makes of the same conditions; all standard deviations on one scale."""
    groups = conditions(models)
    sampled = [result.samples for result in models.values() if result.style.sampled]
    top = scale_end([samples["sd"][:NUM_ROWS] for samples in sampled]) if sampled else None
    for result in models.values():
        label, drawn = called(result), result.samples["samples"][:NUM_ROWS]
        if result.style.sampled:
            groups[f"{label}, {drawn.shape[1]} samples"] = drawn
            groups[f"{label}: sd"] = images.heat(result.samples["sd"][:NUM_ROWS], top or STEP)
        else:
            groups[label] = drawn[:, :1]
    return images.strip(groups, top)


def scale_end(maps: list[np.ndarray]) -> float:
    """The first multiple of STEP that no standard deviation exceeds."""
    steps = math.ceil(max(float(sd.max()) for sd in maps) / STEP - 1e-6)  # the maps are float32
    return round(max(1, steps) * STEP, 6)


def ablation_strip(models: Results) -> Figure:
    """A few samples of each model for the same conditions."""
    drawn = {result.entry: result.samples["samples"][:NUM_ROWS, :NUM_COMPARED] for result in models.values()}
    return images.strip({**conditions(models), **drawn})


def conditions(models: Results) -> dict[str, np.ndarray | list[str]]:
    """The conditions, and the truth; both are the same for all models of a task."""
    samples = next(iter(models.values())).samples
    truth = samples["truth"][:NUM_ROWS, None]
    if "condition" in samples:
        return {"condition": samples["condition"][:NUM_ROWS, None], "truth": truth}
    return {"condition": samples["captions"][:NUM_ROWS].tolist(), "truth": truth}


def calibration(results: Results) -> dict[str, Figure]:
    """How far the spread of each model's samples may be trusted; nothing if none is sampled."""
    sampled = {result.entry: result for result in results.values() if result.style.sampled}
    if not sampled:
        return {}
    spreads, gains = {}, {}
    for name, result in sampled.items():
        spreads[name] = np.stack([result.samples["predicted_sd"], result.samples["actual_error"]])
        gains[name] = {
            num: gain for num in NUM_DRAWS if (gain := result.metrics.get(f"gain_{num}")) is not None
        }
    return {
        "images-ranks": images.ranks({name: result.samples["ranks"] for name, result in sampled.items()}),
        "images-trust": images.trust(spreads, gains),
    }
