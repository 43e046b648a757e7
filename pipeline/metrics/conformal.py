"""Intervals that hold: [mean - l (sd + c), mean + l (sd + c)] at each pixel, from samples of any kind, with l
chosen on drawings that steered nothing (conformal risk control, Angelopoulos et al. 2022, arXiv:2208.02814).

Of an unseen drawing, in expectation over it and over those chosen on, at least the share 1 - ALPHA of the
pixels lies inside.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.metrics import bases as of_bases

ALPHA = 0.1  # the share of the pixels that may lie outside
FLOOR = 0.02  # c, of pixels in [0, 1]: so that a point forecast has an interval, too
LARGEST = 1e6  # l: with fewer than 1 / ALPHA - 1 bases nothing less will do
HALVINGS = 60  # of the interval in which l is looked for


class Intervals(NamedTuple):
    """The centre and half the width, for l = 1, of each pixel's interval, (N, P)."""

    centre: Tensor
    half: Tensor


def intervals(drawn: Tensor) -> Intervals:
    """Of samples (N, M, P) in [0, 1]; M = 1 has no standard deviation."""
    sd = drawn.std(1) if drawn.shape[1] > 1 else torch.zeros_like(drawn[:, 0])
    return Intervals(drawn.mean(1), sd + FLOOR)


def missed(found: Intervals, truth: Tensor, multiple: float) -> Tensor:
    """The share of pixels of each truth (N, P) outside of its intervals, so many times as wide, (N,)."""
    outside = (truth - found.centre).abs() > multiple * found.half
    return outside.double().mean(1)


def calibrated(found: Intervals, truth: Tensor, bases: Tensor) -> float:
    """The smallest l at which B bases miss so little, R, that B / (B + 1) R + 1 / (B + 1) <= ALPHA."""
    if not len(truth):
        return LARGEST
    num_bases, ratios = len(bases.unique()), (truth - found.centre).abs() / found.half

    def holds(multiple: float) -> bool:
        risk = of_bases.means((ratios > multiple).double().mean(1), bases).mean().item()
        return (num_bases * risk + 1) / (num_bases + 1) <= ALPHA

    low, high = 0.0, min(LARGEST, ratios.max().item())
    if not holds(high):
        return LARGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
