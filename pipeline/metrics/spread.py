"""Are samples spread as far as the truth is from them? Gain of averages, standard deviation over error, and
coverage of intervals from one sample to another, with 95 % intervals over bases; `drawn` as in judged.py.
"""

from typing import Any

import torch
from torch import Tensor

from pipeline.metrics import bases as of_bases
from pipeline.metrics import posterior
from pipeline.metrics.judged import Known

LEVELS = (0.5, 0.8, 0.9, 0.95)  # of intervals from one sample to another


def gains(drawn: Tensor, known: Known, seed: int) -> list[dict[str, Any]]:
    """What the mean of P samples gains in PSNR over one, in dB, with its 95 % interval: rows by P."""
    counts = [num for num in (1, *posterior.NUM_DRAWS) if num <= drawn.shape[1]]
    errors = torch.stack([posterior.errors_of_means(drawn, known.truth, num) for num in counts], 1)
    found, resampled = (
        10 * (means[..., :1] / means).log10()
        for means in (errors.mean(0), of_bases.resampled_means(errors, known.bases, seed))
    )
    return [
        {"num_draws": num, "gain": found[i].item(), "interval": of_bases.interval(resampled[:, i])}
        for i, num in enumerate(counts)
        if i
    ]


def ratio(drawn: Tensor, known: Known, seed: int) -> dict[str, Any]:
    """The samples' standard deviation over that which the errors of their mean say, `ratio`, with its 95 %
    interval: 1 for samples of the posterior, 2/3 for samples too alike by a third.
    """
    num_draws = drawn.shape[1]
    variance = torch.cat([part.flatten(1).mean(1) for part in posterior.variances(drawn)])
    error = posterior.errors_of_means(drawn, known.truth, num_draws)
    both = torch.stack([(1 + 1 / num_draws) * variance, error], 1)
    found, resampled = (
        (means[..., 0] / means[..., 1]).sqrt()
        for means in (both.mean(0), of_bases.resampled_means(both, known.bases, seed))
    )
    return {"ratio": found.item(), "interval": of_bases.interval(resampled)}


def coverage(counts: Tensor, bases: Tensor, seed: int) -> list[dict[str, Any]]:
    """How much of what is ranked, counts (N, M + 1) by rank, lies between the k-th smallest and the k-th
    largest sample, for the k that come next to LEVELS: rows of k, `level`, `share` and its 95 % interval.
    """
    num, found = counts.shape[1] - 1, list[dict[str, Any]]()
    for k in sorted({max(1, round((1 - level) * (num + 1) / 2)) for level in LEVELS}, reverse=True):
        both = torch.stack([counts[:, k : num + 1 - k].sum(1), counts.sum(1)], 1).double()
        resampled = of_bases.resampled_means(both, bases, seed)
        share = both[:, 0].sum() / both[:, 1].sum()
        interval = of_bases.interval(resampled[:, 0] / resampled[:, 1])
        found.append(
            {"k": k, "level": (num + 1 - 2 * k) / (num + 1), "share": share.item(), "interval": interval}
        )
    return found
