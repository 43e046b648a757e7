"""The numbers of all models in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

COLUMNS = {  # metric -> heading, which way is better, how it is written
    "fid": ("FID", "lower", "{:.1f}"),
    "kid": ("KID", "lower", "{:.4f}"),
    "precision": ("precision", "higher", "{:.3f}"),
    "recall": ("recall", "higher", "{:.3f}"),
    "density": ("density", "higher", "{:.3f}"),
    "coverage": ("coverage", "higher", "{:.3f}"),
    "conditional_accuracy": ("conditional accuracy", "higher", "{:.4f}"),
    "within_class_diversity": ("diversity within a class", "near 1", "{:.3f}"),
    "class_mean_error": ("error of class means", "lower", "{:.1e}"),
    "gradient_energy": ("gradient energy", "near 1", "{:.3f}"),
    "mid_grey": ("mid-grey pixels", "near 1", "{:.3f}"),
    "class_kl": ("KL of classes", "lower", "{:.4f}"),
    "memorisation": ("distance to training images", "near 1", "{:.3f}"),
}


def comparison(metrics: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One row a model, one column a metric; what a model has no use for is empty. The row `real` is the noise
    floor.
    """
    rows = {
        model: {name: entry["value"] for name, entry in content["metrics"].items()}
        for model, content in metrics.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def written(table: pd.DataFrame, columns: Sequence[str]) -> list[list[str]]:
    """The table's cells as text, row by row, the model's name first; an empty cell is a dash."""
    lines = []
    for model, row in table.iterrows():
        cells = ["-" if pd.isna(row[name]) else COLUMNS[name][2].format(row[name]) for name in columns]
        lines.append([str(model), *cells])
    return lines
