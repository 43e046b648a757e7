"""Regression finds the average of all plausible answers."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.data.digits import Pictures
from pipeline.data.images import to_float
from pipeline.methods import regression
from pipeline.metrics import classes
from pipeline.tasks.conditions import TASKS
from pipeline.training import checkpoint

torch.set_num_threads(1)

DIGIT = TASKS["digit"]
SHAPE = (1, 6, 6)
# Every pixel is black or white, white with a chance that class and pixel decide: only the means are grey.
CHANCES = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2
LABELS = torch.arange(64) % 4
PIXELS = torch.bernoulli(CHANCES[LABELS], generator=torch.Generator().manual_seed(1)).byte() * 255
PICTURES = Pictures(PIXELS, LABELS)


def settings(**changes: Any) -> regression.Params:
    numbers: dict[str, Any] = {
        "network": "mlp",
        "width": 16,
        "learning_rate": 0.02,
        "ema_halflife": 64.0,
        "batch_size": 64,
        "num_steps": 300,
        "log_every": 100,
        "save_every": 100,
        "num_snapshots": 1,
        "fid_every": 100,
        "seed": 0,
    }
    return regression.Params(**(numbers | changes))


def advance(state: regression.State, params: regression.Params, num_steps: int) -> None:
    for _ in range(num_steps):
        regression.train_step(state, PICTURES, params)
        state.step += 1


def test_regression_reaches_the_class_means_which_are_like_no_image_of_the_class() -> None:
    params = settings()
    state = regression.init_state(params, DIGIT, SHAPE)
    advance(state, params, params.num_steps)
    means = classes.means(PICTURES.pixels, PICTURES.labels)[:4]
    with torch.no_grad():
        x = state.average(torch.empty(4, 0), DIGIT.encode(torch.arange(4)))
    answers = (x.double() + 1) / 2

    assert (answers - means).square().mean().item() < 1e-4
    real = PICTURES.pixels.double() / 255
    nearest = (real - answers[PICTURES.labels]).square().flatten(1).mean(1).min()
    assert nearest > 0.05
    assert ((answers > 0.1) & (answers < 0.9)).double().mean() > 0.9  # the data have no such pixel


def test_the_generator_of_a_regression_has_latents_of_width_0() -> None:
    state = regression.init_state(settings(), DIGIT, SHAPE)
    assert state.generator.layers[0].in_features == DIGIT.width


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
def test_the_reported_loss_is_the_mean_squared_error_before_the_step(network: str) -> None:
    shape = (1, 8, 8)
    pixels = torch.randint(0, 256, (64, *shape), generator=torch.Generator().manual_seed(2)).byte()
    params = settings(network=network)
    state = regression.init_state(params, DIGIT, shape)
    with torch.no_grad():
        answers = state.generator(torch.empty(64, 0), DIGIT.encode(LABELS))
    expected = (answers - to_float(pixels)).square().sum().item() / (64 * 64)
    logged = regression.train_step(state, Pictures(pixels, LABELS), params)
    assert logged["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_the_learning_rate_rises_for_a_fifth_of_the_training_and_falls_to_almost_nothing() -> None:
    params = settings(num_steps=99, learning_rate=0.01)
    state = regression.init_state(params, DIGIT, SHAPE)
    rates = []
    for _ in range(99):
        advance(state, params, 1)
        rates.append(state.optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(0.01 * 0.01 / 0.2)
    assert rates[19] == max(rates) == pytest.approx(0.01)
    assert rates[59] == pytest.approx(0.01 * 0.4 / 0.8)
    assert rates[98] == pytest.approx(0.01 * 0.01 / 0.8)


def test_a_resumed_regression_ends_with_the_tensors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    params = settings(num_steps=6, batch_size=16)
    whole = regression.init_state(params, DIGIT, SHAPE)
    advance(whole, params, 6)
    killed = regression.init_state(params, DIGIT, SHAPE)
    advance(killed, params, 3)
    checkpoint.save(tmp_path, "mark", killed, {})
    resumed = regression.init_state(params, DIGIT, SHAPE)
    checkpoint.restore(tmp_path, "mark", resumed)
    advance(resumed, params, 3)

    for part in ("generator", "average"):
        before, after, stopped = (getattr(s, part).state_dict() for s in (whole, resumed, killed))
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert not any(torch.equal(before[name], stopped[name]) for name in before)
