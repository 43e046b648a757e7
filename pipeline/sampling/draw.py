"""Images out of trained generators; always in fp32, with latents that are functions of the seed."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pipeline.data.images import to_uint8
from pipeline.networks import NETWORKS, num_inputs
from pipeline.networks.mixture import Mixture
from pipeline.runtime import compute, randomness
from pipeline.runtime.params import Section
from pipeline.tasks import conditions
from pipeline.tasks.conditions import Condition

BATCH = 500  # images at once: fits any laptop, and the result does not depend on what ran before


class GeneratorSpec(Section):
    """All that is needed to build a generator again, and to ask it for something."""

    network: str
    num_latents: int  # Z; 0: a regression network
    task: str  # a key of TASKS; "" for unconditional
    clusters: int  # hidden groups in each class; 0: none
    width: int
    image_shape: list[int]  # C, H, W

    def build(self) -> nn.Module:
        num_conditions = conditions.find(self.task).width
        num_groups = self.clusters * max(num_conditions, 1)
        generator: nn.Module = NETWORKS[self.network].Generator(
            self.num_latents, num_conditions + num_groups, self.width, tuple(self.image_shape)
        )
        if not self.clusters:
            return generator
        return Mixture(generator, num_conditions, torch.zeros(max(num_conditions, 1), self.clusters))


def draw(generator: nn.Module, c: Tensor, num_draws: int, seed: int) -> Tensor:
    """Draw images for each condition.

    Args:
        generator: (z, c) -> images; where its `num_latents` is 0 all draws of a condition are equal.
        c: conditions, (N, K).
        num_draws: M.
        seed: of the latents.

    Returns:
        (N, M, C, H, W) uint8.
    """
    z = latents(generator, len(c) * num_draws, seed, "sampling latents")
    return generate(generator, z, c.repeat_interleave(num_draws, 0)).unflatten(0, (len(c), num_draws))


def draw_told(
    generator: nn.Module, told: Callable[[Tensor], Tensor], chosen: Tensor, num_draws: int, seed: int
) -> Tensor:
    """The same for conditions that are too large to be held all at once.

    Args:
        generator: (z, c) -> images, of several rows of z for one of c too.
        told: of condition numbers, the conditions.
        chosen: which conditions, (N,).
        num_draws: M.
        seed: of the latents.

    Returns:
        (N, M, C, H, W) uint8.
    """
    z = latents(generator, len(chosen) * num_draws, seed, "sampling latents").unflatten(0, (-1, num_draws))
    size = max(1, BATCH // num_draws)
    parts = [
        generate_batch(generator, some.flatten(0, 1), told(rows))
        for rows, some in zip(chosen.split(size), z.split(size), strict=True)
    ]
    return torch.cat(parts).unflatten(0, (-1, num_draws))


def latents(generator: nn.Module, num: int, seed: int, purpose: str) -> Tensor:
    """What the generator draws `num` images from: standard normal numbers, (num, Z and those for noise)."""
    return randomness.normal(num, num_inputs(generator), seed, purpose)


@torch.inference_mode()
def generate(generator: nn.Module, z: Tensor, c: Tensor) -> Tensor:
    """The images (N, C, H, W) uint8 for latents (N, Z) and conditions (N, K)."""
    batches = zip(z.split(BATCH), c.split(BATCH), strict=True)
    return torch.cat([generate_batch(generator, *batch) for batch in batches])


@torch.inference_mode()
def generate_batch(generator: nn.Module, z: Tensor, c: Tensor) -> Tensor:
    """The same of one batch, computed where the generator lies."""
    device = compute.device_of(generator)
    return to_uint8(generator(z.to(device), c.to(device))).cpu()


def interpolate(generator: nn.Module, c: Tensor, num_steps: int, seed: int) -> Tensor:
    """The straight way between two latents, G((1 - a) z1 + a z2), a from 0 to 1 (Radford et al. 2016,
    arXiv:1511.06434); the noise of layers that have some stays that of z1.

    Returns:
        (N, num_steps, C, H, W) uint8, one path for each condition of `c`.
    """
    start, end = latents(generator, 2 * len(c), seed, "interpolation ends").view(2, len(c), 1, -1)
    end = torch.cat([end[..., : generator.num_latents], start[..., generator.num_latents :]], 2)
    z = torch.lerp(start, end, torch.linspace(0, 1, num_steps).view(1, num_steps, 1))  # (N, num_steps, Z)
    return generate(generator, z.flatten(0, 1), c.repeat_interleave(num_steps, 0)).unflatten(
        0, (len(c), num_steps)
    )


def preview(generator: nn.Module, condition: Condition) -> Tensor:
    """Five rows of ten images, (50, C, H, W) uint8, always of the same latents; column k is class k if the
    model is told classes.
    """
    labels = torch.arange(10).repeat(5)
    return generate(generator, latents(generator, 50, 0, "preview"), condition.encode(labels))
