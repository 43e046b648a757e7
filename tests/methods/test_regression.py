"""Regression finds the average of all plausible answers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adversarial import TASKS, advance, check_resuming, differing, learned, task_of
from torch import Tensor

from pipeline.methods import regression

# Every pixel is black or white, white with a chance that class and pixel decide: only the means are grey.
CHANCES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2
LABELS = torch.arange(64) % 4
X = torch.bernoulli(CHANCES[LABELS], generator=torch.Generator().manual_seed(1)) * 2 - 1
TASK = task_of("class", X, torch.eye(4)[LABELS])
SMALL = {"width": 16, "learning_rate": 0.02, "ema_halflife": 64.0, "batch_size": 64, "num_steps": 300}


def start(**changes: Any) -> regression.Regression:
    numbers = {"network": "mlp", "log_every": 50, "save_every": 100, "monitor_every": 100}
    return regression.start(regression.Settings(**(numbers | SMALL | changes)), TASK)


def answer(training: regression.Regression, c: Tensor) -> Tensor:
    with torch.no_grad():
        return training.ema(torch.empty(len(c), 0), c)


def test_regression_reaches_the_class_means_which_are_like_no_image_of_the_class() -> None:
    training = start()
    advance(training, TASK.train, 300)
    means = torch.stack([X[k == LABELS].mean(0) for k in range(4)])
    answers = answer(training, torch.eye(4))
    assert (answers - means).square().mean().item() < 4e-4
    assert (X - answers[LABELS]).square().flatten(1).mean(1).min() > 0.2
    assert (answers.abs() < 0.8).double().mean() > 0.9  # the data have no such pixel


@pytest.mark.parametrize("kind", ["image", "words", "numbers"])
def test_the_optimum_is_the_mean_whatever_the_kind_of_condition(kind: str) -> None:
    """One condition, a quarter of whose answers is -1 and the rest 1."""
    of_kind = TASKS[kind]
    x = torch.tensor([-1.0, 1, 1, 1]).repeat(8).view(32, *[1] * len(of_kind.x_shape))
    c = of_kind.train.batch(torch.zeros(32).long())[1]
    task = task_of(kind, x.expand(32, *of_kind.x_shape).contiguous(), c, of_kind.num_conditions)
    schedule = {"num_steps": 150, "batch_size": 8, "log_every": 50, "save_every": 50, "monitor_every": 50}
    numbers = {"width": 4, "learning_rate": 0.02, "ema_halflife": 8.0}
    training = regression.start(regression.SETTINGS[kind](**schedule, **numbers), task)
    advance(training, task.train, 150)
    assert answer(training, c[:1]).mean().item() == pytest.approx(0.5, abs=0.1)


def test_the_generator_of_a_regression_has_latents_of_width_0() -> None:
    training = start()
    assert training.network.layers[0].in_features == 4
    assert (training.spec.num_latents, training.spec.method) == (0, "regression")
    numbers = {"parameters": 5 * 64 + 65 * 64 + 65 * 64, "flops": 2 * (4 * 64 + 64 * 64 + 64 * 64)}
    assert training.sizes() == numbers


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
def test_the_reported_loss_is_the_mean_squared_error_before_the_step(network: str) -> None:
    training = start(network=network)
    with torch.no_grad():
        answers = training.network(torch.empty(64, 0), torch.eye(4)[LABELS])
    expected = (answers - X).square().sum().item() / (64 * 64)
    assert training.step(TASK.train)["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_the_learning_rate_rises_for_a_fifth_of_the_training_and_falls_to_almost_nothing() -> None:
    training = start(num_steps=99, learning_rate=0.01)
    rates = []
    for _ in range(99):
        advance(training, TASK.train, 1)
        rates.append(training.optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(0.01 * 0.01 / 0.2)
    assert rates[19] == max(rates) == pytest.approx(0.01)
    assert rates[59] == pytest.approx(0.01 * 0.4 / 0.8)
    assert rates[98] == pytest.approx(0.01 * 0.01 / 0.8)


def test_without_weight_decay_the_optimizer_makes_adams_steps_to_the_bit() -> None:
    ours, adams = start(), start()
    adams.optimizer = torch.optim.Adam(adams.network.parameters(), fused=True)
    for training in (ours, adams):
        advance(training, TASK.train, 5)
    assert not differing(learned(ours.network), learned(adams.network))


def test_a_resumed_regression_ends_with_the_tensors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    check_resuming(lambda: start(num_steps=6, batch_size=16), TASK.train, tmp_path)
