"""How much of a mixture a cloud of points covers, the modes being known.

The rules are those of Srivastava et al. 2017 (arXiv:1705.07761) and Lin et al. 2018 (arXiv:1712.04086): a
point is good if it lies within three standard deviations of a mode's centre, and a mode is hit if one good
point at least, of 2,500, lies nearest to it.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pipeline.tasks.points import Target

NUM_SAMPLES = 2500
NUM_SIGMAS = 3.0


def histogram(cloud: Tensor, target: Target) -> Tensor:
    """How many good points of a cloud, (N, 2), belong to each mode, (modes,)."""
    distance, nearest = torch.cdist(cloud.double(), target.centres.double()).min(1)
    good = nearest[distance < NUM_SIGMAS * target.sigma]
    return torch.bincount(good, minlength=len(target.centres))


def divergence(counts: Tensor) -> float:
    """KL divergence, in nats, from the uniform distribution over modes to that of the good points, (modes,);
    0 is best, log(modes) worst, and that also stands where no point is good.
    """
    if not counts.any():
        return math.log(len(counts))
    p = counts.double() / counts.sum()
    seen = p[p > 0]
    return (seen * (seen * len(counts)).log()).sum().item()


def measure(clouds: Tensor, target: Target) -> list[dict[str, float]]:
    """The figures of each member's cloud; clouds are (S, N, 2)."""
    tables = [histogram(cloud, target) for cloud in clouds]
    return [
        {
            "modes": float((counts > 0).sum()),
            "good_share": counts.sum().item() / clouds.shape[1],
            "kl": divergence(counts),
        }
        for counts in tables
    ]


def mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over members."""
    return {name: sum(row[name] for row in figures) / len(figures) for name in figures[0]}
