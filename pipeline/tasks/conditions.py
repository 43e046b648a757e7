"""What a conditional model is told, one entry a task, all with one signature: labels (N,) -> condition (N,
K).

An unconditional model's condition has width K = 0, so that nothing downstream needs a special case.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.digits import NUM_CLASSES
from pipeline.runtime.errors import InputError


class Condition(NamedTuple):
    task: str  # its key in TASKS; "" for none
    width: int  # K
    encode: Callable[[Tensor], Tensor]  # labels (N,) -> (N, K)
    shares: Tensor | None = None  # (classes, M): frequencies of hidden clusters (clusters.py), part of K too
    shape: tuple[int, ...] | None = None  # of what is told, where that is no row of K numbers

    def blank(self, num: int) -> Tensor:
        """Conditions that say nothing, (num, K) or as `shape` has it."""
        return torch.zeros(num, *(self.shape or (self.width,)))


def no_condition(labels: Tensor) -> Tensor:
    return labels.new_empty(len(labels), 0).float()


def one_hot(labels: Tensor) -> Tensor:
    return F.one_hot(labels, NUM_CLASSES).float()


UNCONDITIONAL = Condition("", 0, no_condition)
TASKS = {"digit": Condition("digit", NUM_CLASSES, one_hot)}


def find(task: str) -> Condition:
    """The condition of a task; "" is none.

    Raises:
        InputError: there is no such task.
    """
    if task and task not in TASKS:
        raise InputError(f"task {task!r}: unknown; allowed are {', '.join(TASKS)}")
    return TASKS[task] if task else UNCONDITIONAL
