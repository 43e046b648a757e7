"""The judge's training."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline.data.digits import Pictures
from pipeline.data.images import to_float
from pipeline.methods import classification as classifier
from pipeline.tasks.conditions import UNCONDITIONAL
from pipeline.training import checkpoint

torch.set_num_threads(1)

SHAPE = (1, 28, 28)


def bars() -> Pictures:
    """Sixty images of three classes: a bright bar across at row 4, 13 or 22, on weak noise."""
    pixels = torch.randint(0, 40, (60, *SHAPE), generator=torch.Generator().manual_seed(0)).byte()
    labels = torch.arange(60) % 3
    for image, label in zip(pixels, labels.tolist(), strict=True):
        image[0, 4 + 9 * label : 6 + 9 * label] = 255
    return Pictures(pixels, labels)


def settings(**changes: Any) -> classifier.Params:
    numbers: dict[str, Any] = {
        "width": 2,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "max_shift": 2,
        "ema_halflife": 40.0,
        "batch_size": 20,
        "num_steps": 60,
        "log_every": 10,
        "save_every": 10,
        "seed": 0,
    }
    return classifier.Params(**(numbers | changes))


def advance(state: classifier.State, params: classifier.Params, num_steps: int) -> None:
    for _ in range(num_steps):
        classifier.train_step(state, bars(), params)
        state.step += 1


def test_it_learns_a_separable_set() -> None:
    params = settings()
    state = classifier.init_state(params, UNCONDITIONAL, SHAPE)
    assert share_read_rightly(state.average) < 0.5
    advance(state, params, params.num_steps)
    assert share_read_rightly(state.average) == 1.0


@torch.inference_mode()
def share_read_rightly(network: nn.Module) -> float:
    pictures = bars()
    return (network(to_float(pictures.pixels)).argmax(1) == pictures.labels).double().mean().item()


def test_a_step_reports_the_cross_entropy_and_accuracy_before_it() -> None:
    params = settings(max_shift=0, batch_size=60)
    state = classifier.init_state(params, UNCONDITIONAL, SHAPE)
    pictures = bars()
    with torch.no_grad():
        logits = state.classifier(to_float(pictures.pixels))
    expected = -F.log_softmax(logits, 1)[torch.arange(60), pictures.labels].mean()
    logged = classifier.train_step(state, pictures, params)
    assert logged["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert logged["accuracy"].item() == pytest.approx((logits.argmax(1) == pictures.labels).float().mean())


def test_a_batch_is_moved_by_every_shift_up_to_the_largest_and_no_further() -> None:
    params = settings(max_shift=1)
    pixels = torch.zeros(2, *SHAPE, dtype=torch.uint8)
    pixels[0, 0, 10, 10] = pixels[1, 0, 20, 5] = 255
    found = set()
    for step in range(100):
        moved = classifier.shifted(pixels, params, step)
        (_, _, row, column), (_, _, other_row, other_column) = moved.nonzero().tolist()
        found.add((row - 10, column - 10))
        assert (other_row - 20, other_column - 5) == (row - 10, column - 10)
    assert found == {(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}


def test_the_shift_is_a_function_of_the_step_alone() -> None:
    pixels, params = bars().pixels, settings()
    first = [classifier.shifted(pixels, params, step) for step in range(8)]
    torch.rand(3)
    again = [classifier.shifted(pixels, params, step) for step in reversed(range(8))]
    assert all(torch.equal(a, b) for a, b in zip(first, reversed(again), strict=True))
    assert any(not torch.equal(first[0], other) for other in first)


def test_without_shift_the_images_stay_where_they_are() -> None:
    pixels = bars().pixels
    assert all(torch.equal(classifier.shifted(pixels, settings(max_shift=0), s), pixels) for s in range(4))


def test_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    params = settings(num_steps=4, weight_decay=0.01)
    whole = classifier.init_state(params, UNCONDITIONAL, SHAPE)
    advance(whole, params, 4)
    killed = classifier.init_state(params, UNCONDITIONAL, SHAPE)
    advance(killed, params, 2)
    checkpoint.save(tmp_path, "mark", killed, {})
    resumed = classifier.init_state(params, UNCONDITIONAL, SHAPE)
    checkpoint.restore(tmp_path, "mark", resumed)
    advance(resumed, params, 2)

    for part in ("classifier", "average"):
        before, after, stopped = (getattr(s, part).state_dict() for s in (whole, resumed, killed))
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert any(not torch.equal(before[name], stopped[name]) for name in before)
