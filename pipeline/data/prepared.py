"""Prepared data sets on disk: uint8 images, split, with what the set knows of each, and facts of the whole.

A split is a dict of arrays with one row an image: `images` (N, C, H, W) uint8 and others, which the data
set's module lists in FIELDS. Each lies in a file of its own, such as `train_images.npy`, and is mapped into
memory: no more of it is read than is looked at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data import arrays
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder

SPLITS = ("train", "validation", "test")
FACTS = "facts.json"
DAMAGES = (OSError, KeyError, ValueError, TypeError, EOFError, RuntimeError)

Arrays = dict[str, np.ndarray]  # by name, one row an image


@dataclass(frozen=True)
class DataSet:
    splits: Mapping[str, Arrays]
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON values
    left_out: list[str] = field(default_factory=list)  # "file: reason" of each raw file that is not in it
    said: list[str] = field(default_factory=list)  # what was found out about the files, a line each


def save(folder: Path, data: DataSet) -> None:
    """Write all but what is said of the files."""
    with new_folder(folder) as part:
        for split, rows in data.splits.items():
            save_split(part, split, rows)
        (part / FACTS).write_text(json.dumps(data.facts, indent=2, sort_keys=True) + "\n", "utf-8")


def load(folder: Path) -> DataSet:
    """A prepared data set; an InputError if the folder is missing, damaged, or holds something else."""
    try:
        facts = json.loads((folder / FACTS).read_text("utf-8"))
        splits = {split: load_split(folder, split) for split in SPLITS}
        if not isinstance(facts, dict):
            raise TypeError(f"{FACTS} holds no facts")
        return DataSet(splits, facts)
    except DAMAGES as error:
        advice = f"make it with: dvc repro prepare@{folder.name}"
        raise InputError(f"{folder}: not a prepared data set ({error}); {advice}") from error


def save_split(folder: Path, split: str, rows: Arrays) -> None:
    """A file an array; what is one already is not written again, see arrays.py."""
    for name, array in rows.items():
        arrays.save(folder / f"{split}_{name}.npy", array)


def load_split(folder: Path, split: str) -> Arrays:
    """The arrays of a split in a folder; a KeyError if it has no images, a ValueError if one is damaged."""
    paths = sorted(folder.glob(f"{split}_*.npy"))
    found: Arrays = {path.stem.removeprefix(f"{split}_"): arrays.load(path) for path in paths}
    if "images" not in found:
        raise KeyError(f"no {split}_images.npy")
    return found
