"""Samples whose posterior is known score what theory says, and the errors of samplers show as they should."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.metrics import posterior


def gaussian(num: int, num_draws: int) -> tuple[Tensor, Tensor]:
    """Samples and truths normal about means that differ by pixel, sd 12 or 24 grey levels by half of the
    columns; 3x16x16.
    """
    source = torch.Generator().manual_seed(0)
    mean = 110 + 40 * torch.rand(num, 1, 3, 16, 16, generator=source)
    sd = torch.where(torch.arange(16) < 8, 12.0, 24.0)
    noise = torch.randn(num, num_draws + 1, 3, 16, 16, generator=source)
    pixels = (mean + sd * noise).round().clamp(0, 255).byte()
    return pixels[:, :-1], pixels[:, -1]


def random_images(num: int, num_draws: int, seed: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (num, num_draws + 1, 3, 4, 4), generator=source).byte()
    return pixels[:, :-1], pixels[:, -1]


def one_pixel(*values: int) -> Tensor:
    """One condition with these samples of one pixel."""
    return torch.tensor(values, dtype=torch.uint8).view(1, -1, 1, 1, 1)


def test_the_errors_of_two_samples_by_hand() -> None:
    drawn, truth = one_pixel(51, 153), one_pixel(51)[:, 0]  # 0.2 and 0.6, truth 0.2
    assert posterior.errors(drawn, truth) == pytest.approx({"sample_mse": 0.16 / 2, "mean_mse": 0.04})
    assert posterior.gains(drawn, truth) == pytest.approx({2: 10 * math.log10(2)})


def test_the_mean_of_p_samples_is_taken_over_disjoint_groups() -> None:
    drawn, truth = one_pixel(0, 51, 102, 255, 255), one_pixel(0)[:, 0]  # 0, 0.2, 0.4, 1, 1
    assert posterior.mse_of_means(drawn, truth, 2) == pytest.approx((0.1**2 + 0.7**2) / 2)
    assert posterior.mse_of_means(drawn, truth, 4) == pytest.approx(0.4**2)
    assert set(posterior.gains(drawn, truth)) == {2, 4}


def test_true_posterior_samples_gain_what_theory_says_whatever_p() -> None:
    gains = posterior.gains(*gaussian(40, 32))
    assert gains == pytest.approx({2: 1.249, 4: 2.041, 8: 2.499, 16: 2.747, 32: 2.877}, abs=0.1)
    assert {p: posterior.theoretical_gain(p) for p in gains} == pytest.approx(gains, abs=0.1)
    assert posterior.theoretical_gain(1) == 0
    assert posterior.theoretical_gain(4) == pytest.approx(10 * math.log10(1.6))


def test_samples_that_do_not_differ_gain_nothing_and_have_no_spread_and_no_calibration() -> None:
    drawn, truth = random_images(5, 1, 0)
    drawn = drawn.expand(-1, 32, -1, -1, -1)
    assert posterior.gains(drawn, truth) == {2: 0.0, 4: 0.0, 8: 0.0, 16: 0.0, 32: 0.0}
    found = posterior.errors(drawn, truth)
    assert found["sample_mse"] == found["mean_mse"] > 0
    assert posterior.spread(drawn) == posterior.pair_distance(drawn) == 0
    assert posterior.calibration(drawn, truth) == 0
    assert posterior.spread_maps(drawn).eq(0).all()


def test_samples_that_are_the_truth_gain_nothing_and_a_mean_that_is_alone_the_truth_gains_without_end() -> (
    None
):
    drawn = one_pixel(7, 7)
    assert posterior.gains(drawn, drawn[:, 0]) == {2: 0.0}
    assert posterior.gains(one_pixel(6, 8), drawn[:, 0]) == {2: math.inf}


def test_the_spread_is_the_mean_of_the_unbiased_standard_deviations_of_the_pixels() -> None:
    drawn, _ = random_images(3, 5, 0)
    deviations = (drawn.numpy() / 255).std(1, ddof=1)  # (N, C, H, W)
    assert posterior.spread(drawn) == pytest.approx(deviations.mean(), rel=1e-12)
    assert posterior.spread(one_pixel(0, 255)) == pytest.approx(math.sqrt(0.5))
    assert posterior.spread(one_pixel(9)) == 0  # one sample
    maps = posterior.spread_maps(drawn)
    assert maps.numpy() == pytest.approx(np.sqrt((deviations**2).mean(1)), rel=1e-6)
    assert maps.dtype == torch.float32


@pytest.mark.parametrize(("truth", "rank"), [(3, 0), (6, 1), (10, 2), (30, 3)])
def test_the_rank_of_the_truth_is_the_number_of_samples_below_it(truth: int, rank: int) -> None:
    shares = posterior.ranks(one_pixel(7, 5, 20), one_pixel(truth)[:, 0], seed=0)
    assert shares.tolist() == torch.eye(4)[rank].tolist()


def test_the_truth_takes_each_place_among_equal_samples_equally_often() -> None:
    grey = torch.full((50, 5, 3, 16, 16), 128, dtype=torch.uint8)
    shares = posterior.ranks(grey[:, 1:], grey[:, 0], seed=0)
    assert shares.tolist() == pytest.approx([0.2] * 5, abs=0.01)  # 5 standard errors
    partly = grey[:, :4].clone()
    partly[:, 0], partly[:, 1] = 0, 255  # two equal samples between a darker and a lighter one
    shares = posterior.ranks(partly, grey[:, 0], seed=0)
    assert shares.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0], abs=0.012)
    assert shares[[0, 4]].tolist() == [0, 0]


def test_the_ranks_of_true_posterior_samples_are_uniform() -> None:
    shares = posterior.ranks(*gaussian(40, 32), seed=0)
    assert shares.dtype == torch.float64
    assert shares.sum().item() == pytest.approx(1)
    assert shares.tolist() == pytest.approx([1 / 33] * 33, abs=0.005)  # 5 standard errors
    by_chance = 33 / 2 * math.sqrt(2 / math.pi / 33 / 30720)  # half the sum of 33 mean absolute deviations
    assert posterior.rank_distance(shares) == pytest.approx(by_chance, rel=0.5)


def test_the_ranks_are_a_function_of_the_seed() -> None:
    grey = torch.full((4, 3, 3, 8, 8), 9, dtype=torch.uint8)
    found = [posterior.ranks(grey[:, 1:], grey[:, 0], seed) for seed in (0, 0, 1)]
    assert found[0].equal(found[1])
    assert not found[0].equal(found[2])


def test_the_rank_distance_by_hand() -> None:
    assert posterior.rank_distance(torch.full((4,), 0.25).double()) == 0
    assert posterior.rank_distance(torch.tensor([1.0, 0, 0, 0])) == pytest.approx(0.75)
    assert posterior.rank_distance(torch.tensor([0.5, 0.5, 0, 0])) == pytest.approx(0.5)


def test_calibration_is_the_correlation_of_the_two_maps_pixel_by_pixel() -> None:
    drawn, truth = random_images(4, 3, 1)
    deviation, error = [], []
    for n, h, w in itertools.product(range(4), range(4), range(4)):
        x, target = drawn[n, :, :, h, w].numpy() / 255, truth[n, :, h, w].numpy() / 255
        deviation.append(math.sqrt(x.var(0, ddof=1).mean()))
        error.append(math.sqrt(np.square(x.mean(0) - target).mean()))
    expected = np.corrcoef(deviation, error)[0, 1]
    assert posterior.calibration(drawn, truth) == pytest.approx(expected, abs=1e-6)


def test_calibration_is_0_where_spread_or_error_is_constant() -> None:
    evenly = torch.tensor([[10, 30], [200, 220], [77, 97]], dtype=torch.uint8).view(3, 2, 1, 1, 1)
    assert posterior.calibration(evenly, torch.tensor([0, 50, 255]).byte().view(3, 1, 1, 1)) == 0
    about = torch.tensor([[90, 110], [80, 120], [50, 150]], dtype=torch.uint8).view(3, 2, 1, 1, 1)
    assert posterior.calibration(about, torch.full((3, 1, 1, 1), 80).byte()) == 0


@pytest.mark.parametrize("num_draws", [1, 2, 3, 8])
def test_the_pair_distance_is_that_of_all_pairs_one_by_one(num_draws: int) -> None:
    drawn, _ = random_images(3, num_draws, 2)
    x = drawn.double() / 255
    distances = [
        (x[:, i] - x[:, j]).abs().mean().item() for i, j in itertools.combinations(range(num_draws), 2)
    ]
    expected = sum(distances) / len(distances) if distances else 0
    assert posterior.pair_distance(drawn) == pytest.approx(expected, rel=1e-12)


def test_the_energy_score_by_hand() -> None:
    """Two samples and a truth of two pixels: errors (0.6, 0.8) and 0, root mean squares of both pixels."""
    drawn = torch.tensor([[153, 204], [0, 0]], dtype=torch.uint8).view(1, 2, 1, 1, 2)
    truth = torch.zeros(1, 1, 1, 2, dtype=torch.uint8)
    apart = 1 / math.sqrt(2)
    assert posterior.energy_score(drawn, truth) == pytest.approx(apart / 2 - apart / 2)
    assert posterior.energy_score(drawn[:, :1], truth) == pytest.approx(apart)  # of one, its error


@pytest.mark.parametrize("num_draws", [2, 8])
def test_the_energy_score_is_unbiased_and_best_for_the_posterior(num_draws: int) -> None:
    """Of pixels normal about 128 with sd 24 it is sd / sqrt(pi), and more for wrong samples."""
    noise = torch.randn(20_000, num_draws + 1, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    truth = pixels(128 + 24 * noise[:, -1])
    best = posterior.energy_score(pixels(128 + 24 * noise[:, :-1]), truth)
    assert best == pytest.approx(24 / 255 / math.sqrt(math.pi), rel=0.02)
    for mean, sd in ((128, 12), (128, 36), (140, 24)):
        assert posterior.energy_score(pixels(mean + sd * noise[:, :-1]), truth) > 1.02 * best


def pixels(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).byte()


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_how_many_conditions_are_taken_at_once_changes_nothing(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, truth = random_images(5, 4, 3)
    drawn, truth = drawn // 64, truth // 64  # many ties

    def everything() -> list[float]:
        values = [*posterior.errors(drawn, truth).values(), *posterior.gains(drawn, truth).values()]
        values += [posterior.spread(drawn), posterior.calibration(drawn, truth)]
        values += posterior.spread_maps(drawn).flatten().tolist() + posterior.ranks(drawn, truth, 0).tolist()
        return [*values, posterior.pair_distance(drawn), posterior.energy_score(drawn, truth)]

    whole = everything()
    monkeypatch.setattr(posterior, "CHUNK", chunk)
    assert everything() == pytest.approx(whole, rel=1e-12)
