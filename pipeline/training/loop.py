"""The training loop, one for all kinds of model, and what every model's section of params.yaml says."""

from collections.abc import Callable
from typing import Protocol, Self

import torch
from pydantic import model_validator
from torch import Tensor

from pipeline import parallel
from pipeline.params import Count, Section, Seed

Scalars = dict[str, Tensor]  # what a step reports: names and scalars, detached


class Schedule(Section):
    num_steps: Count
    batch_size: Count  # images
    log_every: Count  # steps; the mean over these is one row of the history
    save_every: Count  # steps between checkpoints
    seed: Seed

    @property
    def together(self) -> int:
        """Images of a batch that one process must see together."""
        return 1

    @model_validator(mode="after")
    def _checkpoints_fall_on_history_rows(self) -> Self:
        if self.save_every % self.log_every:
            raise ValueError(
                f"save_every = {self.save_every} must be a multiple of log_every = {self.log_every}"
            )
        return self


class Stepper(Protocol):
    step: int  # steps done


class Recorder(Protocol):
    """What the loop tells as it goes."""

    def log(self, step: int, scalars: dict[str, float]) -> None: ...
    def picture(self, step: int) -> None: ...
    def save(self) -> None: ...


def fit(state: Stepper, train_step: Callable[[], Scalars], schedule: Schedule, recorder: Recorder) -> None:
    """Train from `state.step` to the schedule's end.

    Nothing stands between two steps: scalars are read, and checked, once every `log_every` steps.

    Raises:
        FloatingPointError: a scalar was not finite; the message names it and its step. Nothing is saved after
            that step.
    """
    pending: list[Scalars] = []
    while state.step < schedule.num_steps:
        pending.append(train_step())
        state.step += 1
        if state.step % schedule.log_every == 0 or state.step == schedule.num_steps:
            recorder.log(state.step, means(pending, state.step))
            pending.clear()
        recorder.picture(state.step)
        if state.step % schedule.save_every == 0:
            recorder.save()


def means(pending: list[Scalars], step: int) -> dict[str, float]:
    """The mean of each scalar over the pending steps, the last of which is number `step`.

    Raises:
        FloatingPointError: a value is not finite.
    """
    table = torch.stack(
        [torch.stack([scalar.float() for scalar in row.values()]) for row in pending]
    )  # (steps, scalars)
    table = parallel.average(table)
    names = list(pending[0])
    finite = table.isfinite()
    if not finite.all():
        row, column = (int(i) for i in (~finite).nonzero()[0])
        raise FloatingPointError(
            f"{names[column]} is {table[row, column].item()} at step {step - len(pending) + 1 + row}"
        )
    return dict(zip(names, table.double().mean(0).tolist(), strict=True))


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down the gradient of `loss`."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def triangle(step: int, num_steps: int, warmup: float = 0.2) -> float:
    """A factor for the learning rate: up from 0 to 1 over the first part of training, then down to 0."""
    progress = (step + 1) / (num_steps + 1)
    return min(progress / warmup, (1 - progress) / (1 - warmup))


def plateau(step: int, num_steps: int, decay_from: float) -> float:
    """A factor for the learning rate: 1, then from the share `decay_from` of the steps on in a line to 0."""
    if decay_from == 1:
        return 1.0
    return min(1.0, (1 - step / num_steps) / (1 - decay_from))


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
