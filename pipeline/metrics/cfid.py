"""CFID: is it the same distribution under each condition?"""

import torch
from torch import Tensor

from pipeline.metrics import frechet
from pipeline.metrics.frechet import Statistics
from pipeline.runtime.errors import InputError


def cfid(drawn: Tensor, real: Tensor, given: Tensor) -> float:
    """Conditional Frechet distance (Soloveitchik et al. 2021, arXiv:2103.11521): that of drawn and real
    images under one condition, in the mean over conditions, all taken for jointly normal.

    |m_x - m_x'|^2 + tr((C_xy - C_x'y) C_yy^-1 (C_yx - C_yx')) + tr(S + S' - 2 (S S')^(1/2)), where
    S = C_xx - C_xy C_yy^-1 C_yx is the covariance of x given y. Of N conditions even a perfect sampler
    scores 2 E / N tr S and more, as the slopes of both sets are estimated: compare values of equal N, D and E
    only.

    Args:
        drawn, real: features of one drawn and the true image of each condition, (N, D).
        given: features of the conditions, (N, E).

    Raises:
        InputError: too few conditions to tell S from 0.
    """
    num, least = len(given), given.shape[1] + 1
    if num <= least:
        found = f"{num} conditions with {given.shape[1]} features"
        raise InputError(f"CFID of {found}: needs more than {least} conditions")
    width = real.shape[1]
    a, b = (frechet.statistics(torch.cat([features, given], 1)) for features in (drawn, real))
    inverse = torch.linalg.pinv(b.covariance[width:, width:], hermitian=True)  # features may never fire
    difference = (a.covariance - b.covariance)[:width, width:]
    slopes = (difference @ inverse @ difference.T).trace().item()
    return slopes + frechet.distance(conditioned(a, inverse), conditioned(b, inverse))


def conditioned(joint: Statistics, inverse: Tensor) -> Statistics:
    """Of normal (x, y): the mean of x, and its covariance when y is known; `inverse` is C_yy^-1, (E, E)."""
    width = len(joint.mean) - len(inverse)
    cross = joint.covariance[:width, width:]
    return Statistics(joint.mean[:width], joint.covariance[:width, :width] - cross @ inverse @ cross.T)
