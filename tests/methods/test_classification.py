"""The training of the classifier in whose features digits are compared."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers.adversarial import advance, check_resuming, pixels, task_of
from torch import nn

from pipeline.data.images import to_float
from pipeline.methods import classification


def bars() -> torch.Tensor:
    """Sixty images of three classes: a bright bar across at row 4, 13 or 22, on weak noise."""
    images = pixels(60, 1, 28, 28) // 6
    for i, image in enumerate(images):
        image[0, 4 + 9 * (i % 3) : 6 + 9 * (i % 3)] = 255
    return to_float(images)


LABELS = torch.arange(60) % 3
TASK = task_of("class", bars(), F.one_hot(LABELS, 3).float())
X = TASK.train.batch(torch.arange(60))[0]
SMALL = {"width": 2, "learning_rate": 0.01, "ema_halflife": 40.0, "batch_size": 20}


def settings(**changes: Any) -> classification.Settings:
    schedule = {"num_steps": 60, "log_every": 10, "save_every": 10, "max_shift": 2}
    return classification.Settings(**(SMALL | schedule | changes))


def start(**changes: Any) -> classification.Classification:
    return classification.start(settings(**changes), TASK)


def test_it_learns_a_separable_set() -> None:
    training = start()
    assert accuracy(training.ema) < 0.5
    advance(training, TASK.train, 60)
    assert accuracy(training.ema) == 1.0


@torch.inference_mode()
def accuracy(network: nn.Module) -> float:
    return (network(X).argmax(1) == LABELS).double().mean().item()


def test_a_step_reports_the_cross_entropy_and_accuracy_before_it() -> None:
    training = start(max_shift=0, batch_size=60)
    with torch.no_grad():
        logits = training.network(X)
    expected = -F.log_softmax(logits, 1)[torch.arange(60), LABELS].mean()
    logged = training.step(TASK.train)
    assert logged["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert logged["accuracy"].item() == pytest.approx((logits.argmax(1) == LABELS).float().mean())


def test_a_batch_is_moved_by_every_shift_up_to_the_largest_and_no_further() -> None:
    images = torch.zeros(2, 1, 28, 28)
    images[0, 0, 10, 10] = images[1, 0, 20, 5] = 1
    found = set()
    for step in range(100):
        moved = classification.shifted(images, settings(max_shift=1), step)
        (_, _, row, column), (_, _, other_row, other_column) = moved.nonzero().tolist()
        found.add((row - 10, column - 10))
        assert (other_row - 20, other_column - 5) == (row - 10, column - 10)
    assert found == {(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
    unmoved = settings(max_shift=0)
    assert all(torch.equal(classification.shifted(images, unmoved, step), images) for step in range(4))


def test_the_shift_is_a_function_of_the_step_alone() -> None:
    first = [classification.shifted(X, settings(), step) for step in range(8)]
    torch.rand(3)
    again = [classification.shifted(X, settings(), step) for step in reversed(range(8))]
    assert all(torch.equal(a, b) for a, b in zip(first, reversed(again), strict=True))
    assert any(not torch.equal(first[0], other) for other in first)


def test_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    check_resuming(lambda: start(weight_decay=0.01), TASK.train, tmp_path)


def test_weight_decay_shrinks_the_weights_by_the_learning_rate_times_it() -> None:
    plain, decayed = start(), start(weight_decay=0.5)
    before = plain.network.linear.weight.detach().clone()
    for training in (plain, decayed):
        training.step(TASK.train)
    rate = plain.optimizer.param_groups[0]["lr"]
    expected = plain.network.linear.weight - rate * 0.5 * before
    assert torch.allclose(decayed.network.linear.weight, expected, atol=1e-7)
