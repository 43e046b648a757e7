"""The training loop: when it logs, saves and stops."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from pipeline.methods import optimisation
from pipeline.methods.method import Scalars
from pipeline.methods.schedule import Schedule
from pipeline.tasks.examples import InMemory
from pipeline.training.loop import fit, means

EXAMPLES = InMemory(torch.zeros(1, 1), torch.zeros(1, 0))


class Diary:
    """Writes down what the loop tells."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def log(self, step: int, scalars: dict[str, float]) -> None:
        self.lines.append(("log", step, scalars["loss"]))

    def snapshot(self, step: int) -> None:
        self.lines.append(("snapshot", step))

    def save(self) -> None:
        self.lines.append(("save",))

    def of(self, kind: str) -> list[tuple[object, ...]]:
        return [line[1:] for line in self.lines if line[0] == kind]


@dataclass
class Counting:
    """A training whose loss is a function of the step's number, the first being 1."""

    settings: Schedule
    loss: Callable[[int], float] = float
    steps_done: int = 0

    def step(self, examples: InMemory) -> Scalars:
        assert examples is EXAMPLES
        return {"other": torch.zeros(()), "loss": torch.tensor(self.loss(self.steps_done + 1))}


def schedule(num_steps: int, log_every: int, save_every: int) -> Schedule:
    numbers = {"num_steps": num_steps, "log_every": log_every, "save_every": save_every}
    return Schedule(batch_size=1, learning_rate=1.0, ema_halflife=0.0, **numbers)


def run(training: Any) -> Diary:
    diary = Diary()
    fit(training, EXAMPLES, nullcontext, diary)
    return diary


def test_the_mean_of_each_scalar_is_taken_over_the_pending_steps() -> None:
    pending = [
        {"a": torch.tensor(1.0), "b": torch.tensor(-2.0)},
        {"a": torch.tensor(2.0), "b": torch.tensor(0.0)},
        {"a": torch.tensor(6.0), "b": torch.tensor(1.0, dtype=torch.bfloat16)},
    ]
    assert means(pending, 3) == pytest.approx({"a": 3.0, "b": -1 / 3})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_scalar_that_is_not_finite_is_named_with_its_step(bad: float) -> None:
    fine = {"a": torch.tensor(1.0), "b": torch.tensor(1.0)}
    pending = [fine, fine, fine | {"b": torch.tensor(bad)}, fine | {"a": torch.tensor(bad)}]
    with pytest.raises(FloatingPointError, match=rf"^b is {bad} at step 19$"):
        means(pending, 20)


def test_the_loop_stops_at_the_last_step_and_logs_the_interval_it_did_not_finish() -> None:
    training = Counting(schedule(7, 3, 3))
    diary = run(training)
    assert training.steps_done == 7
    assert diary.of("log") == [(3, 2.0), (6, 5.0), (7, 7.0)]
    assert diary.of("snapshot") == [(step,) for step in range(1, 8)]


def test_a_checkpoint_comes_after_the_row_and_the_snapshot_of_its_step() -> None:
    diary = run(Counting(schedule(5, 2, 4)))
    at = diary.lines.index(("save",))
    assert diary.lines[at - 2 : at] == [("log", 4, 3.5), ("snapshot", 4)]
    assert diary.of("save") == [()]


def test_a_loop_that_starts_in_the_middle_does_only_what_is_left() -> None:
    assert run(Counting(schedule(6, 2, 2), steps_done=4)).of("log") == [(6, 5.5)]
    assert run(Counting(schedule(6, 2, 2), steps_done=6)).lines == []


def test_nothing_is_logged_or_saved_after_a_step_that_diverged() -> None:
    training = Counting(schedule(12, 2, 4), lambda step: math.nan if step == 5 else 1.0)
    diary = Diary()
    with pytest.raises(FloatingPointError, match=r"^loss is nan at step 5$"):
        fit(training, EXAMPLES, nullcontext, diary)
    assert diary.of("log") == [(2, 1.0), (4, 1.0)]
    assert diary.of("save") == [()]
    assert training.steps_done == 6  # the end of the interval in which it happened


def test_descend_follows_the_gradient_of_this_loss_alone() -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = torch.optim.SGD([weight], 9.0)
    for _ in range(2):
        optimisation.descend(optimizer, weight.square().sum(), 0.1)
    assert weight.item() == pytest.approx(3.0 * 0.8 * 0.8)  # w - 0.1 * 2 w, twice


def test_the_learning_rate_is_set_for_all_groups() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [parameter]} for parameter in parameters], 0.1)
    optimisation.descend(optimizer, parameters[0] + parameters[1], 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


def test_the_rate_rises_over_the_warmup_and_falls_in_a_line_to_zero_at_the_end() -> None:
    factors = [optimisation.warmup_linear_decay(step, 9, warmup=0.5) for step in range(9)]
    assert factors == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 0.8, 0.6, 0.4, 0.2])
    assert [optimisation.warmup_linear_decay(step, 99) for step in (9, 19, 59, 99)] == pytest.approx(
        [0.5, 1, 0.5, 0]
    )


def test_the_rate_stays_at_one_and_then_falls_to_zero_in_a_line() -> None:
    factors = [optimisation.constant_then_linear(step, 100, 0.5) for step in (0, 49, 50, 75, 99, 100)]
    assert factors == pytest.approx([1, 1, 1, 0.5, 0.02, 0])
    assert [optimisation.constant_then_linear(step, 100, 1.0) for step in (0, 99)] == [1, 1]
