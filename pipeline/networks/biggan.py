"""A small BigGAN (Brock et al. 2019, arXiv:1809.11096): residual blocks whose batch normalisation, in G, is
scaled and shifted by the condition and a part of the latents; a projection discriminator.

The condition enters as it is, one-hot for classes: a linear layer of it is an embedding. Weights start
orthogonal. D's blocks halve by a strided convolution, where the paper pools after one; its features are
averaged over the map, where the paper sums them, which without spectral normalisation is too much.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import Head, MinibatchStddev, for_each, map_widths, smallest_map
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec


class Generator(Sampler):
    """Linear of the latents' first part; blocks, each modulated by its own part and the condition; tanh."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        widths = map_widths(spec.width, spec.image_shape)[::-1]
        self.map_shape = (*smallest_map(spec.image_shape), widths[0])
        parts = torch.empty(spec.num_latents).tensor_split(len(widths))
        inputs = [len(part) + spec.num_conditions for part in parts]
        self.linear = nn.Linear(inputs[0], math.prod(self.map_shape), bias=False)
        self.blocks = nn.ModuleList(
            UpBlock(num, *counts) for num, counts in zip(inputs[1:], pairwise(widths), strict=True)
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = nn.Conv2d(widths[-1], spec.image_shape[0], 3, padding=1)
        self.apply(init_weights)

    def forward(self, z: Tensor, c: Tensor, truncation: float = 1.0) -> Tensor:
        """Latents (N, Z), which are squeezed by `truncate`, and conditions (N, K) -> images."""
        c = for_each(c, z)
        parts = truncate(z, truncation).tensor_split(len(self.blocks) + 1, 1)
        h = self.linear(torch.cat([parts[0], c], 1))
        h = h.unflatten(1, self.map_shape).permute(0, 3, 1, 2)  # (N, C, H, W), channels-last
        for block, part in zip(self.blocks, parts[1:], strict=True):
            h = block(h, torch.cat([part, c], 1))
        return torch.tanh(self.last(F.relu(self.norm(h))))


def truncate(z: Tensor, truncation: float) -> Tensor:
    """Normal numbers made to follow the normal distribution's middle part alone, which holds the share
    `truncation` of it: F^-1(1/2 + truncation (F(z) - 1/2)), with F the normal distribution function.

    The paper's truncation trick as a function of z: it keeps order and sign. 1 leaves z as it is, 0.95 keeps
    it within 1.96, 0 makes it 0.
    """
    if truncation == 1:
        return z
    return math.sqrt(2) * torch.erfinv(truncation * torch.erf(z / math.sqrt(2)))


class UpBlock(nn.Module):
    """Twice the size: two 3x3 convolutions, each after conditional normalisation and ReLU, beside a 1x1."""

    def __init__(self, num_style: int, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.norm1 = ConditionalNorm(num_style, num_inputs)
        self.conv1 = nn.Conv2d(num_inputs, num_outputs, 3, padding=1, bias=False)
        self.norm2 = ConditionalNorm(num_style, num_outputs)
        self.conv2 = nn.Conv2d(num_outputs, num_outputs, 3, padding=1)
        self.skip = nn.Conv2d(num_inputs, num_outputs, 1, bias=False)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        h = self.conv1(upsample(F.relu(self.norm1(x, style))))
        h = self.conv2(F.relu(self.norm2(h, style)))
        return h + upsample(self.skip(x))  # a 1x1 convolution before upsampling equals one after it


class ConditionalNorm(nn.Module):
    """Batch normalisation, scale and shift linear in the style (de Vries et al. 2017, arXiv:1707.00683)."""

    def __init__(self, num_style: int, num_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_features, affine=False)
        self.linear = nn.Linear(num_style, 2 * num_features)

    def forward(self, h: Tensor, style: Tensor) -> Tensor:
        h = self.norm(h)
        scale, shift = self.linear(style).to(h.dtype)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(shift, h, 1 + scale)


class Discriminator(nn.Module):
    """A strided block a level, a block of the smallest size, the mean over its map, a projection."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        smallest_map(spec.image_shape)  # refuses sizes that cannot be halved so often
        widths = [spec.image_shape[0], *map_widths(spec.width, spec.image_shape)[1:]]
        self.layers = nn.Sequential(
            *(DownBlock(*counts, first=not i) for i, counts in enumerate(pairwise(widths))),
            SameBlock(widths[-1]),
            nn.ReLU(),
            *([MinibatchStddev()] if spec.minibatch_stddev else []),
        )
        self.head = Head(widths[-1] + spec.minibatch_stddev, spec.num_conditions)
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.head(self.layers(x).mean((2, 3)), c)


class DownBlock(nn.Module):
    """Half the size: a 3x3 and a strided 4x4 convolution after ReLU, beside the mean of four pixels."""

    def __init__(self, num_inputs: int, num_outputs: int, first: bool) -> None:
        super().__init__()
        num_inside = max(1, num_outputs // 2)
        self.first = first  # of the image itself: no ReLU before it
        self.conv1 = nn.Conv2d(num_inputs, num_inside, 3, padding=1)
        self.conv2 = nn.Conv2d(num_inside, num_outputs, 4, 2, 1)
        self.skip = nn.Conv2d(num_inputs, num_outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(x if self.first else F.relu(x))
        return self.conv2(F.relu(h)) + self.skip(F.avg_pool2d(x, 2))


class SameBlock(nn.Module):
    """The same size: two 3x3 convolutions, each after ReLU, added to what came in."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(num_features, num_features, 3, padding=1)
        self.conv2 = nn.Conv2d(num_features, num_features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


def upsample(h: Tensor) -> Tensor:
    return F.interpolate(h, scale_factor=2.0, mode="nearest")


def init_weights(module: nn.Module) -> None:
    """Orthogonal weights, biases 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.orthogonal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


NETWORK = Network(("none", "class"), Generator, Discriminator, truncates=True)
