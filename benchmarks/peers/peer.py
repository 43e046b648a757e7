"""What a peer is: a program that trains a network, and how to find and use that network while it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

Names = Mapping[str, Any]  # a program's variables
State = dict[str, Tensor]  # weights


class Step(NamedTuple):
    """What a program tells between two steps."""

    names: Callable[[], Names]
    images: int  # of the training set that the step took; 0 before the first
    seconds: float = 0.0  # spent before the first step on what belongs to training


Tell = Callable[[Step], None]


class Place(NamedTuple):
    """Where a program finds what it needs, and how long it is asked to train."""

    clone: Path  # of its repository
    folder: Path  # of its own, to work in
    inputs: Path  # our data in others' formats; see inputs.py
    tasks: Path  # our tasks
    threads: int
    images: float  # that its schedule is to last for, about


class Run(Protocol):
    def __call__(self, place: Place, tell: Tell) -> None:
        """Train, telling of each step; returns only when the schedule has ended."""


@dataclass(frozen=True)
class Peer:
    """A program; without a repository, one of ours."""

    name: str
    setting: str  # what of the program is run
    run: Run
    task: str = ""  # of ours, in whose test split it is judged; none for what is only timed
    repository: str = ""  # on GitHub, owner/name
    commit: str = ""
    network: Callable[[Names], nn.Module] = lambda names: nn.Identity()  # which is kept
    evaluated: Callable[[Names], nn.Module] | None = None  # whose evaluations a sample costs; if not that one
    weights: Callable[[Names], State] | None = None  # of that network; its own if none is given
    draw: Callable[[Names, Tensor], Tensor] = lambda names, c: c  # of conditions (n, ...), x in [-1, 1]
    batch: int = 500  # drawn at once
    pixels: int = 0  # a side of its images; 0: those of the task
    num_samples: int = 0  # of an unconditional task
    scheduled: bool = False  # whether what it does depends on how long it is to train
    precision: str = "fp32"  # nothing: that in which stages train on this machine

    @property
    def state(self) -> Callable[[Names], State]:
        return self.weights or (lambda names: self.network(names).state_dict())

    def counted(self, names: Names) -> nn.Module:
        """The network whose evaluations a sample costs."""
        return (self.evaluated or self.network)(names)
