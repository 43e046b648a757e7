"""Intervals that hold, of samples of any kind."""

import pytest
import torch
from torch import Tensor

from pipeline.metrics import conformal

NUM_PIXELS = 50


def world(num: int, seed: int, width: float) -> tuple[Tensor, Tensor]:
    """Samples too narrow or too wide by a factor, and truths; pixels of a picture are alike."""
    source = torch.Generator().manual_seed(seed)
    level = torch.randn(num, 1, generator=source) * 0.05
    truth = 0.5 + level + 0.05 * torch.randn(num, NUM_PIXELS, generator=source)
    drawn = 0.5 + width * 0.07 * torch.randn(num, 8, NUM_PIXELS, generator=source)
    return drawn, truth


@pytest.mark.parametrize("width", [0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("num_draws", [1, 8])
def test_ninety_percent_of_the_pixels_of_unseen_pictures_lie_inside(width: float, num_draws: int) -> None:
    inside = []
    for seed in range(60):
        drawn, truth = world(148, seed, width)
        found = conformal.intervals(drawn[:, :num_draws])
        held, unseen = (
            conformal.Intervals(found.centre[part], found.half[part]) for part in (slice(48), slice(48, None))
        )
        multiple = conformal.calibrated(held, truth[:48], torch.arange(48))
        inside.append(1 - conformal.missed(unseen, truth[48:], multiple).mean().item())
    mean = sum(inside) / len(inside)
    assert mean + 0.005 >= 0.9
    assert mean <= 0.94  # not by being far too wide


def test_the_bound_leaves_room_for_the_next_picture() -> None:
    """Of nine bases none may miss a pixel, of eight nothing less than everything will do."""
    truth = torch.linspace(0, 1, 9)[:, None].expand(-1, NUM_PIXELS)
    found = conformal.Intervals(torch.zeros(9, NUM_PIXELS), torch.ones(9, NUM_PIXELS))
    assert conformal.calibrated(found, truth, torch.arange(9)) == pytest.approx(1, abs=1e-6)
    few = conformal.Intervals(found.centre[:8], found.half[:8])
    assert conformal.calibrated(few, truth[:8], torch.arange(8)) == conformal.LARGEST


def test_pictures_of_one_base_count_together() -> None:
    source = torch.Generator().manual_seed(0)
    truth = torch.rand(40, NUM_PIXELS, generator=source)
    found = conformal.Intervals(torch.zeros_like(truth), torch.ones_like(truth))
    each, once = (conformal.calibrated(found, truth, torch.arange(40) // per) for per in (1, 2))
    assert once > each
