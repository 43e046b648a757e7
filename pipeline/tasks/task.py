"""A task: a question put to a data set. Pairs of a condition c and a target x of all splits, and facts about
them; from here on nobody knows which data set it was.

Arrays lie uncompressed in the task's folder and are mapped into memory; see examples.py and stored.py.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.data.images import as_rgb
from pipeline.data.prepared import SPLITS, DataSet, load_split
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256_of_folder
from pipeline.runtime.randomness import permutation
from pipeline.tasks import question as questions
from pipeline.tasks.examples import Examples
from pipeline.tasks.question import Settings
from pipeline.tasks.stored import Stored, of_arrays

FEATURES = "features.safetensors"  # the data set's own feature network
HALVES = "halves of the validation split"  # purpose of random numbers


@dataclass(frozen=True)
class Task:
    """What is asked, and of which examples."""

    name: str
    condition: str  # the question's module
    kind: str  # of the condition: that of the question; points and numbers, which are made in memory
    x_shape: tuple[int, ...]  # (C, H, W)
    condition_shape: tuple[int, ...]  # (0,) for none, (K,), (K, H, W), or (L,) for words
    num_conditions: int  # K: numbers, channels, or words that are known
    train: Examples
    facts: Mapping[str, Any]
    splits: Mapping[str, Stored]  # empty for what is made in memory
    folder: Path | None = None

    @property
    def sha256(self) -> str:
        """The identity of all files of a prepared task."""
        assert self.folder is not None
        return sha256_of_folder(self.folder)

    def shown(self, images: Tensor) -> Tensor:
        """Targets (N, C, H, W) uint8 in RGB."""
        return as_rgb(images, self.facts.get("target_colours"))

    def shown_conditions(self, c: Tensor) -> Tensor:
        """Conditions that are images, (N, K, H, W) uint8, in RGB."""
        return as_rgb(c, self.facts.get("condition_colours"))

    @property
    def validation(self) -> Stored:
        return self.splits["validation"]

    @property
    def test(self) -> Stored:
        return self.splits["test"]

    def halves(self) -> tuple[Tensor, Tensor]:
        """The numbers of the validation examples in two halves by base drawing, where there are such: those
        that may steer trainings and choices, and those that steer nothing, for intervals to be calibrated by.
        """
        bases = self.about("validation", "bases")
        bases = np.arange(len(self.validation)) if bases is None else np.unique(bases, return_inverse=True)[1]
        order = permutation(int(bases.max()) + 1, 0, HALVES).numpy()
        steering = np.isin(bases, order[: (len(order) + 1) // 2])
        return torch.from_numpy(np.flatnonzero(steering)), torch.from_numpy(np.flatnonzero(~steering))

    def about(self, split: str, name: str) -> np.ndarray | None:
        """A field of ABOUT, one entry an example; None where the data set does not have it."""
        assert self.folder is not None
        path = self.folder / f"{split}_{name}.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None

    def blank(self, num: int) -> Tensor:
        """Conditions that say nothing."""
        return torch.zeros(num, *self.condition_shape)


def load(folder: Path) -> Task:
    """The task of a folder that `make.task` made; an InputError if it is not that."""
    try:
        described = json.loads((folder / "task.json").read_text("utf-8"))
        question = questions.load(described["condition"])
        splits = {split: of_arrays(load_split(folder, split), question) for split in SPLITS}
        return of_splits(folder.name, described["condition"], splits, described["facts"], folder)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        advice = f"make it with: dvc repro task@{folder.name}"
        raise InputError(f"{folder}: not a task ({error}); {advice}") from error


def in_memory(name: str, condition: str, data: DataSet) -> Task:
    """The question of this name, put to a data set as it is, without a folder of its own."""
    question, settings = questions.load(condition), Settings(data=name, condition=condition)
    splits = {
        split: of_arrays(question.arrays(rows, split, settings), question)
        for split, rows in data.splits.items()
    }
    return of_splits(name, condition, splits, dict(data.facts) | question.facts(data), None)


def of_splits(
    name: str, condition: str, splits: Mapping[str, Stored], facts: Mapping[str, Any], folder: Path | None
) -> Task:
    """The task of these examples."""
    x, c = splits["test"].images(torch.zeros(1, dtype=torch.long))
    kind, num_conditions = questions.load(condition).kind, facts.get("num_conditions", c.shape[1])
    shapes = tuple(x.shape[1:]), tuple(c.shape[1:])
    return Task(name, condition, kind, *shapes, num_conditions, splits["train"], facts, splits, folder)
