"""What the networks share: how often they halve an image, first and last layers, and how maps are joined."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from pipeline.kernels.activated import activated
from pipeline.networks import gradients

Layer = TypeVar("Layer", bound=nn.Conv2d | nn.ConvTranspose2d | nn.Linear)

GROUP = 4  # images whose spread the discriminator sees
LARGEST_MAP = 8  # pixels on the longer side of the smallest map
SLOPE = 0.2  # of the leaky ReLU below zero


def num_levels(image_shape: Sequence[int]) -> int:
    """How many halvings bring the longer side to 8 pixels or fewer; two at least (28 -> 14 -> 7)."""
    return max(2, math.ceil(math.log2(max(image_shape[1:]) / LARGEST_MAP)))


def smallest_map(image_shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns after all halvings; a ValueError if a side cannot be halved so often."""
    scale = 2 ** num_levels(image_shape)
    _, rows, columns = image_shape
    if rows % scale or columns % scale:
        raise ValueError(f"images of {rows} x {columns} pixels: sides must be multiples of {scale}")
    return rows // scale, columns // scale


def map_widths(width: int, image_shape: Sequence[int]) -> list[int]:
    """Channels of each map from the image's size to the smallest: width / 2, width, 2 width, 4 width ..."""
    return [max(1, width * 2**level // 2) for level in range(num_levels(image_shape) + 1)]


def he_normal(layer: Layer) -> Layer:
    """The layer, with weights that keep the signal's size (He et al. 2015, arXiv:1502.01852), biases 0."""
    inputs_first = isinstance(layer, nn.ConvTranspose2d)  # in the shape of its weight
    nn.init.kaiming_normal_(layer.weight, SLOPE, "fan_out" if inputs_first else "fan_in")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def style_mapping(num_inputs: int, num_styles: int) -> nn.Sequential:
    """Two layers from latents to a style: (N, num_inputs) -> (N, num_styles)."""
    first, second = (he_normal(nn.Linear(num, num_styles)) for num in (num_inputs, num_styles))
    return nn.Sequential(first, nn.LeakyReLU(SLOPE), second, nn.LeakyReLU(SLOPE))


def convolutions(
    first: nn.Module, widths: Sequence[int], shape: tuple[int, int, int], batch_norm: bool
) -> list[nn.Module]:
    """A discriminator's first layer, to maps of widths[0] channels, and a convolution to each further width.

    Batch normalisation stands after all but the first. It uses the batch's own statistics always and stores
    none, so that a generator step cannot change D.

    Args:
        shape: kernel, stride and padding of a convolution.
    """
    layers: list[nn.Module] = [first, Activated(nn.Identity(), SLOPE)]
    for num_inputs, num_outputs in pairwise(widths):
        norm = nn.BatchNorm2d(num_outputs, track_running_stats=False) if batch_norm else nn.Identity()
        layers += [nn.Conv2d(num_inputs, num_outputs, *shape, bias=not batch_norm), Activated(norm, SLOPE)]
    return layers


class Activated(nn.Module):
    """Normalisation, or none, and a leaky ReLU."""

    def __init__(self, norm: nn.Module, slope: float = 0.0) -> None:
        super().__init__()
        self.norm, self.slope = norm, slope

    def forward(self, h: Tensor) -> Tensor:
        return activated(h, self.norm, self.slope)


class ToImage(nn.ConvTranspose2d):
    """A transposed convolution, 4 x 4 with stride 2, to the few channels of an image twice as large."""

    def __init__(self, num_inputs: int, num_channels: int) -> None:
        super().__init__(num_inputs, num_channels, 4, 2, 1)

    def forward(self, h: Tensor, output_size: list[int] | None = None) -> Tensor:
        return gradients.upsample(h, self.weight, self.bias)


class FromImage(nn.Conv2d):
    """A convolution, 4 x 4 with stride 2, of an image's few channels to maps half as large.

    Its gradient by the image, which a generator learns from, takes a third of the time of nn.Conv2d's.
    """

    def __init__(self, num_channels: int, num_outputs: int) -> None:
        super().__init__(num_channels, num_outputs, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, kind = self.weight, self.bias, x.device.type
        assert bias is not None
        if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            x, weight, bias = (each.to(torch.get_autocast_dtype(kind)) for each in (x, weight, bias))
        return gradients.convolution(x, weight, bias, self.stride, self.padding)


def last(layer: nn.Module, h: Tensor) -> Tensor:
    """The layer that gives the image, in fp32 but in training: between a half and one, bf16 is as coarse as
    the eight bits of a pixel, and would round most of a white background to just white.
    """
    if layer.training or not torch.amp.is_autocast_available(h.device.type):
        return cast(Tensor, layer(h))
    with torch.autocast(h.device.type, enabled=False):
        return cast(Tensor, layer(h.float()))


def finished(h: Tensor, training: bool) -> Tensor:
    """The last layer's output as an image: as it is while training, so that no pixel's gradient dies where
    networks without normalisation overshoot at first; cut off to [-1, 1] afterwards.
    """
    return h if training else h.clamp(-1, 1)


def flatten_nhwc(h: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, H * W * C); free of copies when `h` is channels-last."""
    return h.permute(0, 2, 3, 1).flatten(1)


def for_each(c: Tensor, z: Tensor) -> Tensor:
    """Conditions (N / P, ...) repeated to one a row of z (N, Z): P draws of each."""
    return c if len(c) == len(z) else c.repeat_interleave(len(z) // len(c), 0)


class MinibatchStddev(nn.Module):
    """One map more: how much images of a group of four differ (Karras et al. 2018, arXiv:1710.10196).

    The standard deviation of each feature over the group, averaged over all features. Groups are consecutive
    images; the last one is filled up with the first images of the batch. A smaller batch is one group.
    """

    def forward(self, h: Tensor) -> Tensor:
        """(N, C, ...) -> (N, C + 1, ...)."""
        num_images, size = len(h), min(GROUP, len(h))
        groups = torch.cat([h, h[: -num_images % size]]).float().unflatten(0, (-1, size))
        spread = (groups.var(1, correction=0) + 1e-8).sqrt().flatten(1).mean(1)  # (groups,)
        spread = spread.repeat_interleave(size)[:num_images].view(-1, *[1] * (h.ndim - 1))
        return torch.cat([h, spread.to(h.dtype).expand(-1, 1, *h.shape[2:])], 1)


class Head(nn.Module):
    """Logits by projection, w f + b + c V f (Miyato and Koyama 2018, arXiv:1802.05637); w f + b for K = 0."""

    def __init__(self, num_features: int, num_conditions: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, 1)
        self.project = nn.Linear(num_features, num_conditions, bias=False) if num_conditions else None

    def forward(self, f: Tensor, c: Tensor) -> Tensor:
        """Features f (N, D), conditions c (N, K) -> (N,)."""
        logits: Tensor = self.linear(f).squeeze(1)
        return logits if self.project is None else logits + (self.project(f) * c).sum(1)
