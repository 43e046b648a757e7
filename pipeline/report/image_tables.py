"""Numbers of the section on image to image, made ready for its template."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from pipeline.metrics import tones
from pipeline.metrics.posterior import theoretical_gain
from pipeline.report import tables
from pipeline.report.figures.tones import TONES, Arrays
from pipeline.report.tables import Column

NUM_TONES = 6
OF_TASKS: dict[str, Column] = {
    "sample_mse": ("error of one sample", "lower", "{:.4f}"),
    "mean_mse": ("error of the samples' mean", "lower", "{:.4f}"),
    "fid": ("FID", "lower", "{:.3f}"),
    "kid": tables.COLUMNS["kid"],
    "cfid": ("CFID", "lower", "{:.3f}"),
    "gradient_energy": ("sharpness", "near 1", "{:.3f}"),
    "apsd": ("APSD", "0: z ignored", "{:.4f}"),
    "z_sensitivity": ("z sensitivity", "near 1", "{:.3f}"),
    "gain_8": ("gain of 8 samples, dB", f"near {theoretical_gain(8):.2f}", "{:.2f}"),
    "calibration": ("calibration", "higher", "{:.3f}"),
    "rank_distance": ("rank distance", "lower", "{:.3f}"),
    "condition_error": ("condition error", "lower", "{:.4f}"),
    "matching_accuracy": ("matching accuracy", "higher", "{:.3f}"),
    "pixel_accuracy": ("pixel accuracy", "higher", "{:.4f}"),
}
OF_TONES: dict[str, Column] = {
    "tone_recall": (f"tones hit, of {NUM_TONES}", "higher", "{:.2f}"),
    "tone_purity": ("samples that hit one", "higher", "{:.3f}"),
    "tone_tv": ("distance to equal shares", "lower", "{:.3f}"),
}
OF_ABLATIONS = {
    name: column
    for name, column in (OF_TASKS | OF_TONES).items()
    if name not in ("kid", "cfid", "calibration", "rank_distance")
}


def compared(
    table: pd.DataFrame, models: Mapping[str, Iterable[str]], columns: Mapping[str, Column]
) -> dict[str, Any]:
    """The columns that any of these models fills: `headings`, and `rows`, one a model, each with its `task`,
    `name` and `cells`, pairs of text and whether it is the best of its task.

    Args:
        table: rows of `tables.comparison`, these models' among others.
        models: their names by task.
        columns: by metric.
    """
    chosen = table[table["model"].isin([name for names in models.values() for name in names])]
    columns = {key: column for key, column in columns.items() if key in chosen and chosen[key].notna().any()}
    texts = {row[0]: row[1:] for row in tables.written(chosen, columns)}
    means = chosen.groupby("model")[list(columns)].mean()
    rows: list[dict[str, Any]] = []
    for task, names in models.items():
        best = {
            key: winners({name: float(means[key][name]) for name in names}, column)
            for key, column in columns.items()
        }
        for name in (name for name in names if set(texts[name]) != {"-"}):
            flags = [name in best[key] for key in columns]
            rows.append({"task": task, "name": name, "cells": list(zip(texts[name], flags, strict=True))})
    return {"headings": [column[:2] for column in columns.values()], "rows": rows}


def winners(values: Mapping[str, float], column: Column) -> set[str]:
    """The models whose value reads as the best one does; none if all read alike, or no way is better."""
    _, better, form = column
    near = float(better.removeprefix("near ")) if better.startswith("near ") else None
    if near is None and better not in ("lower", "higher"):
        return set()
    sign = -1 if better == "higher" else 1
    losses = {
        name: sign * value if near is None else abs(value - near)
        for name, value in values.items()
        if not math.isnan(value)
    }
    texts = {name: form.format(values[name]) for name in losses}
    if len(set(texts.values())) < 2:
        return set()
    best = texts[min(losses, key=losses.__getitem__)]
    return {name for name, text in texts.items() if text == best}


def counts(details: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """How many samples of a condition there were, and from how many images FIDs were taken."""
    found = list(details)
    fids = [content["counts"]["fid"] for content in found if "fid" in content["counts"]]
    return {
        "draws": span(content["num_draws"] for content in found if content.get("num_draws", 1) > 1),
        "samples": span(fid[0] for fid in fids),
        "real": span(fid[1] for fid in fids),
    }


def span(numbers: Iterable[int]) -> str:
    """One number, or the least and the largest of several."""
    found = sorted(set(numbers))
    return " to ".join(f"{number:,}" for number in dict.fromkeys(found[:1] + found[-1:]))


def sketch(cgan: Arrays, regression: Arrays | None) -> dict[str, Any]:
    """What is said of the sketch whose six right answers are known, and of how far these lie apart.

    Args:
        cgan: `tone_true_colours` (6, 3) and as many `tone_colours` as there are samples.
        regression: the same, of one answer.
    """
    true, num_draws = cgan["tone_true_colours"], len(cgan["tone_colours"])
    said: dict[str, Any] = {
        "num_draws": num_draws,
        "radius": tones.radii(torch.from_numpy(true)[None]).item(),
    }
    if regression is not None:
        distances = np.linalg.norm(true - regression["tone_colours"][0], axis=1)
        said |= {"nearest": TONES[int(distances.argmin())], "distance": float(distances.min())}
    return said | perfect(num_draws)


def perfect(num_draws: int) -> dict[str, float]:
    """The tone metrics to be expected of a sampler that draws all six tones equally often.

    Of n samples Binomial(n, 1/6) are of a tone; the distance to equal shares is half the sum over the tones
    of |share - 1/6|.
    """
    share = 1 / NUM_TONES
    chances = [
        math.comb(num_draws, k) * share**k * (1 - share) ** (num_draws - k) for k in range(num_draws + 1)
    ]
    deviation = sum(chance * abs(k / num_draws - share) for k, chance in enumerate(chances))
    return {"tone_recall": NUM_TONES * (1 - chances[0]), "tone_tv": NUM_TONES / 2 * deviation}
