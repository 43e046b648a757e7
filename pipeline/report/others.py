"""The report's section on data sets other than that of the first page: their models without a condition, or
with a class.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.report import tables
from pipeline.report.figures import figures
from pipeline.report.results import Results, Section

NUM_COLUMNS = 10  # of sheets and snapshots


def section(models: Results, real: Mapping[str, Any], table: pd.DataFrame) -> Section:
    """A table and sheets of samples by data set; `real` has floors and facts of each task's real images."""
    sets: dict[str, dict[str, Any]] = {}
    for name, found in models.items():
        data = real[found.task]["facts"]["data"]
        sets.setdefault(data, {"models": [], "floor": real[found.task], "classes": []})["models"].append(name)
        sets[data]["classes"] = real[found.task]["facts"].get("classes", [])
    drawn = {
        f"{name}-sheet": figures.sheet(found.samples["sheet"], NUM_COLUMNS) for name, found in models.items()
    }
    for each in sets.values():
        each["tables"] = tables.split(table, tables.GROUPS, each["models"])
    return Section("others", drawn, {"sets": sets})
