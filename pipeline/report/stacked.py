"""Stacked digits: how many of the thousand modes each GAN hits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report import tables
from pipeline.report.figures import digits as figures
from pipeline.report.sections import Section

COLUMNS: dict[str, tables.Column] = {
    "modes": ("modes hit", "higher", "{:.0f}"),
    "kl": ("KL of modes", "lower", "{:.3f}"),
}


def section(table: pd.DataFrame, sheets: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> Section:
    """The counts and the pictures of the GANs of stacked digits.

    Args:
        table: rows of `tables.comparison`, these models' among others.
        sheets: drawn pictures by model, (n, 3, H, W) uint8.
        facts: the section `stacked_digits` of params.yaml.
    """
    pictures = {f"{name}-sheet": figures.picture(sheet, 20) for name, sheet in sheets.items()}
    rows = tables.written(table[table["model"].isin(list(sheets))], COLUMNS)
    headings = [heading for heading, _, _ in COLUMNS.values()]
    values = {"headings": headings, "rows": rows, "names": list(sheets), **facts}
    return Section("stacked", "stacked.html", pictures, values)
