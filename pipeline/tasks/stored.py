"""Examples of a prepared task: rows of arrays that lie on disk, or in memory, and what is made of them for
each batch, as far as that is cheap.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.data.prepared import Arrays
from pipeline.runtime import compute
from pipeline.tasks.examples import taken
from pipeline.tasks.question import Question, Rows

SMALL = 2**26  # bytes of an array that is mapped and no more: the process holds what it looked at
MOST_ON_DEVICE = 2**32  # bytes: more stay on the processor's side, and go over batch by batch


@dataclass(frozen=True)
class Stored:
    """Examples of a prepared task."""

    arrays: Mapping[str, Tensor]  # by name, most of them with a row an example
    pair: Callable[[Rows], tuple[Tensor, Tensor]]  # of the question
    num: int
    files: Mapping[str, np.memmap] = field(default_factory=dict)  # those of the arrays that are read by rows
    mirrored: bool = False  # all are followed by their horizontal flips; captions stay
    max_shift: int = 0  # all these are followed by themselves moved by up to so many pixels along each side
    device: torch.device = compute.CPU  # of the batches

    take = taken

    def __len__(self) -> int:
        return self.num * (2 if self.mirrored else 1) * (2 * self.max_shift + 1) ** 2

    def images(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Target (n, C, H, W) uint8 and condition: (n, K, H, W) uint8 where it is an image."""
        variants, indices = indices // self.num, indices % self.num
        flipped = variants % 2 == 1
        if self.mirrored:
            variants = variants // 2
        x, c = self.pair(Rows(self.arrays, indices, self.moves(variants), self.files, self.device))
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
        """The same on this device: its arrays, or as they are many, the batches of them."""
        if sum(array.nbytes for array in self.arrays.values()) > MOST_ON_DEVICE:
            return replace(self, device=device)
        arrays = {name: array.to(device) for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, files=self.files if device.type == "cpu" else {}, device=device)

    def augmented(self, mirror: bool, max_shift: int) -> "Stored":
        """More of them: with horizontal flips, and moved by up to `max_shift` pixels along each side. What is
        made of an image moves with it; captions stay.
        """
        return replace(self, mirrored=mirror, max_shift=max_shift)


def encoded(c: Tensor) -> Tensor:
    """A condition as networks take it: an image in [-1, 1], else as it is."""
    return to_float(c) if c.dtype == torch.uint8 else c


def of_arrays(arrays: Arrays, question: Question) -> Stored:
    """Examples of the arrays of a split, those of numbers."""
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "ui"}
    with warnings.catch_warnings(
        category=UserWarning, action="ignore"
    ):  # PyTorch wants what can be written to
        tensors = {name: torch.from_numpy(array) for name, array in numbers.items()}
    large = {name: array for name, array in numbers.items() if array.nbytes > SMALL}
    files = {name: array for name, array in large.items() if isinstance(array, np.memmap)}
    return Stored(tensors, question.pair, len(arrays.get("stacks", arrays["images"])), files)
