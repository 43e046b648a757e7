"""A classifier tells apart what differs, and nothing else."""

import pytest
import torch
from helpers.synthetic import random_pixels

from pipeline.metrics import corruptions, two_sample


def smooth_pixels(num: int, seed: int) -> torch.Tensor:
    """Random images without fine grain, (num, 1, 12, 12) uint8."""
    return random_pixels(num, 3, seed).repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_blurred_images_are_told_from_sharp_ones(channels: int) -> None:
    sharp, other = (smooth_pixels(160 * channels, seed).view(160, channels, 12, 12) for seed in (0, 1))
    assert two_sample.accuracy(corruptions.blurred(other), sharp, 20, 0) > 0.95


def test_a_set_of_which_a_third_is_right_gives_its_other_two_thirds_away() -> None:
    drawn = smooth_pixels(300, 0)
    drawn[100:] = 0
    found = two_sample.accuracy(drawn, smooth_pixels(300, 1), 30, 0)
    assert found == pytest.approx((1 + 2 / 3) / 2, abs=0.07)  # all real ones, and the empty two thirds


def test_the_threshold_is_where_the_fewest_are_mistaken() -> None:
    drawn, real = torch.linspace(4, 5, 50), torch.linspace(1, 2, 50)
    assert 2 <= two_sample.best_threshold(drawn, real) < 4
    mixed = torch.cat([torch.linspace(1, 2, 80), torch.full((20,), 9.0)])  # a fifth can be told apart
    assert 1.9 < two_sample.best_threshold(mixed, torch.linspace(1, 2, 100)) < 9


def test_what_is_tested_was_not_trained_on() -> None:
    """A classifier learns 80 images of noise by heart; of others it knows nothing."""
    found = two_sample.accuracy(random_pixels(80, 8, 0), random_pixels(80, 8, 1), 40, 0)
    assert found == pytest.approx(0.5, abs=0.17)  # 80 tested: three standard errors


def test_the_seed_decides_all_and_the_global_source_is_left_as_it_was() -> None:
    drawn, real = smooth_pixels(60, 0), corruptions.blurred(smooth_pixels(60, 1))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = two_sample.trained(drawn, real, 4, 0).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    again, other = (two_sample.trained(drawn, real, 4, seed).state_dict() for seed in (0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_of_the_larger_set_only_as_many_images_are_used_as_the_smaller_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    logits = two_sample.logits
    monkeypatch.setattr(
        two_sample, "logits", lambda net, pixels: (seen.append(len(pixels)), logits(net, pixels))[1]
    )
    two_sample.accuracy(smooth_pixels(50, 0), smooth_pixels(21, 1), 2, 0)
    assert seen == [10, 10, 10, 10]  # the halves for training, the halves for the test
