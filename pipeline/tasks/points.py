"""Points in the plane from mixtures of narrow Gaussians: data of which every mode is known.

The ring is that of Metz et al. 2017 (arXiv:1611.02163), the grid that of Srivastava et al. 2017
(arXiv:1705.07761), whose own ring is the same at half the size.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.runtime import randomness
from pipeline.tasks.examples import InMemory
from pipeline.tasks.task import Task

NUM_POINTS = 100_000  # to train on, as many as Lin et al. 2018 (arXiv:1712.04086) took
MODES, NOISE = "modes of points", "noise of points"  # purposes of random numbers


@dataclass(frozen=True)
class Target:
    """A mixture, in equal parts, of round Gaussians."""

    centres: Tensor  # (modes, 2)
    sigma: float  # standard deviation of each coordinate

    @property
    def variance(self) -> float:
        """E|x - mean|^2, of both coordinates together."""
        spread = (self.centres - self.centres.mean(0)).square().sum(1).mean().item()
        return spread + 2 * self.sigma**2

    @property
    def extent(self) -> float:
        """Half the side of a window around 0 that shows all of it, and what goes astray."""
        return 1.3 * self.centres.abs().max().item()


def ring() -> Target:
    """Eight Gaussians of standard deviation 0.02 on a circle of radius 2."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    return Target(2 * torch.stack([angles.cos(), angles.sin()], 1), 0.02)


def grid() -> Target:
    """Twenty-five Gaussians of standard deviation 0.05 at coordinates -4, -2, 0, 2 and 4."""
    return Target(torch.cartesian_prod(*[torch.arange(-4.0, 5.0, 2.0)] * 2), 0.05)


TARGETS = {"ring": ring(), "grid": grid()}


def sample(target: Target, num_points: int, seed: int) -> Tensor:
    """Points of the target, chosen by the seed, (num_points, 2)."""
    source = randomness.generator(seed, MODES)
    modes = torch.randint(len(target.centres), (num_points,), generator=source)
    return target.centres[modes] + target.sigma * randomness.normal(num_points, 2, seed, NOISE)


def task(name: str, seed: int) -> Task:
    """Draw a point like those of the target of this name."""
    places = sample(TARGETS[name], NUM_POINTS, seed)
    examples = InMemory(places, places[:, :0])
    return Task(name, "points", "points", (2,), (0,), 0, examples, {}, {})
