"""What is put together of the tests, of images and of digits by class."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.pair_files import prepared, save
from helpers.small_tasks import digits, drawings, written
from torch import Tensor, nn

from pipeline.data.images import to_float
from pipeline.metrics import evidence, expected, reference
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.runtime import compute
from pipeline.sampling.draw import draw

SETTINGS = Settings(num_samples=40, num_draws=4, kid_subset_size=20)
CURVES = {"gains", "spread", "uniformity", "coverage", "coverage_where_any_vary"}


@pytest.fixture(scope="module")
def sketch(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    task = written(tmp_path_factory.mktemp("sketch"), "sketch", drawings(2, 70))
    return reference.take(task, SETTINGS, compute.CPU)


class Mean(nn.Module):
    """Answers all conditions with one image, or that and noise."""

    num_noise = 0

    def __init__(self, real: Reference, num_latents: int) -> None:
        super().__init__()
        self.num_latents, self.image = num_latents, to_float(real.pixels).mean(0)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        noise = z.sum(1)[:, None, None, None] / 5 if self.num_latents else 0
        return self.image.expand(len(z), -1, -1, -1) + noise


def drawn(real: Reference, num: int) -> Tensor:
    source = torch.Generator().manual_seed(0)
    shape = len(real.judged), num, *real.pixels.shape[1:]
    return torch.randint(0, 256, shape, generator=source).byte()


def test_several_samples_are_tested_in_all_ways_and_one_in_those_that_ask_for_no_more(
    sketch: Reference,
) -> None:
    several = evidence.evaluate(Mean(sketch, 1), drawn(sketch, 4), sketch)
    one = evidence.evaluate(Mean(sketch, 0), drawn(sketch, 1), sketch)
    assert several.about.keys() - one.about.keys() == CURVES
    assert one.about.keys() == {"told", "intervals"}
    assert several.values.keys() == one.values.keys()
    names = {"crps", "energy_score", "patch_energy_score", "variogram_score"}
    assert several.shown.keys() == names | {"bases"}
    for name in names:
        assert several.values[name] == pytest.approx(several.shown[name].mean())
    assert len(np.unique(several.shown["bases"])) == 72
    assert np.isfinite(list(several.values.values())).all()


def test_dark_images_are_told_from_drawings_and_do_not_rank_as_they_should(sketch: Reference) -> None:
    found = evidence.evaluate(Mean(sketch, 1), drawn(sketch, 4) // 2, sketch).about
    assert found["told"]["pixels"]["p_value"] < 0.01
    assert found["told"]["pixels"]["classifier"]["share"] > 0.9
    assert found["told"].keys() == {"pixels", "features"}
    assert found["uniformity"]["p_value"] < 0.01
    assert [row["level"] for row in found["coverage"]] == pytest.approx([0.6])


def test_intervals_are_calibrated_by_drawings_that_steer_nothing(sketch: Reference) -> None:
    sampler = Mean(sketch, 1)
    held = evidence.held(sampler, sketch, 4)
    steering, other = sketch.task.halves()
    validation, bases = sketch.task.validation, sketch.task.about("validation", "bases")
    assert bases is not None
    assert not set(bases[steering.numpy()]) & set(bases[other.numpy()])
    assert sorted([*steering.tolist(), *other.tolist()]) == list(range(len(validation)))
    assert held.drawn.shape[:2] == (len(np.unique(bases[other.numpy()])), 4)
    images = validation.images(other)[0]
    assert all((images == truth).flatten(1).all(1).any() for truth in held.truth)


def test_of_digits_each_image_is_judged_by_samples_of_its_class(tmp_path: Path) -> None:
    real = reference.take(written(tmp_path, "label", digits()), SETTINGS, compute.CPU)
    labels = real.task.test.arrays["labels"].long()
    assert real.judged.shape == (10, 4)
    assert torch.equal(labels[real.judged], torch.arange(10)[:, None].expand(-1, 4))


@pytest.mark.parametrize("condition", ["sketch", "text"])
def test_what_is_expected_is_the_same_of_a_set_that_is_taken_in_parts(
    condition: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = written(tmp_path, condition, drawings(0, 60))
    chosen = torch.arange(len(task.test))
    answers, components = expected.answers(task, chosen), expected.components(task)
    monkeypatch.setattr(expected, "MOST_NUMBERS", 7 * 4 * math.prod(task.x_shape))
    torch.testing.assert_close(expected.answers(task, chosen), answers, atol=1e-6, rtol=0)
    monkeypatch.setattr(expected, "MOST_NUMBERS", 60 * math.prod(task.x_shape))
    monkeypatch.setattr(expected, "WIDEST", 10)
    torch.testing.assert_close(expected.components(task), components, atol=1e-4, rtol=0)


@pytest.mark.parametrize("condition", ["sketch", "colourise", "text"])
def test_the_expected_image_is_nearer_than_the_mean_of_all(condition: str, tmp_path: Path) -> None:
    task = written(tmp_path, condition, drawings(0, 200))
    train = task.splits["train"]
    found = expected.answers(task, torch.arange(len(task.test)))
    assert found.shape == (len(task.test), task.x_shape[0] * task.x_shape[1] * task.x_shape[2])
    assert 0 <= found.min() <= found.max() <= 1
    mean = expected.flat(train, torch.arange(len(train))).mean(0)
    errors = [
        (expected.flat(task.test, torch.arange(len(task.test))) - each).square().mean()
        for each in (found, mean)
    ]
    assert errors[0] < errors[1] * (0.97 if condition == "colourise" else 1.02)  # which says most
    components = expected.components(task)
    torch.testing.assert_close(components @ components.T, torch.eye(3), atol=1e-4, rtol=0)
    spread = [(expected.flat(train, torch.arange(len(train))) @ direction).var() for direction in components]
    assert spread == sorted(spread, reverse=True)


class Guess(nn.Module):
    """Draws the condition in all colours and noise of the wrong strength."""

    num_noise = 0

    def __init__(self, num_latents: int, strength: float) -> None:
        super().__init__()
        self.num_latents, self.strength = num_latents, strength

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        c = c.repeat_interleave(len(z) // len(c), 0)
        return c + self.strength * z.view_as(c) if self.num_latents else c


@pytest.mark.parametrize(("num_latents", "strength"), [(0, 0.0), (3 * 16 * 16, 0.05), (3 * 16 * 16, 0.4)])
def test_intervals_hold_for_a_folder_of_pairs_too(num_latents: int, strength: float, tmp_path: Path) -> None:
    """B is A in other colours, more or less so from pair to pair; nobody says how."""
    source = np.random.default_rng(0)
    for i in range(300):
        a = source.uniform(60, 200, (1, 1, 3)) + np.linspace(-9, 9, 16)[:, None, None] + np.zeros((16, 16, 1))
        b = a + source.normal(0, 15, (1, 1, 3)) + source.normal(0, source.uniform(2, 25), (16, 16, 3))
        pair = np.concatenate([a, b], 1).round().clip(0, 255).astype(np.uint8)
        save(tmp_path / f"pairs/{i}.png", pair)
    task = written(tmp_path / "task", "ab", prepared(tmp_path / "pairs", test_share=0.3))
    real = reference.take(task, SETTINGS, compute.CPU)
    sampler = Guess(num_latents, strength)
    num = SETTINGS.num_draws if num_latents else 1
    samples = draw(sampler, task.test.conditions, torch.arange(len(task.test)), num, 0)
    found = evidence.evaluate(sampler, samples, real).about["intervals"]
    assert found["num_bases"] == 22
    assert found["coverage"] >= 0.9 - 2 * found["standard_error"]
    assert found["width"] < 1
