"""Networks of single numbers: two hidden layers of smooth units, for what can be checked on the line."""

import torch
from torch import Tensor, nn

from pipeline.networks.layers import for_each
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec


def mlp(num_inputs: int, width: int) -> nn.Module:
    """(N, num_inputs) -> (N, 1)."""
    layers = nn.Linear(num_inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
    return nn.Sequential(*layers, nn.Linear(width, 1))


class Generator(Sampler):
    """(z, c) -> x, (N, 1), not bounded."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.layers = mlp(spec.num_conditions + spec.num_latents, spec.width)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.layers(torch.cat([for_each(c, z), z], 1))


class Discriminator(nn.Module):
    """(x, c) -> logits (N,), of single numbers and their conditions."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.num_conditions = spec.num_conditions
        self.layers = mlp(spec.num_conditions + 1, spec.width)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.layers(torch.cat([c[:, : self.num_conditions], x], 1)).squeeze(1)


NETWORK = Network(("numbers",), Generator, Discriminator)
