"""The training loop, one for all methods."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import torch

from pipeline.methods.method import Scalars, Training
from pipeline.runtime import distributed
from pipeline.tasks.examples import Examples


class Recorder(Protocol):
    """What the loop tells as it goes."""

    def log(self, step: int, scalars: dict[str, float]) -> None: ...
    def snapshot(self, step: int) -> None: ...
    def save(self) -> None: ...


Autocast = Callable[[], AbstractContextManager[object]]  # the context of a step


def fit(training: Training, examples: Examples, autocast: Autocast, recorder: Recorder) -> None:
    """Train from `training.steps_done` to the end of its schedule.

    No host synchronisation between steps: scalars are read, and checked, once every `log_every` steps.

    Raises:
        FloatingPointError: a scalar was not finite; the message names it and its step. Nothing is saved after
            that step.
    """
    schedule, pending = training.settings, list[Scalars]()
    while training.steps_done < schedule.num_steps:
        with autocast():
            pending.append(training.step(examples))
        training.steps_done += 1
        if training.steps_done % schedule.log_every == 0 or training.steps_done == schedule.num_steps:
            recorder.log(training.steps_done, means(pending, training.steps_done))
            pending.clear()
        recorder.snapshot(training.steps_done)
        if training.steps_done % schedule.save_every == 0:
            recorder.save()


def means(pending: list[Scalars], step: int) -> dict[str, float]:
    """The mean of each scalar over the pending steps, up to `step`; a FloatingPointError if not finite."""
    names = list(pending[0])
    rows = [torch.stack([scalar.float() for scalar in row.values()]) for row in pending]
    table = distributed.average(torch.stack(rows))  # (steps, scalars)
    if bad := (~table.isfinite()).nonzero().tolist():
        row, column = bad[0]
        at = step - len(pending) + 1 + row
        raise FloatingPointError(f"{names[column]} is {table[row, column].item()} at step {at}")
    return dict(zip(names, table.double().mean(0).tolist(), strict=True))
