"""What is measured of a model while it trains."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from helpers.small_tasks import digits, drawings, written
from torch import Tensor, nn

from pipeline.methods.method import Training
from pipeline.metrics import frechet, modes, monitor, posterior
from pipeline.sampling.draw import draw
from pipeline.tasks import stacked


class Smears(nn.Module):
    """Images whose columns are mixtures of the latents, and of the mean condition."""

    num_noise = 0

    def __init__(self, channels: int = 1, size: int = 28, num_latents: int = 4) -> None:
        super().__init__()
        self.channels, self.size, self.num_latents = channels, size, num_latents

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        c = c.flatten(1).cumsum(1).mean(1, keepdim=True).repeat_interleave(len(z) // len(c), 0)
        rows = c.nan_to_num() + z.sum(1, keepdim=True) * torch.linspace(0, 6, self.size)  # (N, size)
        channels = [torch.sin(rows * (k + 1) + k)[:, None, None, :] for k in range(self.channels)]
        return torch.cat(channels, 1).expand(-1, -1, self.size, -1)


def training(sampler: nn.Module) -> Training:
    """A model of this averaged network."""
    return cast(Training, SimpleNamespace(ema=sampler, spec=SimpleNamespace(method="adversarial")))


@pytest.mark.parametrize("condition", ["none", "label"])
def test_the_fid_is_that_of_a_sample_for_each_validation_condition(condition: str, tmp_path: Path) -> None:
    task = written(tmp_path, condition, digits(200))
    watching = monitor.of_task(task)
    before = torch.get_rng_state()
    found = watching.measure(training(Smears()))
    assert torch.equal(torch.get_rng_state(), before), "measuring drew from the global source"
    numbers = task.halves()[0]
    pixels = task.validation.images(numbers)[0]
    drawn = draw(Smears(), task.validation.conditions, numbers, 1, monitor.SEED)[:, 0]
    features = watching.extractor.features
    assert found.keys() == {"fid"}
    assert found["fid"] == pytest.approx(frechet.fid(features(drawn), features(pixels)), rel=1e-3)
    assert found["fid"] > 0


def test_of_images_for_conditions_error_and_of_some_spread_and_gain_are_measured_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "NUM_REPEATED", 16)
    task = written(tmp_path, "sketch", drawings(0, 40))
    sampler, c, numbers = Smears(3, 16), task.validation.conditions, task.halves()[0]
    truth = task.validation.images(numbers)[0]
    found = monitor.of_task(task).measure(training(sampler))
    once = draw(sampler, c, numbers, 1, monitor.SEED)
    some = torch.arange(16) * len(numbers) // 16  # evenly spread
    drawn = draw(sampler, c, numbers[some], 8, monitor.SEED)
    assert found.keys() == {"fid", "mse", "apsd", "gain_8"}
    assert found["mse"] == pytest.approx(posterior.errors(once, truth)["sample_mse"])
    assert found["apsd"] == pytest.approx(posterior.spread(drawn))
    assert found["gain_8"] == pytest.approx(posterior.gains(drawn, truth[some])[8])
    assert found["apsd"] > 0
    assert monitor.of_task(task).measure(training(Smears(3, 16, 0))).keys() == {"fid", "mse"}


def test_no_more_samples_are_drawn_than_a_monitor_can_afford(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "NUM_SAMPLES", 40)
    task = written(tmp_path, "none", digits(200))
    watching = monitor.of_task(task)
    numbers = task.halves()[0]
    drawn = draw(Smears(), task.validation.conditions, numbers[:40], 1, monitor.SEED)[:, 0]
    real = watching.extractor.features(task.validation.images(numbers)[0])
    few = frechet.statistics(watching.extractor.features(drawn))
    expected = frechet.distance(few, frechet.statistics(real))
    assert watching.measure(training(Smears()))["fid"] == pytest.approx(expected, rel=1e-6)


def test_of_stacked_digits_modes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "NUM_HELD_OUT", 60)
    task = written(tmp_path, "none", digits(), num_stacks=60)
    watching = monitor.of_task(task)
    drawn = draw(Smears(3), task.validation.conditions, task.halves()[0], 1, monitor.SEED)[:, 0]
    predicted = torch.stack([watching.extractor.classes(drawn[:, k : k + 1]) for k in range(3)], 1)
    assert watching.measure(training(Smears(3))) == {"modes": len(modes.mode_counts(predicted))}


@pytest.mark.parametrize("condition", ["label", "sketch"])
def test_a_snapshot_has_a_condition_in_each_column_with_its_draws(condition: str, tmp_path: Path) -> None:
    """The condition is all that a sampler without latents knows."""
    of_digits = condition == "label"
    task = written(tmp_path, condition, digits() if of_digits else drawings(0, 40))
    size = task.x_shape[0], task.x_shape[1]
    images = monitor.of_task(task).snapshot(training(Smears(*size, 0)))["images"]
    numbers = task.halves()[0]
    c = (
        torch.eye(10)
        if of_digits
        else task.validation.conditions(numbers[torch.arange(10) * len(numbers) // 10])
    )
    expected = draw(Smears(*size, 0), c.__getitem__, torch.arange(10), 1, 0)[:, 0]
    assert torch.equal(images, expected.repeat(5, 1, 1, 1))
    assert len(expected.unique(dim=0)) == 10
    rows = monitor.of_task(task).snapshot(training(Smears(*size)))["images"]
    assert len(rows.unique(dim=0)) == 50


def test_of_many_images_as_many_are_watched_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = written(tmp_path, "label", digits(200))
    whole = monitor.of_task(task)
    monkeypatch.setattr(monitor, "MOST_BYTES", 30 * 28 * 28)
    some = monitor.of_task(task)
    assert torch.equal(some.numbers, whole.numbers[:30])
    assert torch.equal(some.targets, whole.targets[:30])
