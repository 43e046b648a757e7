"""A task: a question put to a data set. Pairs of a condition c and a target x of all splits, and facts about
them; from here on nobody knows which data set it was.

Arrays lie uncompressed in the task's folder and are mapped into memory; what is a cheap function of the
stored rows is made when a batch is.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from pipeline.data.images import as_rgb, to_float
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.runtime.randomness import permutation
from pipeline.tasks import question as questions
from pipeline.tasks.question import Question, Rows, Settings

FEATURES = "features.safetensors"  # the data set's own feature network
HALVES = "halves of the validation split"  # purpose of random numbers


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
    """Examples of a prepared task."""

    arrays: Mapping[str, Tensor]  # by name, most of them with a row an example
    pair: Callable[[Rows], tuple[Tensor, Tensor]]  # of the question
    num: int
    mirrored: bool = False  # all are followed by their horizontal flips; captions stay
    max_shift: int = 0  # all these are followed by themselves moved by up to so many pixels along each side

    def __len__(self) -> int:
        return self.num * (2 if self.mirrored else 1) * (2 * self.max_shift + 1) ** 2

    def images(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Target (n, C, H, W) uint8 and condition: (n, K, H, W) uint8 where it is an image."""
        variants, indices = indices // self.num, indices % self.num
        flipped = variants % 2 == 1
        if self.mirrored:
            variants = variants // 2
        x, c = self.pair(Rows(self.arrays, indices, self.moves(variants)))
        if self.mirrored and flipped.any():
            chosen = flipped.to(x.device).view(-1, 1, 1, 1)
            x = torch.where(chosen, x.flip(3), x)
            c = torch.where(chosen, c.flip(3), c) if c.ndim == 4 else c
        return x, c

    def moves(self, variants: Tensor) -> Tensor | None:
        """By how many pixels each is moved down and to the right, (n, 2); number 0 is not."""
        if not self.max_shift:
            return None
        side = 2 * self.max_shift + 1
        places = (variants + side**2 // 2) % side**2
        return torch.stack([places // side, places % side], 1) - self.max_shift

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        x, c = self.images(indices)
        return to_float(x), encoded(c)

    def conditions(self, indices: Tensor) -> Tensor:
        """c alone."""
        return encoded(self.images(indices)[1])

    def to(self, device: torch.device) -> "Stored":
        return replace(self, arrays={name: array.to(device) for name, array in self.arrays.items()})

    def augmented(self, mirror: bool, max_shift: int) -> "Stored":
        """More of them: with horizontal flips, and moved by up to `max_shift` pixels along each side. What is
        made of an image moves with it; captions stay.
        """
        return replace(self, mirrored=mirror, max_shift=max_shift)


def encoded(c: Tensor) -> Tensor:
    """A condition as networks take it: an image in [-1, 1], else as it is."""
    return to_float(c) if c.dtype == torch.uint8 else c


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
        files = sorted(self.folder.iterdir())
        return hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()

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
        splits = {split: stored(folder, split, question) for split in SPLITS}
        return of_splits(folder.name, described["condition"], splits, described["facts"], folder)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        advice = f"make it with: dvc repro task@{folder.name}"
        raise InputError(f"{folder}: not a task ({error}); {advice}") from error


def in_memory(name: str, condition: str, data: DataSet) -> Task:
    """The question of this name, put to a data set that is in memory."""
    question, settings = questions.load(condition), Settings(data=name, condition=condition)
    splits = {}
    for split, rows in data.splits.items():
        arrays = question.arrays(rows, split, settings).items()
        tensors = {key: torch.from_numpy(array) for key, array in arrays if array.dtype.kind in "ui"}
        splits[split] = Stored(tensors, question.pair, len(tensors["images"]))
    return of_splits(name, condition, splits, dict(data.facts) | question.facts(data), None)


def of_splits(
    name: str, condition: str, splits: Mapping[str, Stored], facts: Mapping[str, Any], folder: Path | None
) -> Task:
    """The task of these examples."""
    x, c = splits["test"].images(torch.zeros(1, dtype=torch.long))
    kind, num_conditions = questions.load(condition).kind, facts.get("num_conditions", c.shape[1])
    shapes = tuple(x.shape[1:]), tuple(c.shape[1:])
    return Task(name, condition, kind, *shapes, num_conditions, splits["train"], facts, splits, folder)


def stored(folder: Path, split: str, question: Question) -> Stored:
    """A split of a task's folder, mapped into memory."""
    arrays = {}
    for path in sorted(folder.glob(f"{split}_*.npy")):
        array = np.load(path, mmap_mode="c", allow_pickle=False)  # "c": PyTorch wants what may be written to
        if array.dtype.kind in "ui":
            arrays[path.stem.removeprefix(f"{split}_")] = torch.from_numpy(array)
    return Stored(arrays, question.pair, len(arrays.get("stacks", arrays["images"])))
