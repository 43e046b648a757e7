"""Convolutional networks after Radford et al. 2016 (arXiv:1511.06434): strided convolutions, no pooling,
leaky ReLU in D. The map of half the image's size has `width` channels, each smaller one twice as many.

They are laid out for channels-last memory: features are flattened as (H, W, C), which is how they lie there.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.networks.layers import (
    Activated,
    FromImage,
    Head,
    MinibatchStddev,
    ToImage,
    convolutions,
    flatten_nhwc,
    for_each,
    last,
    map_widths,
    smallest_map,
)
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec


class Generator(Sampler):
    """Linear to the smallest map, then transposed convolutions, each after batch normalisation, and tanh."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        widths = map_widths(spec.width, spec.image_shape)[:0:-1]  # from the smallest map
        self.map_shape = (*smallest_map(spec.image_shape), widths[0])
        num_inputs = spec.num_latents + spec.num_conditions
        self.linear = nn.Linear(num_inputs, math.prod(self.map_shape), bias=False)
        layers: list[nn.Module] = []
        for num_inputs, num_outputs in pairwise(widths):
            layers += [Activated(nn.BatchNorm2d(num_inputs))]
            layers += [nn.ConvTranspose2d(num_inputs, num_outputs, 4, 2, 1, bias=False)]
        self.layers = nn.Sequential(*layers, Activated(nn.BatchNorm2d(spec.width)))
        self.finish = ToImage(spec.width, spec.image_shape[0])
        self.apply(init_weights)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        h = self.linear(torch.cat([z, for_each(c, z)], 1))
        h = h.unflatten(1, self.map_shape).permute(0, 3, 1, 2)  # (N, C, H, W), channels-last
        return torch.tanh(last(self.finish, self.layers(h)))


class Discriminator(nn.Module):
    """Strided convolutions, then a projection."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        widths = map_widths(spec.width, spec.image_shape)[1:]
        first = FromImage(spec.image_shape[0], spec.width)
        layers = convolutions(first, widths, (4, 2, 1), spec.batch_norm)
        self.layers = nn.Sequential(*layers, *([MinibatchStddev()] if spec.minibatch_stddev else []))
        num_features = (widths[-1] + spec.minibatch_stddev) * math.prod(smallest_map(spec.image_shape))
        self.head = Head(num_features, spec.num_conditions)
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.head(flatten_nhwc(self.layers(x)), c)


def init_weights(module: nn.Module) -> None:
    """Normal weights of standard deviation 0.02, as the paper has them."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


NETWORK = Network(("none", "class"), Generator, Discriminator, batch_norm=True)
