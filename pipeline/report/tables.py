"""The numbers of all models in one table."""

from collections.abc import Iterable, Mapping

import pandas as pd

Column = tuple[str, str, str]  # heading, which way is better, how it is written
Columns = Mapping[str, Column]  # by metric

COLUMNS: dict[str, Column] = {
    "fid": ("FID", "lower", "{:.1f}"),
    "kid": ("KID", "lower", "{:.4f}"),
    "precision": ("precision", "higher", "{:.3f}"),
    "recall": ("recall", "higher", "{:.3f}"),
    "density": ("density", "higher", "{:.3f}"),
    "coverage": ("coverage", "higher", "{:.3f}"),
    "two_sample_accuracy": ("two-sample accuracy", "near 0.5", "{:.3f}"),
    "conditional_accuracy": ("conditional accuracy", "higher", "{:.4f}"),
    "within_class_diversity": ("diversity within a class", "near 1", "{:.3f}"),
    "class_mean_error": ("error of class means", "lower", "{:.1e}"),
    "sample_mse": ("error of one sample", "lower", "{:.4f}"),
    "gradient_energy": ("gradient energy", "near 1", "{:.3f}"),
    "mid_grey": ("mid-grey pixels", "near 1", "{:.3f}"),
    "class_kl": ("KL of classes", "lower", "{:.4f}"),
    "path_length_lerp": ("path length, straight", "lower", "{:.0f}"),
    "path_length_slerp": ("path length, spherical", "lower", "{:.0f}"),
    "path_unevenness_lerp": ("unevenness, straight", "near 1", "{:.2f}"),
    "path_unevenness_slerp": ("unevenness, spherical", "near 1", "{:.2f}"),
    "memorisation": ("distance to training images", "near 1", "{:.3f}"),
}


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


def written(table: pd.DataFrame, columns: Columns, models: Iterable[str]) -> dict[str, list[str]]:
    """By model, its cells of a comparison as text."""
    rows = {model: table[table["model"] == model] for model in models}
    forms = {key: form for key, (_, _, form) in columns.items()}
    return {model: [cell(row[key], form) for key, form in forms.items()] for model, row in rows.items()}


def cell(values: "pd.Series[float]", form: str) -> str:
    """The mean over seeds, where there are several with their standard deviation; a dash if there is none."""
    values = values.dropna()
    if values.empty:
        return "-"
    mean = form.format(values.mean())
    return mean if len(values) == 1 else f"{mean} ± {form.format(values.std())}"
