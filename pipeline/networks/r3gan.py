"""Residual networks without normalisation after R3GAN (Huang et al. 2024, arXiv:2501.05441).

Each block widens a map by a 1x1 convolution, mixes it by a grouped 3x3 one and narrows it again; smoothing
and halving lie between the blocks. D mirrors G. The smaller versions here leave out the blocks at the image's
own size, where they would cost most: a 4x4 convolution of stride 2 leads there.

In place of normalisation, blocks start as Fixup's do (Zhang et al. 2019, arXiv:1901.09321): a branch of m
layers in a network of L blocks begins with weights smaller by L^(-1 / (2 m - 2)), and ends in zero. The zero
is a gain on the last layer, not its weight: a weight of zero has no spectral norm to be divided by.
"""

import math
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import (
    SLOPE,
    FromImage,
    Head,
    ToImage,
    append_stddev,
    finished,
    for_each,
    num_channels,
    num_levels,
    reject_batch_norm,
    smallest_map,
)
from pipeline.networks.network import Spec

CONDITIONS, BATCH_NORM, TRUNCATES = ("none", "class"), False, False
EXPANSION = 2  # how much wider a block is inside
GROUP_SIZE = 16  # channels of a group
NUM_BLOCKS = 1  # of each map size


def build(spec: Spec) -> nn.Module:
    return Generator(spec.num_latents, spec.num_conditions, spec.width, spec.shape)


class Generator(nn.Module):
    """A learned basis of maps, mixed by the latents; blocks; bilinear enlargement; no last non-linearity."""

    num_noise = 0

    def __init__(
        self, num_latents: int, num_conditions: int, width: int, image_shape: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.num_latents = num_latents
        levels = num_levels(image_shape)
        widths = [num_channels(width, level) for level in range(levels, 0, -1)]
        self.linear = nn.Linear(num_latents + num_conditions, widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(*smallest_map(image_shape), widths[0]))
        layers: list[nn.Module] = blocks(widths[0], levels)
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.Conv2d(num_inputs, num_outputs, 1, bias=False)]
            layers += [nn.Upsample(scale_factor=2, mode="bilinear"), *blocks(num_outputs, levels)]
        self.layers = nn.Sequential(*layers, ToImage(widths[-1], image_shape[0]))
        self.apply(init_weights)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        h = self.linear(torch.cat([z, for_each(c, z)], 1))
        h = h[:, None, None] * self.basis.to(h.dtype)  # (N, H, W, C)
        return finished(self.layers(h.permute(0, 3, 1, 2)), self.training)


class Discriminator(nn.Module):
    """The generator's mirror: a strided convolution, blocks, average pooling, a basis that maps are weighed
    against, a projection.
    """

    def __init__(
        self,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, int, int],
        batch_norm: bool = False,
        minibatch_stddev: bool = False,
    ) -> None:
        reject_batch_norm("r3gan", batch_norm)
        super().__init__()
        self.minibatch_stddev = minibatch_stddev
        levels = num_levels(image_shape)
        widths = [num_channels(width, level + 1) for level in range(levels)]
        layers: list[nn.Module] = [FromImage(image_shape[0], width), *blocks(width, levels)]
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.AvgPool2d(2), nn.Conv2d(num_inputs, num_outputs, 1, bias=False)]
            layers += blocks(num_outputs, levels)
        self.layers = nn.Sequential(*layers)
        num_features = widths[-1] + minibatch_stddev
        rows, columns = smallest_map(image_shape)
        self.basis = nn.Parameter(torch.randn(num_features, rows, columns) / (rows * columns) ** 0.5)
        self.head = Head(num_features, num_conditions)
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.layers(x)
        if self.minibatch_stddev:
            h = append_stddev(h)
        return self.head((h * self.basis.to(h.dtype)).sum((2, 3)), c)


class Block(nn.Module):
    """x + gain * narrow(mix(widen(x))), with a leaky ReLU after the first two; gain is 0 at the start.

    Args:
        scale: of the first two layers' weights at the start.
    """

    def __init__(self, num_features: int, scale: float) -> None:
        super().__init__()
        num_inside = EXPANSION * num_features
        self.widen = nn.Conv2d(num_features, num_inside, 1)
        # where 16 does not divide them, the largest groups that do
        num_groups = num_inside // math.gcd(num_inside, GROUP_SIZE)
        self.mix = nn.Conv2d(num_inside, num_inside, 3, padding=1, groups=num_groups)
        self.narrow = nn.Conv2d(num_inside, num_features, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(num_features, 1, 1))
        self.scale = scale

    def branch(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.widen(x), SLOPE)
        return self.narrow(F.leaky_relu(self.mix(h), SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        h = self.branch(x)
        return torch.addcmul(x, self.gain.to(h.dtype), h)


def blocks(num_features: int, levels: int) -> list[nn.Module]:
    """The blocks of one map size in a network of `levels` sizes, each with its branch of three layers."""
    scale = (NUM_BLOCKS * levels) ** (-1 / (2 * 3 - 2))
    return [Block(num_features, scale) for _ in range(NUM_BLOCKS)]


def init_weights(module: nn.Module) -> None:
    """Normal weights that keep the signal's size (He et al. 2015, arXiv:1502.01852), biases 0; in a block's
    first two layers smaller by its scale. Applied from the inside out: a block comes after its layers.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        fan: Literal["fan_in", "fan_out"] = "fan_in"
        if isinstance(module, nn.ConvTranspose2d):
            fan = "fan_out"  # its weight is (inputs, outputs)
        nn.init.kaiming_normal_(module.weight, SLOPE, fan)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, Block):
        with torch.no_grad():
            module.widen.weight.mul_(module.scale)
            module.mix.weight.mul_(module.scale)
