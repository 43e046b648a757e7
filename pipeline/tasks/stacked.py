"""Stacked MNIST: three digits as the channels of one picture, so a thousand modes that a judge can count.

Metz et al. 2017 (arXiv:1611.02163); numbers of images as in Lin et al. 2018 (arXiv:1712.04086).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipeline.data.digits import NUM_CLASSES, Pictures
from pipeline.data.images import to_float
from pipeline.runtime import randomness

NUM_CHANNELS = 3
NUM_MODES = NUM_CLASSES**NUM_CHANNELS


@dataclass(frozen=True)
class Stacked:
    """Pictures of three digits each, chosen by the seed; made when asked for.

    Args:
        digits: single digits, (N, 1, H, W).
        num_pictures: how many stacks there are.
        seed: which digits make up which.
    """

    digits: Pictures
    num_pictures: int
    seed: int
    chosen: Tensor = field(init=False)  # (num_pictures, 3): numbers of digits

    def __post_init__(self) -> None:
        source = randomness.generator(self.seed, "stacks")
        chosen = torch.randint(len(self.digits), (self.num_pictures, NUM_CHANNELS), generator=source)
        object.__setattr__(self, "chosen", chosen)

    def __len__(self) -> int:
        return self.num_pictures

    @property
    def shape(self) -> tuple[int, int, int]:
        """(3, H, W)."""
        return NUM_CHANNELS, *self.digits.shape[1:]

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures, (n, 3, H, W) in [-1, 1], and their modes, (n,): 100 a + 10 b + c for digits a, b, c."""
        digits = self.chosen[chosen].to(self.digits.pixels.device)  # (n, 3)
        return to_float(self.digits.pixels[digits].squeeze(2)), numbers(self.digits.labels[digits])

    def to(self, device: torch.device) -> "Stacked":
        return Stacked(self.digits.to(device), self.num_pictures, self.seed)


def numbers(digits: Tensor) -> Tensor:
    """The modes of triples of digits (N, 3), 100 a + 10 b + c, (N,) in 0 .. 999."""
    a, b, c = digits.unbind(1)
    return (a * NUM_CLASSES + b) * NUM_CLASSES + c
