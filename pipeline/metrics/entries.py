"""Metrics as a file holds them: each with the number of images it was taken from and, beside it, its noise
floor.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.runtime.errors import InputError

Entry = dict[str, float]  # value, num_samples, num_real and, once known, floor


def entries(values: Mapping[str, float], num_samples: int, num_real: int) -> dict[str, Entry]:
    """The values, each with how many drawn and how many real images (0: none) it was taken from."""
    return {
        name: {"value": value, "num_samples": num_samples, "num_real": num_real}
        for name, value in values.items()
    }


def read_floors(path: Path) -> dict[str, float]:
    """The value of each metric between two sets of real images, from the file that stage `evaluate_real`
    writes.

    Raises:
        InputError: the file is not that.
    """
    try:
        return {
            name: float(entry["value"]) for name, entry in json.loads(path.read_text())["metrics"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the metrics of real images ({error!r}); make them with: dvc repro evaluate_real"
        ) from error


def with_floors(entries: Mapping[str, Entry], floors: Mapping[str, float]) -> dict[str, Entry]:
    """The same entries, each beside its noise floor."""
    return {name: entry | {"floor": floors[name]} for name, entry in entries.items()}
