"""A flow's network of images: the U-Net of unet.py with group normalisation, told of time; for any kind of
condition.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.caption import NUM_MEANINGS, TextEncoder
from pipeline.networks.layers import side_by_side
from pipeline.networks.network import Network, Spec
from pipeline.networks.times import NUM_TIMES, gated, time_features
from pipeline.networks.unet import SMALLEST_MAP, Decoder, encoder, init_convolutions, level_widths, maps

GROUPS = 8  # of channels, that group normalisation takes together


class Denoiser(nn.Module):
    """(x_t, t, c) -> x-hat: x_t beside the condition where that is an image, and time as the style, beside it
    the class or the caption where there is one.

    Images are padded until they can be halved often enough, and cut again.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        channels, *self.sides = spec.image_shape
        num_inputs = channels + (spec.num_conditions if spec.kind == "image" else 0)
        self.meaning: nn.Module = nn.Identity()
        self.num_meanings = {"image": 0, "words": NUM_MEANINGS}.get(spec.kind, spec.num_conditions)
        if spec.kind == "words":
            self.meaning = TextEncoder(spec.num_conditions)
        changes = {"image_shape": [channels, *map(padded, self.sides)], "num_conditions": num_inputs}
        spec = spec.model_copy(update=changes)
        self.padding = margins(self.sides)
        widths = level_widths(spec.width, spec.image_shape)
        self.down = encoder(num_inputs, widths, group_norm)
        self.up = Decoder(spec, NUM_TIMES + self.num_meanings, widths, skips=True, norm=group_norm)
        self.finish = nn.Tanh() if spec.prediction == "data" else nn.Identity()
        self.apply(init_convolutions)

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        x_t, style = F.pad(gated(x_t, t), self.padding), time_features(t)
        if self.num_meanings:
            style = torch.cat([style, self.meaning(c)], 1)
        *skipped, h = maps(self.down, side_by_side(x_t, c) if c.ndim == 4 else x_t)
        found = self.up(h, skipped, style)
        top, left = self.padding[2], self.padding[0]
        height, width = self.sides
        return self.finish(found[:, :, top : top + height, left : left + width])


def padded(side: int) -> int:
    """The least multiple of a power of two, so large that a map of at most three pixels is left."""
    scale = 2 ** max(2, math.floor(math.log2(side / SMALLEST_MAP)))
    return math.ceil(side / scale) * scale


def margins(sides: Sequence[int]) -> list[int]:
    """How many pixels are put to the left, right, top and bottom of an image."""
    rows, columns = sides
    width, height = padded(columns) - columns, padded(rows) - rows
    return [width // 2, width - width // 2, height // 2, height - height // 2]


def group_norm(num_channels: int) -> nn.GroupNorm:
    """Of each image alone: unlike a batch's statistics, it does not mix images of different noise."""
    return nn.GroupNorm(math.gcd(GROUPS, num_channels), num_channels)


NETWORK = Network(("none", "class", "image", "words"), Denoiser, denoises=True)
