"""Convolutional networks after Radford et al. 2016 (arXiv:1511.06434): strided convolutions, no pooling,
leaky ReLU in D. The map of half the image's size has `width` channels, each smaller one twice as many.

They are laid out for channels-last memory: features are flattened as (H, W, C), which is how they lie there.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.networks.layers import (
    FromImage,
    Head,
    ToImage,
    append_stddev,
    flatten_nhwc,
    for_each,
    num_channels,
    num_levels,
    smallest_map,
)
from pipeline.networks.network import Spec

CONDITIONS, BATCH_NORM, TRUNCATES = ("none", "class"), True, False


def build(spec: Spec) -> nn.Module:
    return Generator(spec.num_latents, spec.num_conditions, spec.width, spec.shape)


class Generator(nn.Module):
    """Linear to the smallest map, then transposed convolutions, each after batch normalisation, and tanh."""

    num_noise = 0

    def __init__(
        self, num_latents: int, num_conditions: int, width: int, image_shape: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.num_latents = num_latents
        widths = [num_channels(width, level) for level in range(num_levels(image_shape), 0, -1)]
        self.map_shape = (*smallest_map(image_shape), widths[0])
        self.linear = nn.Linear(num_latents + num_conditions, math.prod(self.map_shape), bias=False)
        layers: list[nn.Module] = []
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.BatchNorm2d(num_inputs), nn.ReLU()]
            layers += [nn.ConvTranspose2d(num_inputs, num_outputs, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(width), nn.ReLU(), ToImage(width, image_shape[0])]
        self.layers = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        h = self.linear(torch.cat([z, for_each(c, z)], 1))
        h = h.unflatten(1, self.map_shape).permute(0, 3, 1, 2)  # (N, C, H, W), channels-last
        return torch.tanh(self.layers(h))


class Discriminator(nn.Module):
    """Strided convolutions, then a projection.

    Its batch normalisation, if any, uses the batch's own statistics always and stores none, so that a
    generator step cannot change D. It stands after every convolution but the first.
    """

    def __init__(
        self,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, int, int],
        batch_norm: bool = False,
        minibatch_stddev: bool = False,
    ) -> None:
        super().__init__()
        self.minibatch_stddev = minibatch_stddev
        widths = [num_channels(width, level + 1) for level in range(num_levels(image_shape))]
        layers: list[nn.Module] = [FromImage(image_shape[0], width), nn.LeakyReLU(0.2)]
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.Conv2d(num_inputs, num_outputs, 4, 2, 1, bias=not batch_norm)]
            layers += [nn.BatchNorm2d(num_outputs, track_running_stats=False)] if batch_norm else []
            layers += [nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        num_features = (widths[-1] + minibatch_stddev) * math.prod(smallest_map(image_shape))
        self.head = Head(num_features, num_conditions)
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.layers(x)
        if self.minibatch_stddev:
            h = append_stddev(h)
        return self.head(flatten_nhwc(h), c)


def init_weights(module: nn.Module) -> None:
    """Normal weights of standard deviation 0.02, as the paper has them."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
