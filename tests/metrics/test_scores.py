"""Proper scores, held against a package that others keep, and against what they are for."""

import numpy as np
import pytest
import scoringrules
import torch
from torch import Tensor

from pipeline.metrics import scores

PAIRS = torch.tensor([[0, 1], [2, 0], [1, 2]])


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_scores_are_those_of_scoringrules() -> None:
    drawn, truth = numbers(5, 7, 3), numbers(5, 3, seed=1)
    g, x = drawn.numpy(), truth.numpy()
    of_numbers = [scoringrules.crps_ensemble(x[:, k], g[:, :, k], estimator="fair") for k in range(3)]
    np.testing.assert_allclose(scores.crps(drawn, truth), np.mean(of_numbers, 0), atol=1e-9)
    fair = scoringrules.es_ensemble(x, g, estimator="fair") / 3**0.5
    np.testing.assert_allclose(scores.energy(drawn, truth), fair, atol=1e-9)
    # theirs sums over all ordered pairs, each twice
    theirs = scoringrules.vs_ensemble(x, g, p=0.5) / 6
    np.testing.assert_allclose(scores.variogram(drawn, truth, PAIRS), theirs, atol=1e-9)


def test_a_fair_score_is_the_same_of_few_samples_as_of_many() -> None:
    truth = numbers(20_000, 1)
    for score in (scores.crps, scores.energy):
        few, many = (score(numbers(20_000, num, 1, seed=num), truth).mean().item() for num in (2, 16))
        assert few == pytest.approx(many, abs=0.02)
        assert many == pytest.approx(1 / np.pi**0.5, abs=0.02)  # half the mean distance of two draws


def test_of_one_sample_it_is_the_error() -> None:
    drawn, truth = numbers(4, 1, 3), numbers(4, 3, seed=1)
    torch.testing.assert_close(scores.crps(drawn, truth), (drawn[:, 0] - truth).abs().mean(1))
    torch.testing.assert_close(scores.energy(drawn, truth), (drawn[:, 0] - truth).square().mean(1).sqrt())


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
def test_each_is_least_for_the_posterior(factor: float) -> None:
    common, truth = numbers(4000, 16, 1, seed=2), numbers(4000, 1, seed=3).expand(-1, 3)
    right, wrong = common.expand(-1, -1, 3), factor * common.expand(-1, -1, 3)
    for score in (scores.crps, scores.energy):
        assert score(right, truth).mean() < score(wrong, truth).mean()


def test_the_variogram_score_alone_sees_that_numbers_do_not_hang_together() -> None:
    truth = numbers(2000, 1, seed=3).expand(-1, 3)
    together, apart = numbers(2000, 16, 1).expand(-1, -1, 3), numbers(2000, 16, 3)
    crps = [scores.crps(drawn, truth).mean().item() for drawn in (together, apart)]
    variogram = [scores.variogram(drawn, truth, PAIRS).mean().item() for drawn in (together, apart)]
    assert crps[0] == pytest.approx(crps[1], rel=0.05)
    assert variogram[0] < 1e-12
    assert variogram[1] > 0.5
