"""The report's section on patience: what models come to after more steps, from the folder that keeps the
comparison and the figures of a longer run (`make long`).
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipeline.report import tables
from pipeline.report.image_tables import OF_TASKS
from pipeline.report.results import Section
from pipeline.report.study import OF_STACKED
from pipeline.report.tables import Columns
from pipeline.runtime import params

UNIT = "datasets"  # section of params.yaml whose entries say what an FID of 1 means
OF_DRAWINGS = {key: OF_TASKS[key] for key in ("energy_score", "fid", "mean_mse", "gain_8")}
OF_DIGITS = {key: tables.COLUMNS[key] for key in ("fid", "precision", "recall", "memorisation")}
SHOWN = ("*-sheet", "images-sketch", "images-colourise", "study-curves", "study-truncation")  # figures


class Kept(NamedTuple):
    """What a folder keeps of a run with other parameters."""

    table: pd.DataFrame  # its comparison
    params: Mapping[str, Any]
    differing: list[str]  # the keys of those parameters by which its numbers would be of other things


def kept(folder: Path) -> Kept | None:
    """The run that this folder keeps, if there is one."""
    if not (file := folder / "comparison.csv").exists():
        return None
    here, there = (params.content(path) for path in (params.PARAMS_FILE, folder / "params.yaml"))
    return Kept(pd.read_csv(file).astype({"seed": "Int64"}), there, list(differing(here, there)))


def section(table: pd.DataFrame, folder: Path) -> Section | None:
    """What each model of the longer run came to there, and here; None if the folder has no such run, or one
    of as many steps. `table` is a comparison of the models here.

    Where the two runs were of other data, or other features, the page says so in the place of numbers.
    """
    longer, budget = kept(folder), params.content(params.PARAMS_FILE)["budget"]
    if longer is None or longer.params["budget"] == budget:
        return None
    budgets = [budget, longer.params["budget"]]
    values: dict[str, Any] = {"budgets": budgets, "differing": longer.differing, "tables": []}
    if longer.differing:
        return Section("patience", {}, values)
    found = longer.table
    names, drawings, stacked = found["model"], found["mean_mse"].notna(), found["modes"].notna()
    groups = (~drawings & ~stacked, OF_DIGITS), (drawings, OF_DRAWINGS), (stacked, OF_STACKED)
    runs = dict(zip(budgets, (table, found), strict=True))
    values["tables"] = [compared(runs, list(names[chosen]), columns) for chosen, columns in groups]
    files = sorted(file for pattern in SHOWN for file in (folder / "figures").glob(f"{pattern}.png"))
    values["names"] = [file.stem for file in files]
    return Section("patience", {f"patience-{file.stem}": file.read_bytes() for file in files}, values)


def differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    """The keys, of those that give a figure its unit, whose values differ, with both; of data sets, those of
    the sets that both runs have.
    """
    pairs = {
        f"{UNIT}.{name}": (here[UNIT][name], entry)
        for name, entry in there[UNIT].items()
        if name in here[UNIT]
    }
    kinds = [{"features": found["evaluate"].get("features", "own")} for found in (here, there)]
    pairs["evaluate"] = kinds[0], kinds[1]
    pairs |= {f"tasks.{name}": (here["tasks"].get(name, {}), task) for name, task in there["tasks"].items()}
    for name, (one, other) in pairs.items():
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                yield f"{name}.{key} ({one.get(key)} here, {other.get(key)} there)"


def compared(runs: Mapping[float, pd.DataFrame], models: list[str], columns: Columns) -> dict[str, Any]:
    """A table of these models, `headings` and `rows`: each column once for each run, by budget."""
    known = (table.reindex(columns=["model", "seed", *columns]) for table in runs.values())
    cells = [tables.written(table, columns, models) for table in known]
    rows = [[model, *chain(*zip(*(written[model] for written in cells), strict=True))] for model in models]
    headings = [(heading, f"budget {budget:g}") for heading, _, _ in columns.values() for budget in runs]
    return {"headings": ["model", *headings], "rows": rows}
