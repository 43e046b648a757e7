"""Metrics and the numbers of images they were taken from; a file holds the values, another the rest."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.runtime.files import write_json


class Entry(NamedTuple):
    value: float
    num_samples: int  # drawn images; 0: none
    num_real: int


Entries = dict[str, Entry]


def entries(values: Mapping[str, float], num_samples: int, num_real: int) -> Entries:
    """The values, each with how many drawn and how many real images it was taken from; without those that
    are none, as a ratio whose denominator is 0.
    """
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return {name: Entry(value, num_samples, num_real) for name, value in finite.items()}


def write(reports: Path, name: str, metrics: Mapping[str, float], about: Mapping[str, Any]) -> None:
    """Write metrics/<name>.json, which must be finite, and details/<name>.json in the folder REPORTS."""
    write_json(reports / "metrics" / f"{name}.json", metrics)
    write_json(reports / "details" / f"{name}.json", about)


def values(found: Mapping[str, Entry]) -> dict[str, float]:
    """The values alone, by name: what a metrics file holds."""
    return {name: entry.value for name, entry in found.items()}


def details(found: Mapping[str, Entry], floors: Mapping[str, float]) -> dict[str, Any]:
    """What stands beside them: `counts`, (num_samples, num_real) by name, and `floors`."""
    counts = {name: [entry.num_samples, entry.num_real] for name, entry in found.items()}
    return {"counts": counts, "floors": {name: floors[name] for name in found if name in floors}}
