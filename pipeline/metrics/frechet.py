"""FID and KID of two sets of features: `fid` and `kid` by torchmetrics, for the final numbers; and
`distance`, the same FID without it, for a look during training, as torchmetrics takes seconds to import.
"""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn


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
    """Frechet distance of two normal distributions: what `fid` gives for the features they were taken from,
    which torchmetrics rounds to float32.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (R S2 R)^(1/2)), R the symmetric root of S1 (Dowson and Landau 1982). R S2 R
    has the eigenvalues of S1 S2 and is symmetric, so that neither features that never fire nor sets of fewer
    images than features do harm.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    traces = a.covariance.trace() + b.covariance.trace()
    return ((a.mean - b.mean).square().sum() + traces - 2 * cross).item()


class _Given(nn.Identity):
    """torchmetrics' extractor, of what is features already: they are computed once for all metrics."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features  # saves torchmetrics a trial run


def fid(drawn: Tensor, real: Tensor) -> float:
    """Frechet distance of features (N, D) taken for normal (Heusel et al. 2017, arXiv:1706.08500)."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_Given(real.shape[1]))
    metric.update(real, real=True)
    metric.update(drawn, real=False)
    return float(metric.compute())


def kid(drawn: Tensor, real: Tensor, num_subsets: int, subset_size: int) -> float:
    """Squared maximum mean discrepancy, kernel (x . y / D + 1)^3 (Binkowski et al. 2018, arXiv:1801.01401).

    Unbiased, so it may be negative; the mean over random subsets, which come from torch's global source.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings():  # that all features stay in memory: of 10,000 images that is 5 MB
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save all")
        metric = KernelInceptionDistance(_Given(real.shape[1]), subsets=num_subsets, subset_size=subset_size)
    metric.update(real, real=True)
    metric.update(drawn, real=False)
    return float(metric.compute()[0])
