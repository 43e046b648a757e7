"""FID and KID of two sets of features. Torchmetrics has them, too: tests hold these against it, as it takes
seconds to import in each evaluation.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Statistics(NamedTuple):
    """The normal distribution fitted to a set of features."""

    mean: Tensor  # (D,) float64
    covariance: Tensor  # (D, D) float64


def statistics(features: Tensor) -> Statistics:
    """Mean and unbiased covariance of features (N, D); of a single one the covariance is 0."""
    centred = features.double()
    mean = centred.mean(0)
    centred = centred - mean
    return Statistics(mean, centred.T @ centred / max(len(features) - 1, 1))


def distance(a: Statistics, b: Statistics) -> float:
    """Frechet distance of two normal distributions.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (R S2 R)^(1/2)), R the symmetric root of S1 (Dowson and Landau 1982). R S2 R
    has the eigenvalues of S1 S2 and is symmetric, so that neither features that never fire nor sets of fewer
    images than features do harm.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    traces = a.covariance.trace() + b.covariance.trace()
    return ((a.mean - b.mean).square().sum() + traces - 2 * cross).item()


def fid(drawn: Tensor, real: Tensor) -> float:
    """Frechet distance of features (N, D) taken for normal (Heusel et al. 2017, arXiv:1706.08500)."""
    return distance(statistics(drawn), statistics(real))


def kid(drawn: Tensor, real: Tensor, num_subsets: int, subset_size: int) -> float:
    """Squared maximum mean discrepancy, kernel (x . y / D + 1)^3 (Binkowski et al. 2018, arXiv:1801.01401).

    Unbiased, so it may be negative; the mean over random subsets, which come from torch's global source.
    """
    found = []
    for _ in range(num_subsets):
        x, y = (rows[torch.randperm(len(rows))[:subset_size]] for rows in (real, drawn))
        within = sum(kernel(rows, rows).fill_diagonal_(0).sum(dtype=torch.float64) for rows in (x, y))
        between = kernel(x, y).sum(dtype=torch.float64)
        found.append(within / (subset_size * (subset_size - 1)) - 2 * between / subset_size**2)
    return torch.stack(found).mean().item()


def kernel(x: Tensor, y: Tensor) -> Tensor:
    """(x . y / D + 1)^3 of all pairs of features (n, D) and (m, D), (n, m)."""
    product = x @ y.T / x.shape[1] + 1
    return product * product * product
