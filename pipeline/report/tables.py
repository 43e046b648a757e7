"""The numbers of all models in one table."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

Column = tuple[str, str, str]  # heading, which way is better, how it is written
Columns = Mapping[str, Column]  # by metric

GROUPS: dict[str, dict[str, Column]] = {  # of metrics, by what they say of a model
    "are samples like real images?": {
        "fid": ("FID", "lower", "{:.1f}"),
        "kid": ("KID", "lower", "{:.4f}"),
        "precision": ("precision", "higher", "{:.3f}"),
        "recall": ("recall", "higher", "{:.3f}"),
        "density": ("density", "higher", "{:.3f}"),
        "coverage": ("coverage", "higher", "{:.3f}"),
        "two_sample_accuracy": ("two-sample accuracy", "near 0.5", "{:.3f}"),
        "memorisation": ("distance to training images", "near 1", "{:.3f}"),
    },
    "are they of the class asked for, and as different as it is?": {
        "conditional_accuracy": ("conditional accuracy", "higher", "{:.4f}"),
        "within_class_diversity": ("diversity within a class", "near 1", "{:.3f}"),
        "class_mean_error": ("error of class means", "lower", "{:.1e}"),
        "sample_mse": ("error of one sample", "lower", "{:.4f}"),
        "class_kl": ("KL of classes", "lower", "{:.4f}"),
    },
    "are they sharp, and do they change evenly between two latents?": {
        "gradient_energy": ("gradient energy", "near 1", "{:.3f}"),
        "mid_grey": ("mid-grey pixels", "near 1", "{:.3f}"),
        "path_length_lerp": ("path length, straight", "lower", "{:.0f}"),
        "path_length_slerp": ("path length, spherical", "lower", "{:.0f}"),
        "path_unevenness_lerp": ("unevenness, straight", "near 1", "{:.2f}"),
        "path_unevenness_slerp": ("unevenness, spherical", "near 1", "{:.2f}"),
    },
}
COLUMNS = {key: column for group in GROUPS.values() for key, column in group.items()}
SEEDS = Markup('<span data-seeds="{}">{}</span>')


def comparison(metrics: Mapping[tuple[str, int | None], Mapping[str, float]]) -> pd.DataFrame:
    """One row a model and seed, one column a metric; what a model has no use for is empty.

    Args:
        metrics: the contents of metrics files by model and seed; `real`, the noise floor, has no seed.
    """
    rows = [{"model": model, "seed": seed, **values} for (model, seed), values in metrics.items()]
    return pd.DataFrame(rows).astype({"seed": "Int64"})


def headings(columns: Columns) -> list[tuple[str, str]]:
    """Each column's heading, and which way is better."""
    return [(heading, better) for heading, better, _ in columns.values()]


def filled(table: pd.DataFrame, columns: Columns, models: Iterable[str]) -> dict[str, Column]:
    """Those columns that any of these models fills."""
    rows = table[table["model"].isin(list(models))]
    return {key: column for key, column in columns.items() if key in rows and rows[key].notna().any()}


def split(table: pd.DataFrame, groups: Mapping[str, Columns], models: list[str]) -> dict[str, dict[str, Any]]:
    """By group, `headings` and `rows` of the models that fill any of its columns."""
    found = {}
    for group, every in groups.items():
        if columns := filled(table, every, models):
            cells = written(table, columns, models)
            rows = [[model, *row] for model, row in cells.items() if set(row) - {"-"}]
            found[group] = {"headings": ["model", *headings(columns)], "rows": rows}
    return found


def written(table: pd.DataFrame, columns: Columns, models: Iterable[str]) -> dict[str, list[str]]:
    """By model, its cells of a comparison as text."""
    by_seed = table.set_index("seed") if "seed" in table else table
    rows = {model: by_seed[by_seed["model"] == model] for model in models}
    forms = {key: form for key, (_, _, form) in columns.items()}
    return {model: [cell(row[key], form) for key, form in forms.items()] for model, row in rows.items()}


def cell(values: "pd.Series[float]", form: str) -> str:
    """The mean over seeds, by which `values` are; where there are several with their standard deviation, and
    for the page's switch each one's value; a dash if there is none.
    """
    values = values.dropna()
    if values.empty:
        return "-"
    mean = form.format(values.mean())
    if len(values) == 1:
        return mean
    each = " ".join(f"{seed}:{form.format(value)}" for seed, value in values.items())
    return SEEDS.format(each, f"{mean} ± {form.format(values.std())}")
