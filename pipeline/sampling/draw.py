"""Images out of trained networks, (z, c) -> x, with latents that are functions of the seed.

Conditions come as a function of their numbers: images would be too large to be held all at once.
"""

import math
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.data.images import to_uint8
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute, randomness

BATCH = 500  # images at once: fits any laptop, and the result does not depend on what ran before
PIXELS = BATCH * 32**2  # of conditions that are images, of so many at most
LATENTS, ENDS = "sampling latents", "interpolation ends"  # purposes of random numbers

Conditions = Callable[[Tensor], Tensor]  # numbers (n,) -> conditions (n, ...)


def draw(sampler: nn.Module, conditions: Conditions, chosen: Tensor, num_draws: int, seed: int) -> Tensor:
    """M draws for each of the chosen (N,) conditions, (N, M, C, H, W) uint8; all equal where the sampler,
    (z, c) -> images, has no latents. The seed is that of the latents.
    """
    z = latents(sampler, len(chosen) * num_draws, seed, LATENTS).unflatten(0, (-1, num_draws))
    size, parts = max(1, BATCH // num_draws), list[Tensor]()
    for numbers, some in zip(chosen.split(size), z.split(size), strict=True):
        c = conditions(numbers)
        few = min(size, max(1, PIXELS // math.prod(c.shape[2:]) // num_draws))
        pairs = zip(some.split(few), c.split(few), strict=True)
        parts += [generate(sampler, latent.flatten(0, 1), condition) for latent, condition in pairs]
    return torch.cat(parts).unflatten(0, (-1, num_draws))


def latents(sampler: nn.Module, num: int, seed: int, purpose: str) -> Tensor:
    """What the network draws `num` images from: standard normal numbers, (num, Z and those for noise)."""
    return randomness.normal(num, num_inputs(sampler), seed, purpose)


@torch.inference_mode()
def generate(sampler: nn.Module, z: Tensor, c: Tensor) -> Tensor:
    """The images (N, C, H, W) uint8, on the CPU, of a batch of latents (N, Z) and conditions (N / P, ...)."""
    device = compute.device_of(sampler)
    with compute.sampling():
        images = sampler(z.to(device), c.to(device))
    return to_uint8(images.float()).cpu()


def interpolate(sampler: nn.Module, c: Tensor, num_steps: int, seed: int) -> Tensor:
    """The way along the arc between two latents, a from 0 to 1; the noise of layers that have some stays that
    of the first. The straight way (Radford et al. 2016, arXiv:1511.06434) would lead a flow through images of
    too little noise.

    Returns:
        (N, num_steps, C, H, W) uint8, one path for each condition of `c`.
    """
    num = cast(int, sampler.num_latents)
    start, end = latents(sampler, 2 * len(c), seed, ENDS).chunk(2)
    ways = [slerp(start[:, :num], end[:, :num], a) for a in torch.linspace(0, 1, num_steps)]
    z = torch.stack([torch.cat([way, start[:, num:]], 1) for way in ways], 1)  # (N, num_steps, Z and noise)
    return torch.stack([generate(sampler, path, c[i : i + 1]) for i, path in enumerate(z)])


def lerp(start: Tensor, end: Tensor, a: Tensor) -> Tensor:
    """The straight way between two latents (N, Z): (1 - a) start + a end, with positions a, (N, 1) or one."""
    return (1 - a) * start + a * end


def slerp(start: Tensor, end: Tensor, a: Tensor) -> Tensor:
    """The way along the arc between two latents (N, Z), which passes through latents of usual length
    (Shoemake 1985; White 2016, arXiv:1609.04468).

    (sin((1 - a) w) start + sin(a w) end) / sin w, with w the angle between them and positions a, (N, 1) or
    one; for latents on one line, where no arc is defined, the straight way.
    """
    cosine = torch.cosine_similarity(start.double(), end.double(), dim=1).clamp(-1, 1)[:, None]
    w = cosine.acos()
    arc = (((1 - a) * w).sin() * start + (a * w).sin() * end) / w.sin()
    return torch.where(w.sin() < 1e-6, lerp(start, end, a).double(), arc).to(start.dtype)
