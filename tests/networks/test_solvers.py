"""Solvers on a flow whose end is known: of normal data, a sample is mean + sd * noise."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from pipeline.metrics import denoisers
from pipeline.networks import solvers
from pipeline.networks.solvers import SOLVERS, num_evaluations, steps

MEAN, SD = 1.5, 0.6
NOISE = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]


def denoise(x: Tensor, t: float) -> Tensor:
    return denoisers.mixture(x, t, torch.tensor([[MEAN]], dtype=torch.float64), SD)


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_step_returns_the_mean_whatever_the_noise(solver: str) -> None:
    assert torch.allclose(SOLVERS[solver](denoise, NOISE, steps(1)), torch.full_like(NOISE, MEAN))


@pytest.mark.parametrize("spacing", [1.0, 0.5])
@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("adams_bashforth", 2)])
def test_the_error_falls_with_the_power_of_the_step_that_is_the_solvers_order(
    solver: str, order: int, spacing: float
) -> None:
    ends = (SOLVERS[solver](denoise, NOISE, steps(num, spacing)) for num in (64, 128))
    few, many = ((end - (MEAN + SD * NOISE)).abs().max().item() for end in ends)
    assert math.log2(few / many) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_the_network_is_asked_as_often_as_is_said_and_never_at_the_end(solver: str, num_steps: int) -> None:
    times: list[float] = []

    def counted(x: Tensor, t: float) -> Tensor:
        times.append(t)
        return denoise(x, t)

    SOLVERS[solver](counted, NOISE, steps(num_steps))
    assert len(times) == num_evaluations(solver, num_steps)
    assert max(times) == (num_steps - 1) / num_steps


def test_steps_are_even_or_crowd_at_the_noise() -> None:
    assert steps(4) == [0, 0.25, 0.5, 0.75, 1]
    early = steps(4, 0.5)
    assert early[::4] == [0, 1]
    assert early[2] == pytest.approx(0.5 * 0.5 / (1 - 0.25))
    lengths = [then - t for t, then in pairwise(early)]
    assert lengths == sorted(lengths)


def test_the_velocity_leads_straight_to_the_denoised_image() -> None:
    x, t = NOISE, 0.25
    assert torch.allclose(x + (1 - t) * solvers.velocity(denoise, x, t), denoise(x, t))
