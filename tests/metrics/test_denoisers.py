"""The exact answers of a flow's network, held against quadrature, closed forms and simulation."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.metrics import denoisers
from pipeline.networks import solvers
from pipeline.tasks.points import TARGETS
from pipeline.theory.posterior import smoothed

LENGTHS = np.array([181.0, 186.0, 186.0, 190.0, 195.0, 203.0])


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]


def by_quadrature(x: float, t: float, centres: Tensor, sd: float, weights: Tensor) -> float:
    """E[x_1 | x_t = x] by Bayes' rule on a fine grid of x_1."""
    y = torch.linspace(-8, 8, 400_001, dtype=torch.float64)
    prior = (weights * (-((y[:, None] - centres[:, 0]) ** 2) / (2 * sd**2)).exp()).sum(1)
    density = prior * (-((x - t * y) ** 2) / (2 * (1 - t) ** 2)).exp()
    return ((density * y).sum() / density.sum()).item()


@pytest.mark.parametrize("t", [0.0, 0.3, 0.7, 0.95])
def test_of_a_mixture_it_is_the_posterior_mean_by_quadrature(t: float) -> None:
    prior = smoothed((LENGTHS - 190) / 7, 0.3)  # the penguins' kernel prior, in standard deviations
    centres, weights = double(*prior.means), torch.tensor(prior.shares, dtype=torch.float64)
    for x in (-1.7, 0.0, 0.4, 2.2):
        found = denoisers.mixture(double(x), t, centres, 0.3, weights).item()
        assert found == pytest.approx(by_quadrature(x, t, centres, 0.3, weights), abs=1e-10)


@pytest.mark.parametrize("target", TARGETS)
def test_of_points_in_the_plane_one_coordinate_at_a_time_is_not_enough_but_all_modes_count(
    target: str,
) -> None:
    centres, sd = TARGETS[target].centres.double(), TARGETS[target].sigma
    source = torch.Generator().manual_seed(0)
    x = torch.randn(5, 2, generator=source, dtype=torch.float64)
    t, grid = 0.6, torch.linspace(-6 * sd, 6 * sd, 121, dtype=torch.float64)
    around = torch.cartesian_prod(grid, grid)  # a window about each mode, which holds all of it
    y = (centres[:, None] + around).flatten(0, 1)
    prior = (-around.square().sum(1) / (2 * sd**2)).exp().repeat(len(centres))
    likelihood = (-(x[:, None] - t * y).square().sum(2) / (2 * (1 - t) ** 2)).exp()
    expected = (prior * likelihood) @ y / (prior * likelihood).sum(1, keepdim=True)
    assert torch.allclose(denoisers.mixture(x, t, centres, sd), expected, atol=1e-7)


@pytest.mark.parametrize("sd", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("num_steps", [1, 2, 7, 64])
def test_after_n_euler_steps_normal_data_have_the_products_standard_deviation(
    sd: float, num_steps: int
) -> None:
    noise = double(0.0, 1.0)
    times = solvers.steps(num_steps)
    ends = solvers.euler(lambda x, t: denoisers.mixture(x, t, double(1.5), sd), noise, times)
    at_mean, one_away = ends.flatten()
    assert at_mean.item() == pytest.approx(1.5, abs=1e-12)
    assert abs(one_away - at_mean).item() == pytest.approx(denoisers.euler_sd(sd, num_steps), abs=1e-12)


def test_one_step_has_no_spread_and_many_have_the_datas() -> None:
    assert denoisers.euler_sd(0.6, 1) == 0
    assert denoisers.euler_sd(0.6, 4096) == pytest.approx(0.6, rel=1e-3)


def test_the_exact_flow_of_finitely_many_points_ends_at_one_of_them_as_often_as_it_should() -> None:
    points = torch.tensor([[2.0, 0.0], [-1.0, 1.5], [0.0, -2.0]], dtype=torch.float64)
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    noise = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    times = solvers.steps(256)
    ends = solvers.euler(lambda x, t: denoisers.mixture(x, t, points, weights=weights), noise, times)
    distance, nearest = torch.cdist(ends, points).min(1)
    assert distance.max() < 1e-6
    shares = torch.bincount(nearest).double() / len(ends)
    assert torch.allclose(shares, weights, atol=0.025)


def test_variance_and_energy_score_of_finitely_many_answers_are_those_of_draws() -> None:
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=torch.float64)
    variance, score = denoisers.least_scores(points, torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert variance == pytest.approx(0.5 * 2.5**2 * 2)  # each is 2.5 from the mean
    assert score == pytest.approx(0.5 * 0.5 * 5)  # half the draws differ, by 5
