"""A generator and a discriminator conditioned on a caption: rows of word numbers, (N, L).

Each has a small text encoder of its own, trained with it: embedded words, a convolution over neighbours, and
the mean over the caption. D weighs image and caption by projection (Miyato and Koyama 2018,
arXiv:1802.05637), as Reed et al. 2016 (arXiv:1605.05396) were the first to draw images from captions.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks import patchgan as patch
from pipeline.networks.dcgan import init_weights
from pipeline.networks.layers import SLOPE, Head, flatten_nhwc
from pipeline.networks.network import Spec
from pipeline.networks.unet import Decoder, init_convolutions, level_widths
from pipeline.runtime.errors import InputError

CONDITIONS, BATCH_NORM, TRUNCATES = ("words",), True, False
NUM_MEANINGS = 64  # numbers that stand for a caption


class TextEncoder(nn.Module):
    """Captions (N, L), word numbers of which 0 is none -> meanings (N, NUM_MEANINGS)."""

    def __init__(self, num_words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_words, NUM_MEANINGS)
        self.neighbours = nn.Conv1d(NUM_MEANINGS, NUM_MEANINGS, 3, padding=1)

    def forward(self, c: Tensor) -> Tensor:
        words = c.long()
        said = (words > 0).float()[:, None]  # (N, 1, L)
        h = self.embedding(words).transpose(1, 2) * said  # (N, D, L)
        h = h + F.leaky_relu(self.neighbours(h), SLOPE)
        return (h * said).sum(2) / said.sum(2).clamp(min=1)


def build(spec: Spec) -> nn.Module:
    return Generator(
        spec.num_latents, spec.num_conditions, spec.width, spec.shape, spec.latents_at_every_level
    )


class Generator(nn.Module):
    """(z, c) -> x: the U-Net's way up, from a map that the caption makes, with z and caption as its style.

    Of P draws of each caption z has P rows, one after the other, and c one.
    """

    num_noise = 0

    def __init__(
        self,
        num_latents: int,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, int, int],
        every_level: bool = True,
    ) -> None:
        super().__init__()
        self.num_latents, self.num_conditions = num_latents, num_conditions
        widths = level_widths(width, image_shape)
        self.map_shape = (widths[-1], *(side // 2 ** len(widths) for side in image_shape[1:]))
        self.text = TextEncoder(num_conditions)
        self.linear = nn.Linear(num_latents + NUM_MEANINGS, math.prod(self.map_shape))
        self.up = Decoder(num_latents + NUM_MEANINGS, widths, [], image_shape[0], 0, every_level)
        self.apply(init_convolutions)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        said = self.text(c).repeat_interleave(len(z) // len(c), 0)
        style = torch.cat([z, said], 1)
        h = self.linear(style).unflatten(1, self.map_shape).contiguous(memory_format=torch.channels_last)
        return torch.tanh(self.up(h, [], style))


class Discriminator(nn.Module):
    """(x, c) -> logits (N,), of whole images. Made for K = 0 it ignores c."""

    def __init__(
        self,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, int, int],
        batch_norm: bool = False,
        minibatch_stddev: bool = False,
        patch_size: int = patch.WHOLE,
    ) -> None:
        super().__init__()
        if patch_size != patch.WHOLE:
            raise InputError(
                f"patch_size = {patch_size}: captions are of whole images; allowed is {patch.WHOLE}"
            )
        self.layers = patch.Layers(width, image_shape, batch_norm, minibatch_stddev, patch_size)
        self.text = TextEncoder(num_conditions) if num_conditions else None
        num_features = self.layers.num_maps * self.layers.num_pixels
        self.head = Head(num_features, NUM_MEANINGS if num_conditions else 0)
        for module in (self.layers, self.head):
            module.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        f = flatten_nhwc(self.layers(x))
        logits: Tensor = self.head(f, self.text(c) if self.text is not None else c)
        return logits
