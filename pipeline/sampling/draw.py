"""Images out of trained networks, (z, c) -> x; always in fp32, with latents that are functions of the seed.

Conditions come as a function of their numbers: images would be too large to be held all at once.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pipeline.data.images import to_uint8
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute, randomness

BATCH = 500  # images at once: fits any laptop, and the result does not depend on what ran before
LATENTS, ENDS = "sampling latents", "interpolation ends"  # purposes of random numbers

Conditions = Callable[[Tensor], Tensor]  # numbers (n,) -> conditions (n, ...)


def draw(sampler: nn.Module, conditions: Conditions, chosen: Tensor, num_draws: int, seed: int) -> Tensor:
    """M draws for each of the chosen (N,) conditions, (N, M, C, H, W) uint8; all equal where the sampler,
    (z, c) -> images, has no latents. The seed is that of the latents.
    """
    z = latents(sampler, len(chosen) * num_draws, seed, LATENTS).unflatten(0, (-1, num_draws))
    size = max(1, BATCH // num_draws)
    parts = [
        generate(sampler, some.flatten(0, 1), conditions(numbers))
        for numbers, some in zip(chosen.split(size), z.split(size), strict=True)
    ]
    return torch.cat(parts).unflatten(0, (-1, num_draws))


def latents(sampler: nn.Module, num: int, seed: int, purpose: str) -> Tensor:
    """What the network draws `num` images from: standard normal numbers, (num, Z and those for noise)."""
    return randomness.normal(num, num_inputs(sampler), seed, purpose)


@torch.inference_mode()
def generate(sampler: nn.Module, z: Tensor, c: Tensor) -> Tensor:
    """The images (N, C, H, W) uint8, on the CPU, of a batch of latents (N, Z) and conditions (N / P, ...)."""
    device = compute.device_of(sampler)
    return to_uint8(sampler(z.to(device), c.to(device))).cpu()


def interpolate(sampler: nn.Module, c: Tensor, num_steps: int, seed: int) -> Tensor:
    """The straight way between two latents, G((1 - a) z1 + a z2), a from 0 to 1 (Radford et al. 2016,
    arXiv:1511.06434); the noise of layers that have some stays that of z1.

    Returns:
        (N, num_steps, C, H, W) uint8, one path for each condition of `c`.
    """
    start, end = latents(sampler, 2 * len(c), seed, ENDS).view(2, len(c), 1, -1)
    end = torch.cat([end[..., : sampler.num_latents], start[..., sampler.num_latents :]], 2)
    z = torch.lerp(start, end, torch.linspace(0, 1, num_steps).view(1, num_steps, 1))  # (N, num_steps, Z)
    return torch.stack([generate(sampler, path, c[i : i + 1]) for i, path in enumerate(z)])
