"""Are the samples of a condition samples of its posterior?

`drawn` is (N, M, C, H, W) uint8, M samples for each of N conditions; `truth` is (N, C, H, W) uint8, the
image each condition was made from. Errors, deviations and distances are of pixels scaled to [0, 1].
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pipeline.metrics import scores
from pipeline.runtime.randomness import generator

CHUNK = 16  # conditions taken at once
RANKS = "ranks"  # purpose of random numbers
NUM_DRAWS = (2, 4, 8, 16, 32)  # P: samples whose mean is compared with one sample
ROUNDING = 1e-9  # deviations that differ by less are the same: a grey level is 4e-3


def errors(drawn: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean squared error of the samples, and of the mean of all M samples of a condition."""
    mean_mse = mse_of_means(drawn, truth, drawn.shape[1])
    return {"sample_mse": mse_of_means(drawn, truth, 1), "mean_mse": mean_mse}


def gains(drawn: Tensor, truth: Tensor) -> dict[int, float]:
    """What averaging P samples gains in PSNR over one, in dB, by P up to M; 0 where samples do not differ."""
    one = mse_of_means(drawn, truth, 1)
    counts = [num for num in NUM_DRAWS if num <= drawn.shape[1]]
    return {num: decibels(one, mse_of_means(drawn, truth, num)) for num in counts}


def theoretical_gain(num_draws: int) -> float:
    """The gain of P true posterior samples, 10 log10(2 P / (P + 1)) dB, whatever the data.

    Truth x and samples are then P + 1 independent draws from one distribution, so that
    E|x - mean_P|^2 = (1 + 1 / P) var, and 2 var for one sample (Bendel et al. 2023, arXiv:2210.13389).
    """
    return 10 * math.log10(2 * num_draws / (num_draws + 1))


def decibels(error: float, other: float) -> float:
    """How much smaller the other mean squared error is, in dB; of two zeros 0."""
    if other == 0:
        return 0.0 if error == 0 else math.inf
    return 10 * math.log10(error / other)


def mse_of_means(drawn: Tensor, truth: Tensor, num_draws: int) -> float:
    """Mean squared error of the mean of P samples, over the M // P disjoint groups of them."""
    return errors_of_means(drawn, truth, num_draws).mean().item()


def errors_of_means(drawn: Tensor, truth: Tensor, num_draws: int) -> Tensor:
    """The same of each condition, (N,) float64."""
    num_groups, found = drawn.shape[1] // num_draws, list[Tensor]()
    for x, target in pairs(drawn[:, : num_groups * num_draws], truth):
        means = x.float().unflatten(1, (num_groups, num_draws)).mean(2)  # (CHUNK, M // P, C, H, W)
        found.append((means - target[:, None]).square_().flatten(1).mean(1, dtype=torch.float64))
    return torch.cat(found) / 255**2


def spread(drawn: Tensor) -> float:
    """Average per-pixel standard deviation (APSD) of a condition's samples; 0 for M = 1."""
    return sum(variance.sqrt().sum().item() for variance in variances(drawn)) / drawn[:, 0].numel()


def spread_maps(drawn: Tensor) -> Tensor:
    """The standard deviation at each pixel, root of the channels' mean variance, (N, H, W) float32."""
    return torch.cat([variance.mean(1).sqrt().float() for variance in variances(drawn)])


def variances(drawn: Tensor) -> Iterator[Tensor]:
    """The unbiased variance over the samples, 0 for M = 1, (CHUNK, C, H, W) float64."""
    num_draws = drawn.shape[1]
    exact = torch.float32 if num_draws * 255**2 < 2**24 else torch.float64  # where sums of squares are
    for x in drawn.split(CHUNK):
        total, squares = x.to(exact).sum(1).double(), x.to(exact).square().sum(1).double()
        yield (squares - total.square() / num_draws) / max(1, num_draws - 1) / 255**2


def ranks(drawn: Tensor, truth: Tensor, seed: int) -> Tensor:
    """How often the truth is the k-th smallest of itself and its samples: shares (M + 1,) float64, in sum 1.

    All equally often: calibrated. More at both ends: too little spread; in the middle: too much. The truth
    takes a random place among samples equal to it (Hamill 2001,
    doi:10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2).
    """
    return rank_counts(drawn, truth, seed)[:, 0].sum(0).double() / truth.numel()


def rank_counts(drawn: Tensor, truth: Tensor, seed: int) -> Tensor:
    """How many pixels of each condition have which rank, (N, 2, M + 1): of all, and of those where truth and
    samples are not all equal.
    """
    num_ranks, source, found = drawn.shape[1] + 1, generator(seed, RANKS), list[Tensor]()
    for x, target in pairs(drawn, truth):
        below, equal = (x < target[:, None]).sum(1), (x == target[:, None]).sum(1)
        place = torch.rand(below.shape, generator=source, dtype=torch.float64) * (equal + 1)
        rank, vary = (below + place.long()).flatten(1), (equal < drawn.shape[1]).flatten(1)
        counts = torch.zeros(len(rank), 2, num_ranks, dtype=torch.int64)
        counts[:, 0].scatter_add_(1, rank, torch.ones_like(rank))
        counts[:, 1].scatter_add_(1, rank, vary.long())
        found.append(counts)
    return torch.cat(found)


def rank_distance(shares: Tensor) -> float:
    """Total-variation distance of a rank histogram to the uniform one: 0 at best, M / (M + 1) at worst."""
    return (shares - 1 / len(shares)).abs().sum().item() / 2


def calibration(drawn: Tensor, truth: Tensor) -> float:
    """Pearson correlation over pixels of the samples' standard deviation with the error of their mean, root
    mean squares over the channels; 0 where either is constant.
    """
    errors = squared_errors(drawn, truth).sqrt()
    return correlation(spread_maps(drawn).double().flatten(), errors.flatten())


def squared_errors(drawn: Tensor, truth: Tensor) -> Tensor:
    """The squared error of the samples' mean at each pixel, averaged over the channels, (N, H, W) float64."""
    found = [(x.mean(1, dtype=torch.float64) - target).square().mean(1) for x, target in pairs(drawn, truth)]
    return torch.cat(found) / 255**2


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's, of values (N,) float64; 0 where either set is constant."""
    if any((values.max() - values.min()).item() < ROUNDING for values in (a, b)):
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    return (a @ b / (a.norm() * b.norm())).item()


def pair_distance(drawn: Tensor) -> float:
    """Mean absolute difference of two samples of a condition, over all pairs and pixels; 0 for M = 1.

    In ascending order x_0 .. x_(M-1) the differences of all pairs sum to sum_i (2 i - M + 1) x_i.
    """
    num_draws, total = drawn.shape[1], 0.0
    weights = torch.arange(1 - num_draws, num_draws, 2, dtype=torch.float64)
    for x in drawn.split(CHUNK):
        sums = scores.ascending(x.flatten(2).float()).sum((0, 1), dtype=torch.float64)  # (M,)
        total += (sums @ weights).item()
    num_pairs = max(1, num_draws * (num_draws - 1) // 2)
    return total / (num_pairs * drawn[:, 0].numel()) / 255


def energy_score(drawn: Tensor, truth: Tensor) -> float:
    """The energy score of whole images, see scores.py, averaged over conditions."""
    found = [scores.energy(x.flatten(2).double(), y.flatten(1).double()) for x, y in pairs(drawn, truth)]
    return torch.cat(found).mean().item() / 255


def pairs(drawn: Tensor, truth: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """A few conditions at a time: their samples (CHUNK, M, C, H, W) and truths (CHUNK, C, H, W)."""
    return zip(drawn.split(CHUNK), truth.split(CHUNK), strict=True)
