"""How much of a mixture a cloud of points covers, the modes being known.

The rules are those of Srivastava et al. 2017 (arXiv:1705.07761) and Lin et al. 2018 (arXiv:1712.04086): a
point is good if it lies within three standard deviations of a mode's centre, and a mode is hit if one good
point at least, of 2,500, lies nearest to it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.metrics.dial import STEPS
from pipeline.metrics.modes import divergence_from_uniform
from pipeline.networks.flow import flow_of, sampling_with
from pipeline.networks.network import num_inputs
from pipeline.networks.points import by_member
from pipeline.runtime import randomness
from pipeline.tasks.points import Target, sample

NUM_SAMPLES = 2500
NUM_SIGMAS = 3.0
CLOUDS = "clouds"  # purpose of random numbers


def histogram(cloud: Tensor, target: Target) -> Tensor:
    """How many good points of a cloud, (N, 2), belong to each mode, (modes,)."""
    distance, nearest = torch.cdist(cloud.double(), target.centres.double()).min(1)
    good = nearest[distance < NUM_SIGMAS * target.sigma]
    return torch.bincount(good, minlength=len(target.centres))


def divergence(counts: Tensor) -> float:
    """KL divergence of the good points by mode, (modes,), from uniform; the worst, log(modes), of none."""
    return divergence_from_uniform(counts, len(counts)) if counts.any() else math.log(len(counts))


def measure(clouds: Tensor, target: Target) -> list[dict[str, float]]:
    """The figures of each member's cloud; clouds are (S, N, 2)."""
    found = []
    for counts in (histogram(cloud, target) for cloud in clouds):
        modes, share = float((counts > 0).sum()), counts.sum().item() / clouds.shape[1]
        found.append({"modes": modes, "good_share": share, "kl": divergence(counts)})
    return found


def of_generator(generator: nn.Module, target: Target, seed: int) -> list[dict[str, float]]:
    """The figures of what each member draws."""
    return measure(clouds(generator, NUM_SAMPLES, seed), target)


def mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over members."""
    return {name: sum(row[name] for row in figures) / len(figures) for name in figures[0]}


def dial(generator: nn.Module, target: Target, seed: int) -> list[dict[str, float]]:
    """Of a flow, for each number of Euler's steps, the mean over its members of their figures, and of the
    squared distance of a point of theirs to one of the target, which is V for the mean of all points, and
    2 V for a draw.
    """
    flow, rows = flow_of(generator), []
    if flow is None:
        return []
    truth = sample(target, NUM_SAMPLES, seed)
    for num_steps in STEPS:
        with sampling_with(flow, "euler", num_steps, guidance=1.0):
            drawn = clouds(generator, NUM_SAMPLES, seed)
        error = (drawn - truth).square().sum(2).mean().item()
        rows.append({"steps": num_steps, "sample_mse": error} | mean(measure(drawn, target)))
    return rows


@torch.no_grad()
def clouds(generator: nn.Module, num_points: int, seed: int) -> Tensor:
    """What each member of a generator of points draws, (S, num_points, 2)."""
    network = flow.network if (flow := flow_of(generator)) else generator
    num_members, turn = cast(int, network.num_members), cast(int, network.turn)
    num_rows = num_members * turn * math.ceil(num_points / turn)
    z = randomness.normal(num_rows, num_inputs(generator), seed, CLOUDS)
    return by_member(generator(z, z[:, :0]), num_members, turn)[:, :num_points]


@torch.no_grad()
def landscapes(discriminator: nn.Module, target: Target, side: int) -> Tensor:
    """Each member's logits for the places of a square window, (S, side, side), lowest row first; of packs,
    that of the place among points of the target.
    """
    num_members, num_others = cast(int, discriminator.num_members), cast(int, discriminator.packing) - 1
    axis = torch.linspace(-target.extent, target.extent, side)
    places = torch.cartesian_prod(axis, axis).flip(1)  # (side * side, 2): x runs fastest
    others = sample(target, len(places) * num_others, 0).view(len(places), -1)
    x = torch.cat([places, others], 1).repeat_interleave(num_members, 0)
    logits: Tensor = discriminator(x, x[:, :0])
    return logits.view(side, side, num_members).permute(2, 0, 1)
