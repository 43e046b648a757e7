"""How a denoiser is told of time: t from 0, all noise, to 1, all data, with x_t = (1 - t) noise + t data."""

import math

import torch
from torch import Tensor

NUM_TIMES = 16  # numbers that stand for a time


def time_features(t: Tensor) -> Tensor:
    """(N,) -> (N, NUM_TIMES): cosines of t, from a constant to seven and a half waves over [0, 1]."""
    return (math.pi * torch.arange(NUM_TIMES, device=t.device) * t[:, None]).cos()


def gated(x_t: Tensor, t: Tensor) -> Tensor:
    """What a denoiser that predicts data is shown of x_t (N, ...): nothing at t = 0, where that is noise
    alone, so that one step gives one answer whatever the noise.
    """
    return x_t * (t > 0).to(x_t.dtype).view(-1, *[1] * (x_t.ndim - 1))
