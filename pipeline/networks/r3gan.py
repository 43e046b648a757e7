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

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import (
    SLOPE,
    FromImage,
    Head,
    MinibatchStddev,
    ToImage,
    finished,
    for_each,
    he_normal,
    map_widths,
    smallest_map,
)
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec

EXPANSION = 2  # how much wider a block is inside
GROUP_SIZE = 16  # channels of a group


class Generator(Sampler):
    """A learned basis of maps, mixed by the latents; blocks; bilinear enlargement; no last non-linearity."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        widths = map_widths(spec.width, spec.image_shape)[:0:-1]  # from the smallest map
        self.linear = nn.Linear(spec.num_latents + spec.num_conditions, widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(*smallest_map(spec.image_shape), widths[0]))
        layers: list[nn.Module] = [Block(widths[0], len(widths))]
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.Conv2d(num_inputs, num_outputs, 1, bias=False)]
            layers += [nn.Upsample(scale_factor=2, mode="bilinear"), Block(num_outputs, len(widths))]
        self.layers = nn.Sequential(*layers, ToImage(widths[-1], spec.image_shape[0]))
        self.apply(init_weights)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        h = self.linear(torch.cat([z, for_each(c, z)], 1))
        h = h[:, None, None] * self.basis.to(h.dtype)  # (N, H, W, C)
        return finished(self.layers(h.permute(0, 3, 1, 2)), self.training)


class Discriminator(nn.Module):
    """The mirror: strided convolution; blocks, average pooling; a basis that weighs maps; a projection."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        widths = map_widths(spec.width, spec.image_shape)[1:]
        layers: list[nn.Module] = [FromImage(spec.image_shape[0], spec.width), Block(spec.width, len(widths))]
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.AvgPool2d(2), nn.Conv2d(num_inputs, num_outputs, 1, bias=False)]
            layers += [Block(num_outputs, len(widths))]
        self.layers = nn.Sequential(*layers, *([MinibatchStddev()] if spec.minibatch_stddev else []))
        num_features = widths[-1] + spec.minibatch_stddev
        rows, columns = smallest_map(spec.image_shape)
        self.basis = nn.Parameter(torch.randn(num_features, rows, columns) / (rows * columns) ** 0.5)
        self.head = Head(num_features, spec.num_conditions)
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.layers(x)
        return self.head((h * self.basis.to(h.dtype)).sum((2, 3)), c)


class Block(nn.Module):
    """x + gain * narrow(mix(widen(x))), with a leaky ReLU after the first two; gain is 0 at the start.

    Args:
        num_blocks: L, one of each map size.
    """

    def __init__(self, num_features: int, num_blocks: int) -> None:
        super().__init__()
        num_inside = EXPANSION * num_features
        self.widen = nn.Conv2d(num_features, num_inside, 1)
        # where 16 does not divide them, the largest groups that do
        num_groups = num_inside // math.gcd(num_inside, GROUP_SIZE)
        self.mix = nn.Conv2d(num_inside, num_inside, 3, padding=1, groups=num_groups)
        self.narrow = nn.Conv2d(num_inside, num_features, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(num_features, 1, 1))
        self.scale = num_blocks ** (-1 / (2 * 3 - 2))  # of weights at the start

    def branch(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.widen(x), SLOPE)
        return self.narrow(F.leaky_relu(self.mix(h), SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        h = self.branch(x)
        return torch.addcmul(x, self.gain.to(h.dtype), h)


def init_weights(module: nn.Module) -> None:
    """`he_normal`, smaller by its scale in a block's first two layers. A block comes after its layers."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        he_normal(module)
    if isinstance(module, Block):
        with torch.no_grad():
            module.widen.weight.mul_(module.scale)
            module.mix.weight.mul_(module.scale)


NETWORK = Network(("none", "class"), Generator, Discriminator)
