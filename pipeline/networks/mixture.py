"""A generator that first picks one of the hidden groups it was trained with, then draws an image of it."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import for_each


class Mixture(nn.Module):
    """G(z, (c, k)) with k picked at the frequency that group k has in class c, by the last number of z.

    Told the group too, it uses that and picks none; so it is trained. `shares` are the frequencies of the
    groups within each class, (classes, M); one class where `num_conditions`, K, is 0.
    """

    def __init__(self, generator: nn.Module, num_conditions: int, shares: Tensor) -> None:
        super().__init__()
        self.generator, self.num_conditions = generator, num_conditions
        self.num_latents = cast(int, generator.num_latents)
        self.num_noise = cast(int, generator.num_noise) + 1
        self.upper: Tensor
        self.register_buffer("upper", shares.cumsum(1))

    @property
    def num_evaluations(self) -> int:
        return cast(int, self.generator.num_evaluations)

    def set_shares(self, shares: Tensor) -> None:
        self.upper.copy_(shares.cumsum(1))

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        z, pick, c = z[:, :-1], z[:, -1], for_each(c, z)
        if c.shape[1] == self.num_conditions:
            c = torch.cat([c, self.groups(pick, c)], 1)
        return self.generator(z, c)

    def groups(self, pick: Tensor, c: Tensor) -> Tensor:
        """The groups that standard normal numbers (N,) pick, one-hot, (N, classes * M)."""
        num_classes, num_groups = self.upper.shape
        classes = c.argmax(1) if self.num_conditions else c.new_zeros(len(c), dtype=torch.long)
        below = self.upper[classes] <= torch.special.ndtr(pick.float())[:, None]
        k = below.sum(1).clamp(max=num_groups - 1)
        return F.one_hot(classes * num_groups + k, num_classes * num_groups).to(c.dtype)
