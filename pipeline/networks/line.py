"""Networks of single numbers: two hidden layers of smooth units, for what can be checked on the line."""

import torch
from torch import Tensor, nn

from pipeline.networks.layers import for_each, reject_batch_norm
from pipeline.networks.network import Spec

CONDITIONS, BATCH_NORM, TRUNCATES = ("numbers",), False, False


def mlp(num_inputs: int, width: int) -> nn.Module:
    """(N, num_inputs) -> (N, 1)."""
    layers = nn.Linear(num_inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
    return nn.Sequential(*layers, nn.Linear(width, 1))


def build(spec: Spec) -> nn.Module:
    return Generator(spec.num_latents, spec.num_conditions, spec.width)


class Generator(nn.Module):
    """(z, c) -> x, (N, 1), not bounded."""

    num_noise = 0

    def __init__(self, num_latents: int, num_conditions: int, width: int) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.layers = mlp(num_conditions + num_latents, width)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        x: Tensor = self.layers(torch.cat([for_each(c, z), z], 1))
        return x


class Discriminator(nn.Module):
    """(x, c) -> logits (N,), of single numbers and their conditions."""

    def __init__(
        self,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, ...],
        batch_norm: bool = False,
        minibatch_stddev: bool = False,
    ) -> None:
        reject_batch_norm("line", batch_norm or minibatch_stddev)
        super().__init__()
        self.num_conditions = num_conditions
        self.layers = mlp(num_conditions + 1, width)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        logits: Tensor = self.layers(torch.cat([c[:, : self.num_conditions], x], 1))
        return logits.squeeze(1)
