"""The training loop, one for all kinds of model."""

from collections.abc import Callable
from typing import Protocol

import torch

from pipeline.methods.schedule import Scalars, Schedule
from pipeline.runtime import distributed as parallel


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
