"""A flow's network of single numbers."""

import torch
from torch import Tensor, nn

from pipeline.networks.line import mlp
from pipeline.networks.network import Network, Spec
from pipeline.networks.times import NUM_TIMES, time_features


class Denoiser(nn.Module):
    """(x_t, t, c) -> x-hat, (N, 1)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.layers = mlp(1 + NUM_TIMES + spec.num_conditions, spec.width)

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        return self.layers(torch.cat([x_t, time_features(t), c], 1))


NETWORK = Network(("numbers",), Denoiser, denoises=True)
