"""Terms of a generator's loss beside the adversarial one: how near draws of one condition are to the truth,
and how far from each other. Pure functions of P draws, (N, P, C, H, W), and the target, (N, C, H, W).
"""

import math
from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor

from pipeline.methods import energy
from pipeline.runtime.params import Count, NotNegative, Section

EPSILON = 1e-5  # of arXiv:1903.05628: where two draws are equal


class Terms(Section):
    """Weights in the generator's loss. With P draws, a batch of it has 1 / P as many conditions."""

    batch_size: Count
    packing: Count
    adversarial: NotNegative = 1.0  # of the adversarial loss; 0: no discriminator
    score: NotNegative = 0.0  # of the draws' energy score, over patches; see energy.py
    l1: NotNegative = 0.0  # of |x - mean of the draws|
    l2: NotNegative = 0.0  # of (x - mean of the draws)^2
    num_draws: Count = 1  # P: of one condition in a step of G
    spread: NotNegative = 0.0  # reward of draws that differ, beside l1; 1: rcGAN's weight, arXiv:2210.13389
    mode_seeking: NotNegative = 0.0  # of the mode-seeking term, arXiv:1903.05628

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Self:
        if not (self.adversarial or self.score or self.l1 or self.l2):
            raise ValueError("adversarial, score, l1 and l2 are all 0: one of them must be more")
        return self

    @model_validator(mode="after")
    def _draws_fill_the_batch(self) -> Self:
        self.check_multiple("batch_size", of="num_draws")
        if self.num_draws > 1 and self.packing > 1:
            alone = "draws of one condition must not fill a pack"
            raise ValueError(f"num_draws and packing: {alone}; one of them must be 1")
        if self.num_draws == 1 and (self.score or self.spread or self.mode_seeking):
            need = "score, spread and mode_seeking compare draws"
            raise ValueError(f"num_draws = 1: {need}; with them it must be 2 or more")
        return self


def l1(drawn: Tensor, x: Tensor) -> Tensor:
    """|x - mean of the draws|, averaged over pixels; of one draw, the plain L1 of pix2pix (arXiv:1611.07004).

    Of several it leaves each draw free to differ from the mean (Bendel et al. 2023, arXiv:2210.13389).
    """
    return (x - drawn.mean(1)).abs().mean()


def l2(drawn: Tensor, x: Tensor) -> Tensor:
    """(x - mean of the draws)^2, averaged over pixels."""
    return (x - drawn.mean(1)).square().mean()


def energy_score(drawn: Tensor, x: Tensor) -> Tensor:
    """The energy score over single pixels, patches and the whole image, a proper score."""
    error, apart = energy.score(drawn, x[:, None], energy.EXPONENT, 1.0, energy.PATCH_SIZES)
    return error - apart / 2


def spread(drawn: Tensor) -> Tensor:
    """The draws' standard deviation, estimated from absolute deviations, averaged over pixels.

    sqrt(pi / (2 P (P - 1))) sum_i |x_i - mean|, whose expectation is the standard deviation where draws are
    normal (Bendel et al. 2023, arXiv:2210.13389).
    """
    num_draws = drawn.shape[1]
    deviations = (drawn - drawn.mean(1, keepdim=True)).abs().sum(1)
    return math.sqrt(math.pi / (2 * num_draws * (num_draws - 1))) * deviations.mean()


def spread_weight(num_draws: int) -> float:
    """sqrt(2 / (pi P (P + 1))): the weight beside `l1` at which the two are least, for normal posteriors,
    where mean and standard deviation of the draws are the posterior's (arXiv:2210.13389).
    """
    return math.sqrt(2 / (math.pi * num_draws * (num_draws + 1)))


def mode_seeking(drawn: Tensor, z: Tensor) -> Tensor:
    """|z_1 - z_2| / |x_1 - x_2| of the first two draws, (N, P, C, H, W), and their latents, (N, P, Z): small
    where different latents give different images (Mao et al. 2019, arXiv:1903.05628).
    """
    images = (drawn[:, 0] - drawn[:, 1]).abs().flatten(1).mean(1)
    latents = (z[:, 0] - z[:, 1]).abs().mean(1)
    return (1 / (images / latents + EPSILON)).mean()


def loss(fakes: Tensor, x: Tensor, z: Tensor, terms: Terms, logged: dict[str, Tensor]) -> Tensor:
    """The weighted sum of the terms, a scalar; a weight of 0 costs nothing. Adds what it measures to
    `logged`.

    Fakes are P draws of each condition, (N, C, H, W), from latents z (N, Z), targets x (N / P, C, H, W).
    """
    num_draws, total = terms.num_draws, torch.zeros(())
    drawn = fakes.float().unflatten(0, (-1, num_draws))  # (N / P, P, C, H, W)
    for name, error in (("score", energy_score), ("l1", l1), ("l2", l2)):
        if weight := getattr(terms, name):
            value = error(drawn, x)
            logged[name] = value.detach()
            total = total + weight * value
    if num_draws > 1:
        weight = terms.l1 * terms.spread * spread_weight(num_draws)
        deviation = spread(drawn if weight else drawn.detach())
        logged["spread"] = deviation.detach()
        total = total - weight * deviation
    if terms.mode_seeking:
        total = total + terms.mode_seeking * mode_seeking(drawn, z.unflatten(0, (-1, num_draws)))
    return total
