"""Stacked digits: how many of the thousand modes each GAN hits."""

from collections.abc import Mapping

import pandas as pd

from pipeline.report import tables
from pipeline.report.figures.figures import sheet
from pipeline.report.results import Results
from pipeline.report.sections import Section

COLUMNS: dict[str, tables.Column] = {
    "modes": ("modes hit", "higher", "{:.0f}"),
    "kl": ("KL of modes", "lower", "{:.3f}"),
}


def section(table: pd.DataFrame, results: Results, counts: Mapping[str, int]) -> Section:
    """The counts and samples of the GANs of stacked digits.

    Args:
        table: rows of `tables.comparison`, these models' among others.
        results: theirs, by name.
        counts: `num_stacks` that were trained on.
    """
    figures = {f"{name}-sheet": sheet(result.samples["sheet"], 20) for name, result in results.items()}
    rows = tables.written(table[table["model"].isin(list(results))], COLUMNS)
    headings = [heading for heading, _, _ in COLUMNS.values()]
    num_samples = next(iter(results.values())).details["counts"]["modes"][0]
    values = {"headings": headings, "rows": rows, "names": list(results), "num_samples": num_samples}
    return Section("stacked", "stacked.html", figures, values | dict(counts))
