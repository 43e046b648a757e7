"""Prepared data sets on disk: uint8 images, split, with what the set knows of each, and facts of the whole.

A split is a dict of arrays with one row an image: `images` (N, C, H, W) uint8 and others, which the data
set's module lists in FIELDS.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file

SPLITS = ("train", "validation", "test")
DAMAGES = (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError)

Arrays = dict[str, np.ndarray]  # by name, one row an image


@dataclass(frozen=True)
class DataSet:
    splits: Mapping[str, Arrays]
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON values
    left_out: list[str] = field(default_factory=list)  # "file: reason" of each raw file that is not in it
    said: list[str] = field(default_factory=list)  # what was found out about the files, a line each


def save(path: Path, data: DataSet) -> None:
    """Write all but what is said of the files, uncompressed."""
    arrays = {f"{split}/{name}": array for split, rows in data.splits.items() for name, array in rows.items()}
    with new_file(path) as part:
        np.savez(part, facts=json.dumps(data.facts, sort_keys=True), **arrays)  # type: ignore[arg-type]


def load(path: Path) -> DataSet:
    """A prepared data set; an InputError if the file is missing, damaged, or holds something else."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            splits: dict[str, Arrays] = {split: {} for split in SPLITS}
            for key in (key for key in arrays.files if key != "facts"):
                split, name = key.split("/")
                splits[split][name] = arrays[key]
            if not all("images" in rows for rows in splits.values()):
                raise KeyError("a split has no images")
            return DataSet(splits, json.loads(str(arrays["facts"])))
    except DAMAGES as error:
        advice = f"make it with: dvc repro prepare@{path.stem}"
        raise InputError(f"{path}: not a prepared data set ({error}); {advice}") from error
