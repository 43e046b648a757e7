"""Numbers of the section on image to image, made ready for its template."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from markupsafe import Markup

from pipeline.metrics import tones
from pipeline.metrics.posterior import theoretical_gain
from pipeline.report import tables
from pipeline.report.figures.figures import Arrays
from pipeline.report.figures.tones import TONES
from pipeline.report.tables import Column, Columns

NUM_TONES = 6
BOLD = Markup("<b>{}</b>")
GROUPS: dict[str, dict[str, Column]] = {  # of metrics, by what they say of a model
    "how far from the truth?": {
        "sample_mse": ("error of one sample", "lower", "{:.4f}"),
        "mean_mse": ("error of the samples' mean", "lower", "{:.4f}"),
        "energy_score": ("energy score", "lower", "{:.4f}"),
        "condition_error": ("condition error", "lower", "{:.4f}"),
        "matching_accuracy": ("matching accuracy", "higher", "{:.3f}"),
        "pixel_accuracy": ("pixel accuracy", "higher", "{:.4f}"),
    },
    "like real images?": {
        "fid": ("FID", "lower", "{:.3f}"),
        "kid": tables.COLUMNS["kid"],
        "cfid": ("CFID", "lower", "{:.3f}"),
        "gradient_energy": ("sharpness", "near 1", "{:.3f}"),
    },
    "do samples differ as the answers do?": {
        "apsd": ("APSD", "0: z ignored", "{:.4f}"),
        "z_sensitivity": ("z sensitivity", "near 1", "{:.3f}"),
        "gain_8": ("gain of 8 samples, dB", f"near {theoretical_gain(8):.2f}", "{:.2f}"),
        "calibration": ("calibration", "higher", "{:.3f}"),
        "rank_distance": ("rank distance", "lower", "{:.3f}"),
    },
}
OF_TASKS = {key: column for group in GROUPS.values() for key, column in group.items()}
OF_TONES: dict[str, Column] = {
    "tone_recall": (f"tones hit, of {NUM_TONES}", "higher", "{:.2f}"),
    "tone_purity": ("samples that hit one", "higher", "{:.3f}"),
    "tone_tv": ("distance to equal shares", "lower", "{:.3f}"),
}
NOT_OF_ABLATIONS = ("kid", "cfid", "calibration", "rank_distance")
OF_ABLATIONS = {
    group: {key: column for key, column in columns.items() if key not in NOT_OF_ABLATIONS}
    for group, columns in {**GROUPS, "tones of skin": OF_TONES}.items()
}


def split(
    table: pd.DataFrame, models: Mapping[str, Iterable[str]], groups: Mapping[str, Columns]
) -> dict[str, dict[str, Any]]:
    """A table of each group of columns that any of the models fills."""
    found = {group: compared(table, models, columns) for group, columns in groups.items()}
    return {group: each for group, each in found.items() if each["rows"]}


def compared(table: pd.DataFrame, models: Mapping[str, Iterable[str]], columns: Columns) -> dict[str, Any]:
    """A table, `headings` and `rows`, of the models of each task and the columns that any of them fills; the
    best of a task is bold. `table` is a comparison of these models, among others.
    """
    every = [name for names in models.values() for name in names]
    chosen = table[table["model"].isin(every)]
    columns = tables.filled(chosen, columns, every)
    texts, means = tables.written(chosen, columns, every), chosen.groupby("model")[list(columns)].mean()
    rows: list[list[str]] = []
    for task, names in models.items():
        best = [winners(means.loc[list(names), key], column) for key, column in columns.items()]
        for name in (name for name in names if set(texts[name]) - {"-"}):
            cells = zip(texts[name], best, strict=True)
            rows.append([task, name, *(BOLD.format(text) if name in top else text for text, top in cells)])
    return {"headings": ["task", "model", *tables.headings(columns)], "rows": rows}


def winners(values: "pd.Series[float]", column: Column) -> set[str]:
    """The models whose value reads as the best one does; none if all read alike, or no way is better."""
    (_, better, form), values = column, values.dropna()
    texts = values.map(form.format)
    if texts.nunique() < 2 or not better.startswith(("lower", "higher", "near ")):
        return set()
    losses = (values - float(better.removeprefix("near "))).abs() if "near" in better else values
    best = losses.argmax() if better == "higher" else losses.argmin()
    return set(texts.index[texts == texts.iloc[best]])


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


def sketch(sampled: Arrays, regression: Arrays | None) -> dict[str, Any]:
    """What is said of the sketch whose six right answers are known: the true colours and those of answers,
    `tone_true_colours` (6, 3) and `tone_colours` (k, 3).
    """
    true, num_draws = sampled["tone_true_colours"], len(sampled["tone_colours"])
    radius = tones.radii(torch.from_numpy(true)[None]).item()
    said: dict[str, Any] = {"num_draws": num_draws, "radius": radius, **perfect(num_draws)}
    if regression is not None:
        distances = np.linalg.norm(true - regression["tone_colours"][0], axis=1)
        said |= {"nearest": TONES[int(distances.argmin())], "distance": float(distances.min())}
    return said


def perfect(num: int) -> dict[str, float]:
    """The tone metrics to be expected of `num` samples if all six tones are equally likely.

    Of n, Binomial(n, 1/6) are of a tone; the distance to equal shares is half the sum of |share - 1/6|.
    """
    share = 1 / NUM_TONES
    chances = [math.comb(num, k) * share**k * (1 - share) ** (num - k) for k in range(num + 1)]
    deviation = sum(chance * abs(k / num - share) for k, chance in enumerate(chances))
    return {"tone_recall": NUM_TONES * (1 - chances[0]), "tone_tv": NUM_TONES / 2 * deviation}
