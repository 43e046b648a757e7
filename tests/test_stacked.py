"""Stacked digits: three to a picture, the same ones for the same seed."""

import pytest
import torch

from pipeline.data.digits import Pictures
from pipeline.data.images import to_float
from pipeline.tasks import stacked
from pipeline.tasks.stacked import Stacked

torch.set_num_threads(1)

DIGITS = Pictures(
    torch.randint(0, 256, (30, 1, 4, 6), generator=torch.Generator().manual_seed(0)).byte(),
    torch.arange(30) % 10,
)


def test_a_picture_has_three_digits_as_its_channels() -> None:
    stacks = Stacked(DIGITS, 50, seed=0)
    x, labels = stacks.batch(torch.tensor([4, 0, 4]))
    assert (len(stacks), stacks.shape, x.shape) == (50, (3, 4, 6), (3, 3, 4, 6))
    for picture, label, number in zip(x, labels.tolist(), (4, 0, 4), strict=True):
        for channel, digit in zip(picture, stacks.chosen[number].tolist(), strict=True):
            assert torch.equal(channel, to_float(DIGITS.pixels[digit, 0]))
        a, b, c = DIGITS.labels[stacks.chosen[number]].tolist()
        assert label == 100 * a + 10 * b + c


def test_the_number_of_a_mode_is_its_three_digits_in_a_row() -> None:
    read = torch.tensor([[0, 0, 0], [9, 9, 9], [1, 2, 3], [0, 4, 0]])
    assert stacked.numbers(read).tolist() == [0, 999, 123, 40]


def test_the_seed_says_which_digits_make_up_which_picture() -> None:
    first, same, other = (Stacked(DIGITS, 50, seed) for seed in (0, 0, 1))
    assert torch.equal(first.chosen, same.chosen)
    assert not torch.equal(first.chosen, other.chosen)
    torch.rand(3)
    x, labels = first.batch(torch.arange(50))
    assert torch.equal(x, same.batch(torch.arange(50))[0])
    assert torch.equal(labels, same.batch(torch.arange(50))[1])


def test_channels_are_independent_and_every_digit_is_used() -> None:
    chosen = Stacked(DIGITS, 3000, seed=0).chosen
    assert all(len(channel.unique()) == 30 for channel in chosen.T)
    assert (chosen[:, 0] == chosen[:, 1]).double().mean().item() == pytest.approx(1 / 30, abs=0.01)
    labels = Stacked(DIGITS, 3000, seed=0).batch(torch.arange(3000))[1]
    assert len(labels.unique()) > 900
