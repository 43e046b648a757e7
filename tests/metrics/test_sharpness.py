"""Blur as numbers, by hand and on blurred images."""

import math

import pytest
import torch
from helpers.synthetic import random_pixels

from pipeline.metrics import corruptions, sharpness


def test_gradient_energy_is_the_mean_squared_difference_of_neighbours() -> None:
    image = torch.tensor([[0, 255, 255], [51, 0, 255]], dtype=torch.uint8).view(1, 1, 2, 3)
    across = 1 + 0 + 0.2**2 + 1
    down = 0.2**2 + 1 + 0
    assert sharpness.gradient_energy(image) == pytest.approx((across + down) / 7)


def test_beside_blank_images_there_is_no_ratio_of_energies() -> None:
    drawn, blank = random_pixels(4, 8, 0), torch.full((4, 1, 8, 8), 255, dtype=torch.uint8)
    assert math.isnan(sharpness.relative(drawn, blank))
    assert math.isnan(sharpness.ratios(drawn, blank)["gradient_energy"])
    assert sharpness.relative(blank, drawn) == 0


def test_mid_grey_is_what_lies_strictly_between_a_tenth_and_nine_tenths() -> None:
    values = [0, 25, 26, 128, 229, 230, 255, 255]  # 25.5 is a tenth, 229.5 nine tenths
    image = torch.tensor(values, dtype=torch.uint8).view(1, 1, 2, 4)
    assert sharpness.mid_grey_share(image) == pytest.approx(3 / 8)


def test_blur_lowers_the_gradient_energy_and_raises_the_share_of_mid_grey() -> None:
    pixels = torch.where(random_pixels(10, 12, 0) > 200, 255, 0).byte()
    same = sharpness.ratios(pixels, pixels)
    assert same == pytest.approx({"gradient_energy": 1.0, "mid_grey": 1.0})
    blurred = sharpness.ratios(corruptions.blurred(pixels), pixels)
    assert blurred["gradient_energy"] < 0.3
    assert blurred["mid_grey"] > 100
