"""How sure figures are: of N values those of one base are not independent of each other, so that intervals
and bands resample whole bases.

Values are (N, ...) float64, `bases` (N,) whole numbers, equal where values belong together.
"""

import torch
from torch import Tensor

from pipeline.runtime import randomness

NUM_RESAMPLED = 1000
RESAMPLES, SIGNS = "resampled bases", "signs of bases"  # purposes of random numbers


def sums(values: Tensor, bases: Tensor) -> Tensor:
    """The sum over each base, (B, ...)."""
    which = bases.unique(return_inverse=True)[1]
    total = values.new_zeros(int(which.max()) + 1, *values.shape[1:])
    return total.index_add_(0, which, values)


def means(values: Tensor, bases: Tensor) -> Tensor:
    """The mean of each base, (B,), of values (N,)."""
    return sums(values, bases) / sums(torch.ones_like(values), bases)


def resampled_means(values: Tensor, bases: Tensor, seed: int) -> Tensor:
    """The mean of all values, each time of as many bases, drawn with replacement: (NUM_RESAMPLED, ...)."""
    totals, counts = sums(values, bases), sums(torch.ones(len(values), dtype=torch.float64), bases)
    source, num = randomness.generator(seed, RESAMPLES), len(counts)
    drawn = torch.randint(num, (NUM_RESAMPLED, num), generator=source)
    times = torch.zeros(NUM_RESAMPLED, num, dtype=torch.float64).scatter_add_(
        1, drawn, torch.ones(NUM_RESAMPLED, num, dtype=torch.float64)
    )
    found = times @ totals.view(num, -1) / (times @ counts)[:, None]
    return found.view(-1, *values.shape[1:])


def interval(resampled: Tensor, level: float = 0.95) -> tuple[float, float]:
    """Between which two values that share of the resampled figures (NUM_RESAMPLED,) lies."""
    low, high = resampled.quantile(
        torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    ).tolist()
    return low, high


def random_signs(num_bases: int, seed: int) -> Tensor:
    """1 or -1 for each base, (NUM_RESAMPLED, B): what a sum of values whose distribution is symmetric about 0
    may as well have been, is that of values with random signs.
    """
    source = randomness.generator(seed, SIGNS)
    return 2.0 * torch.randint(2, (NUM_RESAMPLED, num_bases), generator=source).double() - 1
