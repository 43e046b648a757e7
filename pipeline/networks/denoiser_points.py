"""Flows' networks of points in the plane, several side by side as in points.py."""

import math

import torch
from torch import Tensor, nn

from pipeline.networks.network import Network, Spec
from pipeline.networks.points import SCALE, Layer, by_member, hidden, in_turns
from pipeline.networks.times import NUM_TIMES, time_features

NUM_WAVES = 4  # of each coordinate, each twice as short as the one before


class Denoiser(nn.Module):
    """(x_t, t, c) -> x-hat: three hidden layers of `width` smooth units for each member, told of time.

    It sees coordinates as waves too (Tancik et al. 2020, arXiv:2006.10739), or many narrow modes would take
    long to be told apart.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.num_members, self.turn = spec.num_members, spec.turn
        self.layers = hidden(spec.num_members, 2 + 4 * NUM_WAVES + NUM_TIMES, spec.width, nn.SiLU())
        self.head = Layer(spec.num_members, spec.width, 2)

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        """Points (S * N, 2) and times (S * N,); a condition has no effect."""
        waves = (math.pi / SCALE * 2.0 ** torch.arange(NUM_WAVES) * x_t[:, :, None]).flatten(1)
        h = torch.cat([x_t, waves.sin(), waves.cos(), time_features(t)], 1)
        h = self.layers(by_member(h, self.num_members, self.turn))
        return SCALE * in_turns(self.head(h), self.turn)


NETWORK = Network(("points",), Denoiser, denoises=True)
