"""What a flow's network should answer, where it is known: x-hat = E[x_1 | x_t] with x_t = (1 - t) x_0 + t x_1
and x_0 ~ N(0, I), for data x_1 from a mixture of normals, or of finitely many points.
"""

import torch
from torch import Tensor


def mixture(x: Tensor, t: float, centres: Tensor, sd: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """x-hat for data N(centre_k, sd^2 I) with chance weight_k; sd = 0: the centres themselves, such as all
    training images, which a flow with this x-hat can only copy (arXiv:2506.03719).

    By component x_t is N(t centre, (1 - t)^2 + t^2 sd^2), and x_1 given x_t its regression on it.

    Args:
        x: x_t, (N, D).
        t: in [0, 1).
        centres: (K, D).
        sd: of each coordinate, in all components.
        weights: (K,), in sum 1; all equal if not given.
    """
    variance = (1 - t) ** 2 + (t * sd) ** 2
    offsets = x[:, None] - t * centres  # (N, K, D)
    logits = -offsets.square().sum(2) / (2 * variance)
    if weights is not None:
        logits = logits + weights.log()
    means = centres + t * sd**2 / variance * offsets
    return (logits.softmax(1)[..., None] * means).sum(1)


def euler_sd(sd: float, num_steps: int) -> float:
    """The standard deviation of what N Euler steps with the exact x-hat make of noise, for data of standard
    deviation sd: the product over steps of 1 + a(t_k) / N with a(t) = (t sd^2 - (1 - t)) / ((1 - t)^2 + t^2
    sd^2); 0 for one step, sd in the limit.
    """
    found = 1.0
    for k in range(num_steps):
        t = k / num_steps
        found *= 1 + (t * sd**2 - (1 - t)) / ((1 - t) ** 2 + (t * sd) ** 2) / num_steps
    return abs(found)


def least_scores(points: Tensor, weights: Tensor) -> tuple[float, float]:
    """For finitely many answers (K, D) with chances (K,): the variance V, which is the least mean squared
    error of one answer, and the least energy score, half the mean distance of two independent draws.
    """
    variance = weights @ (points - weights @ points).square().sum(1)
    distance = weights @ torch.cdist(points, points) @ weights
    return variance.item(), distance.item() / 2
