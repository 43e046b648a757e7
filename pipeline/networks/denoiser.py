"""A flow's network of images: the U-Net of unet.py with group normalisation, told of time; for any kind of
condition.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.kernels.joined import side_by_side
from pipeline.networks.caption import NUM_MEANINGS, TextEncoder
from pipeline.networks.network import Network, Spec
from pipeline.networks.times import NUM_TIMES, time_features
from pipeline.networks.unet import SMALLEST_MAP, Decoder, encoder, init_convolutions, level_widths, maps

GROUPS = 8  # of channels, that group normalisation takes together


class Denoiser(nn.Module):
    """(x_t, t, c) -> x-hat: x_t beside the condition where that is an image, and time as the style, beside it
    the class or the caption where there is one.

    Images are padded until they can be halved often enough, and cut again. In training, a share of the
    numbers in the maps of the way down is dropped, as few images would be learnt by heart otherwise.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        channels, *self.sides = spec.image_shape
        num_inputs = channels + (spec.num_conditions if spec.kind == "image" else 0)
        self.meaning: nn.Module = nn.Identity()
        self.num_meanings = {"image": 0, "words": NUM_MEANINGS}.get(spec.kind, spec.num_conditions)
        if spec.kind == "words":
            self.meaning = TextEncoder(spec.num_conditions)
        changes = {"image_shape": [channels, *padded(self.sides)], "num_conditions": num_inputs}
        spec = spec.model_copy(update=changes)
        self.padding, self.dropout = margins(self.sides), nn.Dropout(spec.dropout)
        widths = level_widths(spec.width, spec.image_shape)
        self.down = encoder(num_inputs, widths, group_norm)
        self.up = Decoder(spec, NUM_TIMES + self.num_meanings, widths, skips=True, norm=group_norm)
        self.finish = nn.Tanh() if spec.prediction == "data" else nn.Identity()
        self.apply(init_convolutions)

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        style = time_features(t)
        if self.num_meanings:
            style = torch.cat([style, self.meaning(c)], 1)
        h = F.pad(side_by_side(x_t, c) if c.ndim == 4 else x_t, self.padding)
        seen, *skipped, h = maps(self.down, h)
        dropout = self.dropout.p if self.training else 0.0
        found = self.up(self.dropout(h), [seen, *skipped], style, dropout=dropout)
        top, left = self.padding[2], self.padding[0]
        height, width = self.sides
        return self.finish(found[:, :, top : top + height, left : left + width])


def padded(sides: Sequence[int]) -> list[int]:
    """The sides (rows, columns) up to which an image is padded, so that `level_widths` can halve it."""
    for _ in range(2):  # an image that has grown may be halved once more
        scale = 2 ** max(2, math.floor(math.log2(max(sides) / SMALLEST_MAP)))
        sides = [math.ceil(side / scale) * scale for side in sides]
    return list(sides)


def margins(sides: Sequence[int]) -> list[int]:
    """How many pixels are put to the left, right, top and bottom of an image."""
    height, width = (larger - side for side, larger in zip(sides, padded(sides), strict=True))
    return [width // 2, width - width // 2, height // 2, height - height // 2]


def group_norm(num_channels: int) -> nn.GroupNorm:
    """Of each image alone: unlike a batch's statistics, it does not mix images of different noise."""
    return nn.GroupNorm(math.gcd(GROUPS, num_channels), num_channels)


NETWORK = Network(("none", "class", "image", "words"), Denoiser, denoises=True)
