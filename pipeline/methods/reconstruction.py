"""How near draws of one condition are to the truth, and how far from each other: pure functions of P draws,
(N, P, C, H, W), and what they should be, (N, C, H, W).
"""

import math

from torch import Tensor

EPSILON = 1e-5  # of arXiv:1903.05628: where two draws are equal


def l1(drawn: Tensor, x: Tensor) -> Tensor:
    """|x - mean of the draws|, averaged over pixels; of one draw, the plain L1 of pix2pix (arXiv:1611.07004).

    Of several it leaves each draw free to differ from the mean (Bendel et al. 2023, arXiv:2210.13389).
    """
    return (x - drawn.mean(1)).abs().mean()


def l2(drawn: Tensor, x: Tensor) -> Tensor:
    """(x - mean of the draws)^2, averaged over pixels."""
    return (x - drawn.mean(1)).square().mean()


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
    """|z_1 - z_2| / |x_1 - x_2| of the first two draws: small where different latents give different pictures
    (Mao et al. 2019, arXiv:1903.05628).

    Args:
        drawn: (N, P, C, H, W), P at least 2.
        z: their latents, (N, P, Z).
    """
    pictures = (drawn[:, 0] - drawn[:, 1]).abs().flatten(1).mean(1)
    latents = (z[:, 0] - z[:, 1]).abs().mean(1)
    return (1 / (pictures / latents + EPSILON)).mean()
