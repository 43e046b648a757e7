"""Mixtures of Gaussians in the plane whose modes are known."""

import math

import pytest
import torch

from pipeline.tasks import points
from pipeline.tasks.points import TARGETS


@pytest.mark.parametrize(
    ("name", "num_modes", "gap"), [("ring", 8, 4 * math.sin(math.pi / 8)), ("grid", 25, 2)]
)
def test_the_modes_of_a_target_are_equally_far_from_their_neighbours(
    name: str, num_modes: int, gap: float
) -> None:
    centres = TARGETS[name].centres
    assert centres.shape == (num_modes, 2)
    apart = torch.cdist(centres, centres).fill_diagonal_(math.inf)
    assert apart.min(1).values.tolist() == pytest.approx([gap] * num_modes, rel=1e-5)


@pytest.mark.parametrize("name", TARGETS)
def test_points_of_a_target_lie_around_its_modes_as_often_around_each(name: str) -> None:
    target = TARGETS[name]
    x = points.sample(target, 5000, 3)
    assert (x - x.mean(0)).square().sum(1).mean().item() == pytest.approx(target.variance, rel=0.03)
    nearest = torch.cdist(x, target.centres).argmin(1)
    off = (x - target.centres[nearest]) / target.sigma
    assert off.mean().item() == pytest.approx(0, abs=0.04)
    assert off.std().item() == pytest.approx(1, abs=0.03)
    shares = torch.bincount(nearest) / 5000 * len(target.centres)
    assert shares.min() > 0.7
    assert shares.max() < 1.3


def test_a_task_of_points_is_as_many_of_them_without_a_condition_as_the_seed_chooses() -> None:
    task, same, other = (points.task("ring", seed) for seed in (0, 0, 1))
    chosen = torch.tensor([5, 0, 99_999])
    x, c = task.train.batch(chosen)
    assert (len(task.train), task.x_shape, task.condition_shape, c.shape) == (100_000, (2,), (0,), (3, 0))
    assert torch.equal(x, points.sample(TARGETS["ring"], 100_000, 0)[chosen])
    assert torch.equal(x, same.train.batch(chosen)[0])
    assert not torch.equal(x, other.train.batch(chosen)[0])
