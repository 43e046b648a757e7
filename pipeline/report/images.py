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
from pipeline.report.results import Result, Results, Section

NUM_ROWS = 6  # test images that are shown
NUM_COMPARED = 2  # samples shown of an ablation: enough to see whether they differ
STEP = 0.05  # scales of standard deviations end at a multiple of it


def section(
    results: Results,
    table: pd.DataFrame,
    real: Mapping[str, Mapping[str, Any]],
    batch_sizes: Mapping[str, int],
) -> Section:
    """The section on all tasks, ablations in a table of their own, from results of the first seed, a
    comparison of these models, among others, the floors and details of real images by task, and how many
    images a step of each model is of.
    """
    ablations = {name: result for name, result in results.items() if result.section == "ablations"}
    others = {name: result for name, result in results.items() if name not in ablations}
    models, ablated, every = by_task(others), by_task(ablations), by_task(others | ablations)
    beside = {task: {**found, **models.get(task, {})} for task, found in ablated.items()}
    drawn = {f"images-{task}": strip(found) for task, found in models.items()}
    drawn |= {f"images-ablations-{task}": ablation_strip(found) for task, found in ablated.items()}
    drawn |= calibration(others)
    if models:
        drawn["images-paces"] = images.paces(by_images(models, batch_sizes), "images seen")
    sets = {real[task]["facts"]["data"]: real[task] for task in reversed(every)}  # of each the first task
    values = {
        "sets": dict(reversed(sets.items())),
        "sources": {found["facts"].get("source") for found in sets.values()},
        "tasks": {task: next(iter(found.values())).details["condition"] for task, found in models.items()},
        "ablated": list(ablated),
        "tables": image_tables.split(table, models, image_tables.GROUPS),
        "tones": image_tables.compared(table, every, image_tables.OF_TONES),
        "ablations": image_tables.split(table, beside, image_tables.OF_ABLATIONS),
        "counts": image_tables.counts([result.details for result in results.values()]),
        "num_seeds": int(table.loc[table["model"].isin(list(results)), "seed"].nunique()),
        "sketch": None,
    }
    for task, found in models.items():
        toned = [each for each in found.values() if "tone_samples" in each.samples]
        regression = next((each.samples for each in toned if not each.style.sampled), None)
        if sampled := {called(each): each.samples for each in toned if each.style.sampled}:
            drawn["images-six-tones"] = tones.six_tones(sampled, regression)
            values["sketch"] = image_tables.sketch(next(iter(sampled.values())), regression) | {"task": task}
            break
    return Section("images", drawn, values)


def by_task(results: Results) -> dict[str, dict[str, Result]]:
    """The models of each task."""
    found: dict[str, dict[str, Result]] = {}
    for name, result in results.items():
        found.setdefault(result.task, {})[name] = result
    return found


def called(result: Result) -> str:
    """A model in words: its method and, unless that is called as its task, its entry."""
    label = result.style.label
    return label if result.entry == result.task else f"{label} {result.entry}"


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
    first = {key: array[:NUM_ROWS] for key, array in next(iter(models.values())).samples.items()}
    given = first["condition"][:, None] if "condition" in first else first["captions"].tolist()
    return {"condition": given, "truth": first["truth"][:, None]}


def by_images(
    models: Mapping[str, Results], batch_sizes: Mapping[str, int]
) -> dict[str, dict[str, images.Pace]]:
    """The cheap FIDs of each task's models, by the images that they had seen."""
    found: dict[str, dict[str, images.Pace]] = {}
    for task, results in models.items():
        for name, result in results.items():
            known = result.history.dropna(subset=["fid"])
            pairs = list(zip(known["step"] * batch_sizes[name], known["fid"], strict=True))
            found.setdefault(task, {})[called(result)] = images.Pace(pairs, result.style.colour)
    return found


def calibration(results: Results) -> dict[str, Figure]:
    """How far the spread of each model's samples may be trusted; nothing if none is sampled."""
    found: dict[str, dict[str, images.Trust]] = {}
    for result in (result for result in results.values() if result.style.sampled):
        samples, metrics = result.samples, result.metrics
        gains = {num: metrics[f"gain_{num}"] for num in NUM_DRAWS if f"gain_{num}" in metrics}
        spread = np.stack([samples["predicted_sd"], samples["actual_error"]])
        of_method = found.setdefault(called(result), {})
        of_method[result.task] = images.Trust(samples["ranks"], spread, gains, result.style.colour)
    return {"images-ranks": images.ranks(found), "images-trust": images.trust(found)} if found else {}
