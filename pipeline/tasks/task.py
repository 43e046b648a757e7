"""A task: a question put to a data set. Pairs of a condition c and a target x of all splits, and facts about
them; from here on nobody knows which data set it was.

A question is a module of this room with the name that `tasks:` in params.yaml gives it, and with

    KIND                    what its conditions are, one of KINDS
    NEEDS                   the fields of a data set that it is made of
    arrays(split) -> dict   what is stored of a split: `images`, and what the conditions are made of
    pair(rows) -> (x, c)    of stored rows, target (N, C, H, W) uint8 and condition
    facts(data) -> dict     JSON values; `num_conditions` is K where the conditions' shape does not say it

Arrays lie uncompressed in the task's folder and are mapped into memory; what is a cheap function of the
stored rows is made when a batch is.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self, cast

import numpy as np
import torch
from pydantic import model_validator
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.data.prepared import SPLITS, Arrays, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.runtime.params import NotNegativeCount, Section, Seed

KINDS = ("none", "class", "image", "words")  # of conditions; points and numbers are made in memory
ABOUT = ("labels", "bases", "tones", "captions")  # small fields that every task keeps, where the set has them
FEATURES = "features.safetensors"  # the data set's own feature network


class Settings(Section):
    data: str  # the data set: digits | drawings
    condition: str  # the module of this room that says what is given of x
    num_stacks: NotNegativeCount = 0  # targets of three random digits as channels, so many; 0: as they are
    seed: Seed = 0  # of the stacks

    @property
    def module(self) -> str:
        """The question's module in this room."""
        return "stacked" if self.num_stacks else self.condition

    @model_validator(mode="after")
    def _stacks_have_no_condition(self) -> Self:
        if self.num_stacks and (self.condition != "none" or self.data != "digits"):
            raise ValueError("num_stacks stacks digits without a condition: allowed with it are digits, none")
        return self


class Rows(dict[str, Tensor]):
    """Rows of stored arrays, taken when asked for; `whole` are the arrays."""

    def __init__(self, arrays: Mapping[str, Tensor], indices: Tensor) -> None:
        self.whole, self.indices = arrays, indices

    def __missing__(self, name: str) -> Tensor:
        array = self.whole[name]
        return array[self.indices.to(array.device)]


class Question(Protocol):
    """A module of this room; see above."""

    KIND: str
    NEEDS: tuple[str, ...]

    def arrays(self, split: Arrays) -> Arrays: ...
    def pair(self, rows: Rows) -> tuple[Tensor, Tensor]: ...
    def facts(self, data: DataSet) -> dict[str, Any]: ...


class Examples(Protocol):
    """What a network learns from: targets and encoded conditions, by number."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """x (n, C, H, W) in [-1, 1], and c as networks take it; both on the examples' device."""

    def to(self, device: torch.device) -> Self:
        """The same on this device."""


@dataclass(frozen=True)
class InMemory:
    """Examples that are tensors already: x (N, ...), c (N, ...)."""

    x: Tensor
    c: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        indices = indices.to(self.x.device)
        return self.x[indices], self.c[indices]

    def to(self, device: torch.device) -> "InMemory":
        return InMemory(self.x.to(device), self.c.to(device))


@dataclass(frozen=True)
class Stored:
    """Examples of a prepared task.

    Args:
        arrays: by name, most of them with a row an example.
        pair: of the question.
        num: how many examples there are.
        mirrored: each is followed, N places on, by its horizontal flip; captions stay.
    """

    arrays: Mapping[str, Tensor]
    pair: Callable[["Rows"], tuple[Tensor, Tensor]]
    num: int
    mirrored: bool = False

    def __len__(self) -> int:
        return self.num * (2 if self.mirrored else 1)

    def images(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Target (n, C, H, W) uint8 and condition: (n, K, H, W) uint8 where it is an image."""
        flipped = indices >= self.num
        x, c = self.pair(Rows(self.arrays, indices % self.num))
        if self.mirrored and flipped.any():
            chosen = flipped.to(x.device).view(-1, 1, 1, 1)
            x = torch.where(chosen, x.flip(3), x)
            c = torch.where(chosen, c.flip(3), c) if c.ndim == 4 else c
        return x, c

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        x, c = self.images(indices)
        return to_float(x), to_float(c) if c.dtype == torch.uint8 else c

    def conditions(self, indices: Tensor) -> Tensor:
        """c alone."""
        c = self.images(indices)[1]
        return to_float(c) if c.dtype == torch.uint8 else c

    def to(self, device: torch.device) -> "Stored":
        return replace(self, arrays={name: array.to(device) for name, array in self.arrays.items()})

    def with_flips(self) -> "Stored":
        """Random horizontal flips: the pairs, then their flips; captions unchanged."""
        return replace(self, mirrored=True)


@dataclass(frozen=True)
class Task:
    """What is asked, and of which examples."""

    name: str
    condition: str  # the question's module
    kind: str  # of the condition: a member of KINDS, or points, numbers
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
        files = sorted(self.folder.iterdir())
        return hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()

    @property
    def validation(self) -> Stored:
        return self.splits["validation"]

    @property
    def test(self) -> Stored:
        return self.splits["test"]

    def about(self, split: str, name: str) -> np.ndarray | None:
        """A field of ABOUT, one entry an example; None where the data set does not have it."""
        assert self.folder is not None
        path = self.folder / f"{split}_{name}.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None

    def blank(self, num: int) -> Tensor:
        """Conditions that say nothing."""
        return torch.zeros(num, *self.condition_shape)


def load_module(name: str) -> Question:
    """The question of this name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if name not in (allowed := available()):
        raise InputError(f"condition = {name!r}: allowed are {', '.join(allowed)}")
    return cast(Question, import_module(f"pipeline.tasks.{name}"))


def available() -> list[str]:
    """The questions of this room, by name: its modules that have a KIND."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if "\nKIND = " in file.read_text()]


def kept(split: Arrays, *names: str, rows: np.ndarray | None = None) -> Arrays:
    """These fields of a split and the small ones that every task keeps; of all rows or of some."""
    fields = {name: split[name] for name in (*names, *ABOUT) if name in split}
    return fields if rows is None else {name: array[rows] for name, array in fields.items()}


def load(folder: Path) -> Task:
    """The task of a folder that `make.task` made.

    Raises:
        InputError: it is not that.
    """
    try:
        described = json.loads((folder / "task.json").read_text())
        question = load_module(described["condition"])
        splits = {split: stored(folder, split, question) for split in SPLITS}
        return of_splits(folder.name, described["condition"], splits, described["facts"], folder)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        advice = f"make it with: dvc repro task@{folder.name}"
        raise InputError(f"{folder}: not a task ({error}); {advice}") from error


def in_memory(name: str, condition: str, data: DataSet) -> Task:
    """The question of this name, put to a data set that is in memory."""
    question = load_module(condition)
    splits = {}
    for split, rows in data.splits.items():
        found = {key: array for key, array in question.arrays(rows).items() if array.dtype.kind in "ui"}
        tensors = {key: torch.from_numpy(array) for key, array in found.items()}
        splits[split] = Stored(tensors, question.pair, len(found["images"]))
    return of_splits(name, condition, splits, dict(data.facts) | question.facts(data))


def of_splits(
    name: str,
    condition: str,
    splits: Mapping[str, Stored],
    facts: Mapping[str, Any],
    folder: Path | None = None,
) -> Task:
    """The task of these examples."""
    x, c = splits["test"].images(torch.zeros(1, dtype=torch.long))
    return Task(
        name,
        condition,
        load_module(condition).KIND,
        tuple(x.shape[1:]),
        tuple(c.shape[1:]),
        facts.get("num_conditions", c.shape[1]),
        splits["train"],
        facts,
        splits,
        folder,
    )


def stored(folder: Path, split: str, question: Question) -> Stored:
    """A split of a task's folder, mapped into memory."""
    arrays = {}
    for path in sorted(folder.glob(f"{split}_*.npy")):
        array = np.load(path, mmap_mode="c", allow_pickle=False)  # "c": PyTorch wants what may be written to
        if array.dtype.kind in "ui":
            arrays[path.stem.removeprefix(f"{split}_")] = torch.from_numpy(array)
    return Stored(arrays, question.pair, len(arrays.get("stacks", arrays["images"])))
