"""Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): among the values that a function takes
on L samples of a condition, that of the truth is as often the smallest as any other, if they are samples of
the posterior, whatever the function.

A function may depend on the condition, and must where samples that pay no heed to it shall be found out. The
distance to a random reference is one: TARP (Lemos et al. 2023, arXiv:2302.03026).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.metrics import bases as of_bases
from pipeline.runtime import randomness

LEVEL = 0.95  # of the bands
TIES = "places among equals"  # purpose of random numbers


class Uniformity(NamedTuple):
    """How far the share of ranks below k, k = 1 .. L, of each of F functions is from k / (L + 1), (F, L)
    float64; how far it may be, for all k and functions at once, with the probability LEVEL; and how probable
    as large an excess is by chance.
    """

    deviation: Tensor
    band: Tensor
    p_value: float


def ranks(truth: Tensor, drawn: Tensor, seed: int) -> Tensor:
    """How many of the L samples' values (N, L, F) are smaller than the truth's (N, F), (N, F) int64; among
    equal ones it takes a random place.
    """
    below, equal = (drawn < truth[:, None]).sum(1), (drawn == truth[:, None]).sum(1)
    place = torch.rand(below.shape, generator=randomness.generator(seed, TIES), dtype=torch.float64)
    return below + (place * (equal + 1)).long()


def uniformity(ranks: Tensor, num_draws: int, bases: Tensor, seed: int) -> Uniformity:
    """Of ranks (N, F) among L samples, of bases (N,).

    As in Saeilynoja et al. 2022 (arXiv:2103.10522) the band is wide where the deviation may be large by
    chance. How large, the bases' own deviations say; at the ends, where a rank is seldom, that of independent
    ranks, times what bases make of it elsewhere, if that is more. The band is a multiple of that, found by
    random signs of the bases' deviations.
    """
    num = torch.arange(1, num_draws + 1)
    expected = num.double() / (num_draws + 1)
    below = (ranks[:, :, None] < num).double() - expected  # (N, F, L)
    of_base = of_bases.sums(below, bases) / len(ranks)  # (B, F, L)
    variance, independent = of_base.square().sum(0), expected * (1 - expected) / len(ranks)
    factor = (variance.sum(1, keepdim=True) / independent.sum()).clamp(min=1)  # (F, 1)
    scale = torch.maximum(variance, factor * independent).sqrt().flatten()
    deviation = of_base.sum(0)
    excess = (deviation.flatten().abs() / scale).max()
    signs = of_bases.random_signs(len(of_base), seed)
    by_chance = ((signs @ of_base.flatten(1)).abs() / scale).amax(1)
    p_value = (1 + int((by_chance >= excess).sum())) / (1 + len(by_chance))
    return Uniformity(deviation, (by_chance.quantile(LEVEL) * scale).view_as(deviation), p_value)
