"""Proper scores of samples, a value a condition: their expectation is least for samples of the posterior
(Gneiting and Raftery 2007, doi:10.1198/016214506000001437). They say which of two samplers is better, not
whether one is right.

`drawn` is (N, M, P), M samples for each of N conditions, `truth` (N, P): numbers, or pixels in [0, 1].
"""

import numpy as np
import torch
from torch import Tensor


def ascending(drawn: Tensor) -> Tensor:
    """Each number's samples in order, (N, P, M); NumPy sorts floats several times as fast as PyTorch does."""
    return torch.from_numpy(np.sort(drawn.transpose(1, 2).contiguous().numpy(), axis=2))


def crps(drawn: Tensor, truth: Tensor) -> Tensor:
    """The continuous ranked probability score, mean_i |x - g_i| - 1/2 mean_(i != j) |g_i - g_j|, mean over
    the numbers, (N,); fair: that of M samples is that of infinitely many, in expectation (Ferro 2014,
    doi:10.1002/qj.2270). Of one sample it is the error.
    """
    num, error = drawn.shape[1], (drawn - truth[:, None]).abs().mean((1, 2))
    if num == 1:
        return error
    weights = torch.arange(1 - num, num, 2, dtype=drawn.dtype)  # of ascending values: sums of all differences
    pairs = (ascending(drawn) @ weights).mean(1)
    return error - pairs / (num * (num - 1))


def energy(drawn: Tensor, truth: Tensor) -> Tensor:
    """The same with the root mean square over the numbers in the place of |.|, (N,)."""
    size, num = drawn.shape[2], drawn.shape[1]
    error = torch.cdist(truth[:, None], drawn).mean((1, 2))
    if num > 1:
        error = error - torch.cdist(drawn, drawn).sum((1, 2)) / (2 * num * (num - 1))
    return error / size**0.5


def variogram(drawn: Tensor, truth: Tensor, pairs: Tensor, order: float = 0.5) -> Tensor:
    """Mean over pairs (K, 2) of numbers of (|x_a - x_b|^p - mean_i |g_ia - g_ib|^p)^2, (N,): it sees how
    numbers hang together (Scheuerer and Hamill 2015, doi:10.1175/MWR-D-14-00269.1).
    """
    a, b = pairs.unbind(1)
    true = (truth[:, a] - truth[:, b]).abs().pow(order)
    expected = (drawn[:, :, a] - drawn[:, :, b]).abs().pow(order).mean(1)
    return (true - expected).square().mean(1)
