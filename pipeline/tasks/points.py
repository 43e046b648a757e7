"""Points in the plane from mixtures of narrow Gaussians: data of which every mode is known.

The ring is that of Metz et al. 2017 (arXiv:1611.02163), the grid that of Srivastava et al. 2017
(arXiv:1705.07761), whose own ring is the same at half the size.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.networks import num_inputs
from pipeline.networks.points import by_member
from pipeline.runtime import randomness

NUM_POINTS = 100_000  # to train on, as many as Lin et al. 2018 (arXiv:1712.04086) took


@dataclass(frozen=True)
class Target:
    """A mixture, in equal parts, of round Gaussians."""

    centres: Tensor  # (modes, 2)
    sigma: float  # standard deviation of each coordinate

    @property
    def extent(self) -> float:
        """Half the side of a window around 0 that shows all of it, and what goes astray."""
        return 1.3 * self.centres.abs().max().item()


@dataclass(frozen=True)
class Points:
    """Points with the numbers of their modes."""

    places: Tensor  # (N, 2)
    labels: Tensor  # (N,) int64

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(2, 1, 1): coordinates for channels, and no extent."""
        return 2, 1, 1

    @property
    def sha256(self) -> str:
        """Which points these are."""
        return hashlib.sha256(self.places.numpy().tobytes()).hexdigest()

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen points, (n, 2), as they are, and their modes, (n,)."""
        return self.places[chosen], self.labels[chosen]

    def to(self, device: torch.device) -> "Points":
        return Points(self.places.to(device), self.labels.to(device))


def ring() -> Target:
    """Eight Gaussians of standard deviation 0.02 on a circle of radius 2."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    return Target(2 * torch.stack([angles.cos(), angles.sin()], 1), 0.02)


def grid() -> Target:
    """Twenty-five Gaussians of standard deviation 0.05 at coordinates -4, -2, 0, 2 and 4."""
    return Target(torch.cartesian_prod(*[torch.arange(-4.0, 5.0, 2.0)] * 2), 0.05)


TARGETS = {"ring": ring(), "grid": grid()}


def sample(target: Target, num_points: int, seed: int) -> Points:
    """Points of the target, chosen by the seed."""
    labels = torch.randint(
        len(target.centres), (num_points,), generator=randomness.generator(seed, "modes of points")
    )
    noise = randomness.normal(num_points, 2, seed, "noise of points")
    return Points(target.centres[labels] + target.sigma * noise, labels)


@torch.no_grad()
def clouds(generator: nn.Module, num_points: int, seed: int) -> Tensor:
    """What each member of a generator of points draws, (S, num_points, 2)."""
    num_members, turn = cast(int, generator.num_members), cast(int, generator.turn)
    num_rows = num_members * turn * math.ceil(num_points / turn)
    z = randomness.normal(num_rows, num_inputs(generator), seed, "clouds")
    return by_member(generator(z, z[:, :0]), num_members, turn)[:, :num_points]


@torch.no_grad()
def landscapes(discriminator: nn.Module, target: Target, side: int) -> Tensor:
    """The logit that each member of a discriminator gives to the places of a square window, (S, side, side),
    lowest row first; of packs, that of the place among points of the target.
    """
    num_members, num_others = cast(int, discriminator.num_members), cast(int, discriminator.packing) - 1
    axis = torch.linspace(-target.extent, target.extent, side)
    places = torch.cartesian_prod(axis, axis).flip(1)  # (side * side, 2): x runs fastest
    others = sample(target, len(places) * num_others, 0).places.view(len(places), -1)
    x = torch.cat([places, others], 1).repeat_interleave(num_members, 0)
    logits: Tensor = discriminator(x, x[:, :0])
    return logits.view(side, side, num_members).permute(2, 0, 1)
