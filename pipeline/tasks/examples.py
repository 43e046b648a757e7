"""What a network learns from: examples, taken batch by batch, the next one in a thread while a step works."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

import torch
from torch import Tensor

from pipeline.runtime import distributed, randomness


class Batch(NamedTuple):
    chosen: Tensor  # (n,) the numbers of its examples
    x: Tensor  # (n, C, H, W) in [-1, 1]
    c: Tensor  # as networks take it


class Examples(Protocol):
    """Targets and encoded conditions, by number."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """x (n, C, H, W) in [-1, 1], and c as networks take it; both on the examples' device."""

    def take(self, size: int, seed: int, index: int) -> Batch:
        """This process's share of batch number `index` of this size."""

    def to(self, device: torch.device) -> Self:
        """The same on this device."""


def taken(examples: Examples, size: int, seed: int, index: int) -> Batch:
    """The same of any examples; of a training by several processes, each reads its own rows alone."""
    chosen = distributed.shard(randomness.batch_indices(len(examples), size, seed, index))
    return Batch(chosen, *examples.batch(chosen))


@dataclass(frozen=True)
class InMemory:
    """Examples that are tensors already: x (N, ...), c (N, ...)."""

    x: Tensor
    c: Tensor

    take = taken

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        indices = indices.to(self.x.device)
        return self.x[indices], self.c[indices]

    def to(self, device: torch.device) -> "InMemory":
        return InMemory(self.x.to(device), self.c.to(device))


@dataclass
class ReadAhead:
    """Examples of which the batch after each that is taken is read by a thread; a context manager, at whose
    end the thread is gone. What it raises, the step raises that takes the batch.
    """

    examples: Examples
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    waiting: dict[tuple[int, int, int], Future[Batch]] = field(default_factory=dict)  # by what is taken

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        return len(self.examples)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        return self.examples.batch(indices)

    def take(self, size: int, seed: int, index: int) -> Batch:
        waiting = self.waiting.pop((size, seed, index), None)
        found = waiting.result() if waiting else self.examples.take(size, seed, index)
        self.waiting[size, seed, index + 1] = self.pool.submit(self.examples.take, size, seed, index + 1)
        return found

    def to(self, device: torch.device) -> "ReadAhead":
        return ReadAhead(self.examples.to(device), self.pool)
