"""Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): among the values that a function takes on
L samples of a condition, that of the truth is as often the smallest as any other, if they are samples of the
posterior, whatever the function.

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
    float64; how far it may be, for all k and functions at once, with the probability LEVEL; and how probable a
    largest excess like this is.
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

    The band is wide where the deviation may be by chance (as in Saeilynoja et al. 2022, arXiv:2103.10522):
    a multiple of the standard deviation that the bases' own deviations show, or of that of as many independent
    ranks, if that is larger. Which multiple, random signs of the bases' deviations say.
    """
    num = torch.arange(1, num_draws + 1)
    expected = num.double() / (num_draws + 1)
    below = (ranks[:, :, None] < num).double() - expected  # (N, F, L)
    of_base = of_bases.sums(below, bases).flatten(1) / len(ranks)  # (B, F L)
    independent = (expected * (1 - expected) / len(ranks)).repeat(ranks.shape[1])
    scale = torch.maximum(of_base.square().sum(0), independent).sqrt()
    deviation = of_base.sum(0)
    excess = (deviation.abs() / scale).max()
    by_chance = ((of_bases.random_signs(len(of_base), seed) @ of_base).abs() / scale).amax(1)
    p_value = (1 + int((by_chance >= excess).sum())) / (1 + len(by_chance))
    shape = ranks.shape[1], num_draws
    return Uniformity(deviation.view(shape), (by_chance.quantile(LEVEL) * scale).view(shape), p_value)
