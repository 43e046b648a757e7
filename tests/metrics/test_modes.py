"""The modes of Stacked MNIST, by hand."""

import math

import pytest
import torch
from torch import Tensor

from pipeline.metrics import modes


def measured(digits: Tensor) -> tuple[int, float]:
    counts = modes.mode_counts(digits)
    return len(counts), modes.divergence_from_uniform(counts, 1000)


def test_a_mode_counts_once_however_often_it_is_drawn_and_its_frequency_is_compared_with_a_thousandth() -> (
    None
):
    expected = 0.75 * math.log(0.75 * 1000) + 0.25 * math.log(0.25 * 1000)
    assert measured(torch.tensor([[1, 2, 3], [1, 2, 3], [3, 2, 1], [1, 2, 3]])) == (
        2,
        pytest.approx(expected),
    )
    assert measured(torch.tensor([[1, 2, 3]])) == (1, pytest.approx(math.log(1000)))


def test_all_modes_alike_diverge_by_nothing() -> None:
    digits = torch.cartesian_prod(*[torch.arange(10)] * 3).repeat(2, 1)
    assert measured(digits) == (1000, pytest.approx(0.0, abs=1e-12))
    assert measured(digits[digits[:, 0] < 5]) == (500, pytest.approx(math.log(2)))


def test_a_perfect_generator_of_26000_images_diverges_by_chance_alone() -> None:
    digits = torch.randint(10, (26_000, 3), generator=torch.Generator().manual_seed(0))
    assert measured(digits) == (1000, pytest.approx(999 / 52_000, rel=0.15))


def test_each_channel_is_classified_by_itself_and_stays_with_its_image() -> None:
    shapes: list[tuple[int, ...]] = []

    def brightest_row(pixels: Tensor) -> Tensor:
        shapes.append(tuple(pixels.shape))
        return pixels.sum(3).argmax(2)[:, 0]

    digits = torch.tensor([[1, 2, 3], [9, 0, 4]])
    pixels = torch.zeros(2, 3, 10, 5, dtype=torch.uint8)
    for i, row in enumerate(digits):
        for channel, digit in enumerate(row):
            pixels[i, channel, digit] = 200
    assert torch.equal(modes.predicted(pixels, brightest_row), digits)
    assert shapes == [(6, 1, 10, 5)]
