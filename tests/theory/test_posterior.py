"""The exact and the conjugate posterior of a length, and how far draws are from it."""

import math

import numpy as np
import pytest
import torch

from pipeline.theory import posterior as bayes
from pipeline.theory.normals import Normals
from pipeline.theory.posterior import Camera, Posterior

LENGTHS = np.array([178.0, 181, 184, 186, 187, 189, 190, 190, 191, 193, 195, 197, 201, 208])
ONE_NORMAL = Camera(Normals(means=[190.0], sds=[6.0], shares=[1.0]), 3.0)
SMOOTHED = Camera(bayes.smoothed(LENGTHS, 2.0), 5.0)
X = np.array([175.0, 190.0, 201.0])


# The exact and the conjugate answer.


def test_the_conjugate_posterior_is_the_one_worked_out_by_hand():
    means, sd = bayes.conjugate(ONE_NORMAL, np.array([190.0, 200.0]))
    assert means.tolist() == pytest.approx([190, 198])  # weights 1/9 for x and 1/36 for the prior: 4 to 1
    assert sd**2 == pytest.approx(1 / (1 / 9 + 1 / 36))


def test_with_a_normal_prior_the_exact_posterior_is_the_conjugate_one():
    posterior, (means, sd) = bayes.exact(ONE_NORMAL, X), bayes.conjugate(ONE_NORMAL, X)
    assert posterior.mean == pytest.approx(means, abs=1e-6)
    assert posterior.sd == pytest.approx([sd] * 3, abs=1e-6)
    normal = np.exp(-np.square((posterior.y - means[2]) / sd) / 2) / (sd * math.sqrt(2 * math.pi))
    np.testing.assert_allclose(posterior.density[2], normal, atol=1e-9)


def test_with_a_smoothed_prior_the_exact_posterior_is_a_mixture_of_conjugate_ones():
    """Each kernel N(m, h^2) has the conjugate posterior, and the weight N(x; m, h^2 + noise^2)."""
    posterior = bayes.exact(SMOOTHED, X)
    variance = 1 / (1 / 2**2 + 1 / 5**2)
    for x, mean, sd in zip(X, posterior.mean, posterior.sd, strict=True):
        weights = np.exp(-np.square(x - LENGTHS) / (2 * (2**2 + 5**2)))
        means = variance * (LENGTHS / 2**2 + x / 5**2)
        expected = np.average(means, weights=weights)
        second = np.average(means**2 + variance, weights=weights)
        assert mean == pytest.approx(expected, abs=1e-6)
        assert sd == pytest.approx(math.sqrt(second - expected**2), abs=1e-6)


def test_the_smoothed_prior_has_the_datas_mean_and_its_variance_and_the_kernels():
    prior = SMOOTHED.prior
    assert prior.mean == pytest.approx(LENGTHS.mean())
    assert prior.sd**2 == pytest.approx(LENGTHS.var() + 2**2)
    assert SMOOTHED.seen.sd**2 == pytest.approx(LENGTHS.var() + 2**2 + 5**2)


def test_pairs_follow_the_prior_and_the_cameras_error():
    x, y = SMOOTHED.pairs(50_000, 0, "here")
    assert y.mean().item() == pytest.approx(SMOOTHED.prior.mean, abs=0.1)
    assert y.std().item() == pytest.approx(SMOOTHED.prior.sd, rel=0.02)
    assert (x - y).mean().item() == pytest.approx(0, abs=0.1)
    assert (x - y).std().item() == pytest.approx(5, rel=0.02)
    assert torch.corrcoef(torch.stack([x - y, y]))[0, 1].item() == pytest.approx(0, abs=0.02)
    near = (x - 201).abs() < 0.5
    assert y[near].mean().item() == pytest.approx(bayes.exact(SMOOTHED, np.array([201.0])).mean[0], abs=0.4)


def test_standardised_lengths_come_back():
    y = torch.tensor([170.0, 200.0])
    assert SMOOTHED.in_mm(SMOOTHED.standardised(y)).tolist() == pytest.approx(y.tolist())
    assert SMOOTHED.standardised(torch.tensor(SMOOTHED.prior.mean)).item() == pytest.approx(0, abs=1e-6)


# Wasserstein's distance.


def spike(*at):
    """A posterior whose whole mass lies at one point of the grid, for each argument."""
    y = np.arange(0, 101) / 10
    return Posterior(y, np.stack([(np.abs(y - place) < 1e-9).astype(float) for place in at]))


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [([2.0, 2.0], 0.0), ([3.0, 3.0], 1.0), ([1.0, 4.0], 1.5), ([2.0, 5.0], 1.5), ([-7.0, 22.0], 14.5)],
)
def test_the_distance_to_a_spike_is_the_mean_distance_to_it(drawn, expected):
    assert bayes.wasserstein(spike(2.0), np.array([drawn])) == pytest.approx([expected], abs=1e-9)


def test_each_row_is_compared_with_its_own_posterior():
    found = bayes.wasserstein(spike(1.0, 5.0), np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert found == pytest.approx([0, 4])


def test_the_distance_of_a_moved_posterior_is_how_far_it_was_moved():
    posterior = bayes.exact(ONE_NORMAL, X)
    drawn = bayes.draws(posterior, 4000, 0, "here")
    assert bayes.wasserstein(posterior, drawn) == pytest.approx([0, 0, 0], abs=0.15)
    assert bayes.wasserstein(posterior, drawn + 2) == pytest.approx([2, 2, 2], abs=0.15)


def test_draws_have_the_posteriors_moments():
    posterior = bayes.exact(SMOOTHED, X)
    drawn = bayes.draws(posterior, 20_000, 0, "here")
    assert drawn.mean(1) == pytest.approx(posterior.mean, abs=0.12)
    assert drawn.std(1) == pytest.approx(posterior.sd, rel=0.03)
