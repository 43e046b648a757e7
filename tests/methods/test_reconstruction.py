"""How near draws are to the truth and to one another: hand-worked values, and what theory says of normals."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.methods import energy, reconstruction

# One condition, three draws of two pixels: means 2 and 5, absolute deviations 1, 1, 2 and 0, 6, 6.
DRAWN = torch.tensor([[1.0, 5.0], [1.0, -1.0], [4.0, 11.0]]).view(1, 3, 1, 1, 2)
X = torch.tensor([2.5, 2.0]).view(1, 1, 1, 2)


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_l1_is_the_distance_of_the_mean_draw() -> None:
    assert reconstruction.l1(DRAWN, X).item() == pytest.approx((0.5 + 3) / 2)


def test_l2_is_the_squared_distance_of_the_mean_draw() -> None:
    assert reconstruction.l2(DRAWN, X).item() == pytest.approx((0.25 + 9) / 2)


def test_of_one_draw_the_distances_are_the_plain_ones() -> None:
    x, drawn = normal(4, 3, 5, 6, seed=0), normal(4, 1, 3, 5, 6, seed=1)
    assert reconstruction.l1(drawn, x).item() == pytest.approx((x - drawn[:, 0]).abs().mean().item())
    assert reconstruction.l2(drawn, x).item() == pytest.approx((x - drawn[:, 0]).square().mean().item())


def test_the_spread_by_hand() -> None:
    """sqrt(pi / (2 * 3 * 2)) times sums of absolute deviations 4 and 12, on average 8."""
    assert reconstruction.spread(DRAWN).item() == pytest.approx(math.sqrt(math.pi / 12) * 8)
    two = DRAWN[:, :2]  # means 1 and 2: deviations 0, 0 and 3, 3
    assert reconstruction.spread(two).item() == pytest.approx(math.sqrt(math.pi / 4) * 3)


@pytest.mark.parametrize("num_draws", [2, 3, 8])
@pytest.mark.parametrize("sd", [0.5, 3.0])
def test_the_spread_of_normal_draws_is_on_average_their_standard_deviation(num_draws: int, sd: float) -> None:
    """Whatever their means, which differ from pixel to pixel."""
    means = 10 * normal(2000, 1, 3, 5, 5, seed=1)
    found = reconstruction.spread(means + sd * normal(2000, num_draws, 3, 5, 5, seed=0))
    assert found.item() == pytest.approx(sd, rel=0.01)  # 150,000 pixels: four standard errors at most


def test_the_spread_is_taken_over_draws_and_averaged_over_conditions() -> None:
    drawn = normal(6, 4, 3, 2, 2, seed=0)
    each = [reconstruction.spread(drawn[i : i + 1]).item() for i in range(6)]
    assert reconstruction.spread(drawn).item() == pytest.approx(sum(each) / 6, rel=1e-5)
    shuffled = drawn[:, [2, 0, 3, 1]]
    assert reconstruction.spread(shuffled).item() == pytest.approx(
        reconstruction.spread(drawn).item(), rel=1e-5
    )


@pytest.mark.parametrize(
    ("num_draws", "expected"), [(1, 0.5641896), (2, 0.3257350), (8, 0.0940316)]
)  # sqrt(1 / pi), sqrt(1 / (3 pi)), sqrt(1 / (36 pi))
def test_the_weight_of_the_spread(num_draws: int, expected: float) -> None:
    assert reconstruction.spread_weight(num_draws) == pytest.approx(expected, abs=1e-6)


# The posterior is normal with mean 0.3 and standard deviation 0.7; a generator draws m + s * noise.

MEAN, SD, NUM = 0.3, 0.7, 200_000


def rewarded(m: Tensor, s: Tensor, num_draws: int) -> Tensor:
    """rcGAN's reconstruction loss of a generator, with the same noise at each call."""
    x = MEAN + SD * normal(NUM, 1, 1, 1, seed=0)
    drawn = m + s * normal(NUM, num_draws, 1, 1, 1, seed=1)
    weight = reconstruction.spread_weight(num_draws)
    return reconstruction.l1(drawn, x) - weight * reconstruction.spread(drawn)


def slopes(m: float, s: float, num_draws: int) -> list[float]:
    """The loss's derivatives by mean and standard deviation, as multiples of the weight of the spread."""
    at = torch.tensor(m, requires_grad=True), torch.tensor(s, requires_grad=True)
    found = torch.autograd.grad(rewarded(*at, num_draws), at)
    return [slope.item() / reconstruction.spread_weight(num_draws) for slope in found]


@pytest.mark.parametrize("num_draws", [2, 8])
def test_for_a_normal_posterior_the_rewarded_loss_is_flat_at_the_true_mean_and_deviation(
    num_draws: int,
) -> None:
    assert slopes(MEAN, SD, num_draws) == pytest.approx([0, 0], abs=0.03)


@pytest.mark.parametrize("num_draws", [2, 8])
def test_away_from_the_true_deviation_the_rewarded_loss_leads_back(num_draws: int) -> None:
    """E|x - mean of draws| = sqrt(2 / pi) sqrt(SD^2 + s^2 / P), and the mean spread is s."""
    for s in (0.02 * SD, 0.5 * SD, 1.5 * SD, 3 * SD):
        of_l1 = math.sqrt(2 / math.pi) * s / num_draws / math.sqrt(SD**2 + s**2 / num_draws)
        expected = of_l1 / reconstruction.spread_weight(num_draws) - 1
        assert slopes(MEAN, s, num_draws)[1] == pytest.approx(expected, abs=0.03)
        assert (expected > 0.1) == (s > SD)
        assert (expected < -0.1) == (s < SD)


def test_without_reward_the_loss_is_least_where_draws_are_all_equal() -> None:
    x = MEAN + SD * normal(NUM, 1, 1, 1, seed=0)
    noise = normal(NUM, 2, 1, 1, 1, seed=1)
    errors = [reconstruction.l1(MEAN + s * noise, x).item() for s in (0, 0.3, 0.7, 1.0)]
    assert errors == sorted(errors)
    assert errors[0] == pytest.approx(math.sqrt(2 / math.pi) * SD, rel=0.01)


# The mode-seeking term.

Z = torch.tensor([[1.0, 0.0], [0.0, 3.0], [9.0, 9.0]])[None]  # (1, P, Z); the first two 2 apart on average


def test_the_mode_seeking_term_by_hand() -> None:
    """Images 3 apart on average (0 and 6), latents 2."""
    assert reconstruction.mode_seeking(DRAWN, Z).item() == pytest.approx(1 / (3 / 2 + 1e-5))


def test_the_mode_seeking_term_is_averaged_over_conditions() -> None:
    other = 2 * DRAWN
    both = reconstruction.mode_seeking(torch.cat([DRAWN, other]), torch.cat([Z, Z])).item()
    assert both == pytest.approx((1 / (1.5 + 1e-5) + 1 / (3 + 1e-5)) / 2)


def test_the_mode_seeking_term_falls_as_images_differ_more() -> None:
    x, z = normal(5, 1, 3, 4, 4, seed=0), normal(5, 2, 7, seed=2)
    away = normal(5, 2, 3, 4, 4, seed=1)
    found = [reconstruction.mode_seeking(x + share * away, z).item() for share in (0.0, 0.01, 0.1, 1.0, 2.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(1e5)  # all images alike
    assert found[4] == pytest.approx(found[3] / 2, rel=1e-3)


def test_the_energy_score_is_that_of_single_pixels_patches_of_four_and_the_whole_image_in_sum() -> None:
    drawn, x = normal(2, 3, 3, 8, 8, seed=0), normal(2, 3, 8, 8, seed=1)
    found = reconstruction.energy_score(drawn, x).item()
    parts = [energy.score(drawn, x[:, None], 1.0, 1.0, [size]) for size in (1, 4, 0)]
    assert found == pytest.approx(sum((error - apart / 2).item() for error, apart in parts), rel=1e-5)


# The weighted sum.


def settings(**weights: Any) -> reconstruction.Terms:
    return reconstruction.Terms(batch_size=8, packing=1, num_draws=2, **weights)


def test_the_weighted_sum_of_the_terms_by_hand_and_what_it_logs() -> None:
    fakes, x, z = normal(8, 3, 4, 4, seed=0), normal(4, 3, 4, 4, seed=1), normal(8, 5, seed=2)
    drawn, logged = fakes.unflatten(0, (4, 2)), dict[str, Tensor]()
    terms = settings(score=3.0, l1=2.0, l2=0.5, spread=1.5, mode_seeking=0.1)
    found = reconstruction.loss(fakes, x, z, terms, logged)
    l1, l2, spread = reconstruction.l1(drawn, x), reconstruction.l2(drawn, x), reconstruction.spread(drawn)
    expected = 2 * l1 + 0.5 * l2 - 2 * 1.5 * reconstruction.spread_weight(2) * spread
    expected = expected + 0.1 * reconstruction.mode_seeking(drawn, z.unflatten(0, (4, 2)))
    score = reconstruction.energy_score(drawn, x)
    assert found.item() == pytest.approx((expected + 3 * score).item(), rel=1e-6)
    assert logged == {"score": score, "l1": l1, "l2": l2, "spread": spread}


def test_terms_of_weight_0_add_nothing_and_need_no_gradient() -> None:
    fakes = normal(8, 3, 4, 4, seed=0).requires_grad_()
    logged: dict[str, Tensor] = {}
    found = reconstruction.loss(
        fakes, fakes[::2].detach(), normal(8, 5, seed=2), settings(spread=1.5), logged
    )
    assert found.item() == 0
    assert not found.requires_grad  # without l1 the reward of spread beside it is nothing
    assert logged.keys() == {"spread"}
