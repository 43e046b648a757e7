"""Samplers good and bad against six known tones."""

import pytest
import torch
from torch import Tensor

from pipeline.metrics import tones
from pipeline.runtime.errors import InputError

# Greys 0, 40, .. 200: neighbours lie 40 sqrt(3) apart, so that half is 20 in each channel.
TONES = torch.arange(6).mul(40).view(6, 1).expand(6, 3)
MASK = torch.tensor([[True, True], [True, False]])


def image(colour: Tensor, elsewhere: int = 255) -> Tensor:
    """A 2x2 image with skin of this colour, (3,), and something else at the last pixel."""
    pixels = colour.view(3, 1, 1).repeat(1, 2, 2)
    pixels[:, 1, 1] = elsewhere
    return pixels.byte()


def images(*colours: Tensor, elsewhere: int = 255) -> Tensor:
    """One drawing in these colours, (1, M, 3, 2, 2)."""
    return torch.stack([image(colour, elsewhere) for colour in colours])[None]


def grey(*values: float) -> list[Tensor]:
    return [torch.full((3,), value) for value in values]


TRUTH = images(*TONES)


def score(*colours: Tensor) -> dict[str, float]:
    return tones.score(images(*colours, elsewhere=9), TRUTH, MASK[None])


def test_the_skin_colour_is_the_mean_over_the_masks_pixels() -> None:
    x = torch.zeros(1, 1, 3, 2, 2, dtype=torch.uint8)
    x[0, 0, 0] = torch.tensor([[255, 102], [153, 200]])
    x[0, 0, 2] = torch.tensor([[51, 51], [51, 0]])
    found = tones.skin_colours(x, MASK[None])
    assert found[0, 0].tolist() == pytest.approx([(255 + 102 + 153) / 3 / 255, 0, 0.2])


def test_each_drawing_has_its_own_mask() -> None:
    source = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (4, 5, 3, 6, 6), generator=source).byte()
    mask = torch.rand(4, 6, 6, generator=source) < 0.4
    found = tones.skin_colours(x, mask)
    weights = mask[:, None, None].double()
    expected = (x / 255 * weights).sum((3, 4)) / weights.sum((3, 4))
    assert found.shape == (4, 5, 3)
    assert found.flatten().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-6)


def test_a_drawing_without_skin_is_refused_in_one_line() -> None:
    mask = torch.stack([MASK, torch.zeros_like(MASK)])
    with pytest.raises(InputError, match=r"^image_size = 2: too small for 1 of the 2 .*number 1"):
        tones.score(TRUTH.repeat(2, 1, 1, 1, 1), TRUTH.repeat(2, 1, 1, 1, 1), mask)


def test_a_colour_hits_the_nearest_tone_within_half_the_smallest_distance_of_two() -> None:
    true = torch.tensor([[0.0, 0, 0], [0.4, 0, 0], [0.4, 0.2, 0]])[None]  # smallest distance 0.2
    drawn = torch.tensor([[0.09, 0, 0], [0.11, 0, 0], [0.35, 0.08, 0], [0.4, 0.13, 0.05], [0.2, 0, 0.0]])[
        None
    ]
    assert tones.radii(true).tolist() == pytest.approx([0.1])
    assert tones.hits(drawn, true).tolist() == [[0, -1, 1, 2, -1]]
    assert tones.hits(drawn, true).dtype == torch.int64


def test_every_drawing_has_tones_and_a_radius_of_its_own() -> None:
    true = torch.stack([TONES / 255, TONES.flip(0) / 510]).double()
    drawn = torch.full((2, 1, 3), 45 / 255).double()  # near 40; midway but 5 between 40 and 60 of the halved
    assert tones.radii(true).tolist() == pytest.approx([20 * 3**0.5 / 255, 10 * 3**0.5 / 255])
    assert tones.hits(drawn, true).tolist() == [[1], [3]]


def test_a_colour_just_at_the_radius_hits_nothing() -> None:
    true = torch.tensor([[0.0, 0, 0], [0.5, 0, 0]])[None]
    assert tones.hits(torch.tensor([[[0.25, 0, 0], [0.2499, 0, 0]]]), true).tolist() == [[-1, 0]]


def test_a_sampler_with_each_tone_equally_often_scores_full_marks() -> None:
    expected = {"tone_recall": 6.0, "tone_purity": 1.0, "tone_tv": 0.0}
    assert score(*TONES, *TONES.flip(0)) == pytest.approx(expected, abs=1e-12)


def test_a_collapsed_sampler_hits_one_tone() -> None:
    expected = {"tone_recall": 1.0, "tone_purity": 1.0, "tone_tv": 5 / 6}
    assert score(*grey(78, 80, 83)) == pytest.approx(expected)
    assert score(*grey(80)) == pytest.approx(expected)  # a regression's one image


def test_samples_of_another_colour_hit_nothing() -> None:
    green = torch.tensor([0, 200, 0])
    assert score(green, green) == {"tone_recall": 0.0, "tone_purity": 0.0, "tone_tv": 1.0}


def test_hits_misses_and_drawings_are_averaged_as_said() -> None:
    """First drawing: tones 0, 0, 1 and a miss; second: four misses."""
    red = torch.tensor([255, 0, 0])
    first = images(*grey(0, 3, 41), red)
    second = images(red, red, red, red)
    found = tones.score(torch.cat([first, second]), TRUTH.repeat(2, 1, 1, 1, 1), torch.stack([MASK, MASK]))
    tv_of_first = ((2 / 3 - 1 / 6) + (1 / 3 - 1 / 6) + 4 * 1 / 6) / 2
    expected = {"tone_recall": 2 / 2, "tone_purity": 3 / 8, "tone_tv": (tv_of_first + 1) / 2}
    assert found == pytest.approx(expected)
    assert tv_of_first == pytest.approx(2 / 3)
