"""Clouds of points scored against a mixture whose modes are known, and what is kept to show."""

import math

import numpy as np
import pytest
import torch
from helpers import exact
from helpers.networks import untrained, untrained_discriminator
from torch import Tensor, nn

from pipeline.metrics import points
from pipeline.metrics.dial import STEPS
from pipeline.tasks.points import TARGETS, Target, sample

TARGET = Target(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), 0.1)


def test_a_point_is_good_within_three_sigmas_and_belongs_to_the_nearest_mode() -> None:
    cloud = torch.tensor([[0.0, 0.29], [0.29, 0.0], [0.0, 0.31], [1.2, 1.2], [0.5, 0.5], [1.0, 0.01]])
    assert points.histogram(cloud, TARGET).tolist() == [2, 1, 0, 1]


def test_one_good_point_is_enough_to_hit_a_mode() -> None:
    cloud = torch.tensor([[[0.0, 0.0]] * 6 + [[1.0, 1.0]] + [[5.0, 5.0]]])
    (figures,) = points.measure(cloud, TARGET)
    p = torch.tensor([6 / 7, 1 / 7])
    assert figures["modes"] == 2
    assert figures["good_share"] == pytest.approx(7 / 8)
    assert figures["kl"] == pytest.approx((p * (4 * p).log()).sum().item(), rel=1e-6)


@pytest.mark.parametrize(
    ("counts", "kl"),
    [([5, 5, 5, 5], 0.0), ([9, 0, 0, 0], math.log(4)), ([1, 1, 0, 0], math.log(2)), ([0] * 4, math.log(4))],
)
def test_divergence_is_that_from_equal_shares_and_worst_where_no_point_is_good(
    counts: list[int], kl: float
) -> None:
    assert points.divergence(torch.tensor(counts)) == pytest.approx(kl, abs=1e-12)


@pytest.mark.parametrize("name", TARGETS)
def test_the_target_itself_scores_nearly_full_marks(name: str) -> None:
    target = TARGETS[name]
    cloud = sample(target, points.NUM_SAMPLES, 5)
    (figures,) = points.measure(cloud[None], target)
    assert figures["modes"] == len(target.centres)
    assert figures["good_share"] == pytest.approx(1 - math.exp(-4.5), abs=0.006)  # a Rayleigh's share below 3
    assert figures["kl"] < 0.02


def test_each_member_is_scored_by_itself_and_the_mean_is_over_members() -> None:
    clouds = torch.stack([TARGET.centres, torch.zeros(4, 2)])
    figures = points.measure(clouds, TARGET)
    assert [row["modes"] for row in figures] == [4, 1]
    assert points.mean(figures) == pytest.approx({"modes": 2.5, "good_share": 1, "kl": math.log(4) / 2})


@pytest.mark.parametrize("packing", [1, 2])
def test_clouds_and_landscapes_are_those_of_each_member(packing: int) -> None:
    torch.manual_seed(0)
    G = untrained("points", 2, 0, 8, (2,), num_members=3, turn=packing)
    D = untrained_discriminator("points", 0, 8, (2 * packing,), num_members=3)
    clouds, places = points.clouds(G, 7, 0), points.landscapes(D, TARGETS["ring"], 5)
    assert clouds.shape == (3, 7, 2)
    assert places.shape == (3, 5, 5)
    for network in (G, D):
        for tensor in network.parameters():
            tensor.data[1] = 0.0
    assert torch.equal(points.clouds(G, 7, 0)[[0, 2]], clouds[[0, 2]])
    assert torch.equal(points.landscapes(D, TARGETS["ring"], 5)[[0, 2]], places[[0, 2]])
    assert points.clouds(G, 7, 0)[1].abs().max() == 0
    assert points.landscapes(D, TARGETS["ring"], 5)[1].abs().max() == 0


def test_the_clouds_of_a_flow_are_those_of_each_member() -> None:
    torch.manual_seed(0)
    sizes = {"num_members": 3, "solver": "heun", "solver_steps": 3, "kind": "points"}
    flow = untrained("denoiser_points", 0, 0, 8, (2,), **sizes)
    clouds = points.clouds(flow, 7, 0)
    assert clouds.shape == (3, 7, 2)
    for tensor in flow.parameters():
        tensor.data[1] = 0.0
    changed = points.clouds(flow, 7, 0)
    assert torch.equal(changed[[0, 2]], clouds[[0, 2]])
    assert not torch.allclose(changed[1], clouds[1], atol=0.1)


def test_the_dial_of_an_exact_flow_goes_from_the_mean_to_points_of_the_modes() -> None:
    """The squared distance to an independent point is V for the mean, and 2 V for a draw."""
    target = TARGETS["ring"]
    flow = exact.flow(exact.Exact(target.centres, target.sigma), (2,), 5, "heun")
    rows = points.dial(flow, target, 0)
    assert [row["steps"] for row in rows] == list(STEPS)
    first, last = rows[0], rows[-1]
    assert first["sample_mse"] == pytest.approx(target.variance, rel=0.02)
    assert (first["good_share"], first["modes"]) == (0, 0)
    assert last["sample_mse"] == pytest.approx(2 * target.variance, rel=0.05)
    assert last["good_share"] > 0.98
    assert last["modes"] == 8
    assert (flow.solver, flow.num_steps) == ("heun", 5)
    assert points.dial(untrained("points", 2, 0, 8, (2,)), target, 0) == []  # of no flow


def test_a_landscape_has_x_along_its_rows_and_its_lowest_row_first() -> None:
    class Plane(nn.Module):
        num_members, packing = 1, 1

        def forward(self, x: Tensor, c: Tensor) -> Tensor:
            return x[:, 0] + 10 * x[:, 1]

    extent = TARGETS["grid"].extent
    (found,) = points.landscapes(Plane(), TARGETS["grid"], 3).tolist()
    expected = [[x + 10 * y for x in (-extent, 0, extent)] for y in (-extent, 0, extent)]
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-5)
