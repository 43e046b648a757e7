"""The report's section on seeds, where models are trained from several: spread, and paired differences."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from pipeline.report import tables
from pipeline.report.images import by_task, called
from pipeline.report.patience import kept
from pipeline.report.results import Results, Section
from pipeline.report.tables import Columns

SECTIONS = ("regressions", "engressions", "cgans", "flows")
LEVEL = 0.95
COLUMNS: Columns = {
    "energy_score": ("energy score", "lower", "{:.4f}"),
    "crps": ("CRPS", "lower", "{:.4f}"),
    "fid": ("FID", "lower", "{:.3f}"),
    "sample_mse": ("error", "of one sample", "{:.4f}"),
    "mean_mse": ("error", "of the mean", "{:.4f}"),
    "gain_8": ("gain of 8", "near 2.50 dB", "{:.2f}"),
    "interval_width": ("intervals", "width", "{:.3f}"),
}


def section(results: Results, table: pd.DataFrame, folder: Path) -> Section | None:
    """Of the models of tasks with a condition, by task, means and standard deviations over seeds, and of each
    two methods the mean difference, seed by seed, with its 95 % interval (Student's t).

    `table` is a comparison of all models; if they are of one seed, that which the folder keeps (`make seeds`)
    is taken, if it is of the same data. None if neither has two seeds.
    """
    made_here = table["seed"].nunique() > 1
    if not made_here:
        if (found := kept(folder)) is None or found.differing:
            return None
        table = found.table
    chosen = {
        name: found
        for name, found in results.items()
        if found.kind != "none" and found.section in SECTIONS and name in set(table["model"])
    }
    counts = table[table["model"].isin(list(chosen))].groupby("model")["seed"].nunique()
    if counts.empty or counts.min() < 2:
        return None
    tasks = {}
    for task, of_task in by_task(chosen).items():
        columns = tables.filled(table, COLUMNS, of_task)
        labels = {name: called(found) for name, found in of_task.items()}
        cells = tables.written(table, columns, of_task)
        rows = [[labels[name], *cells[name]] for name in of_task]
        pairs = [
            [f"{labels[a]} less {labels[b]}", *differences(table, a, b, columns)]
            for a, b in combinations(of_task, 2)
        ]
        tasks[task] = {"rows": rows, "pairs": pairs, "headings": tables.headings(columns)}
    values: dict[str, Any] = {"tasks": tasks, "num_seeds": int(counts.min()), "made_here": made_here}
    return Section("seeds", {}, values)


def differences(table: pd.DataFrame, one: str, other: str, columns: Mapping[str, tables.Column]) -> list[str]:
    """The mean over seeds of one model's value less the other's, with its interval; a dash where either has
    none.
    """
    models = {name: table[table["model"] == name].set_index("seed") for name in (one, other)}
    found = []
    for name, (_, _, form) in columns.items():
        apart = (models[one][name] - models[other][name]).dropna()
        if len(apart) < 2:
            found.append("-")
            continue
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(apart) - 1)) * float(apart.std()) / len(apart) ** 0.5
        found.append(" ± ".join(form.format(value) for value in (float(apart.mean()), half)))
    return found
