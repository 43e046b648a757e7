"""A generator and a discriminator conditioned on a caption: rows of word numbers, (N, L).

Each has a small text encoder of its own, trained with it: embedded words, a convolution over neighbours, and
the mean over the caption. D weighs image and caption by projection (Miyato and Koyama 2018,
arXiv:1802.05637), as Reed et al. 2016 (arXiv:1605.05396) were the first to draw images from captions.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.dcgan import init_weights
from pipeline.networks.layers import SLOPE, Head, flatten_nhwc, for_each
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec
from pipeline.networks.patchgan import WHOLE, Layers
from pipeline.networks.unet import Decoder, init_convolutions, level_widths
from pipeline.runtime.errors import InputError

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


class Generator(Sampler):
    """(z, c) -> x: the U-Net's way up, from a map that the caption makes, with z and caption as its style."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        num_styles = spec.num_latents + NUM_MEANINGS
        widths = level_widths(spec.width, spec.image_shape)
        self.map_shape = (widths[-1], *(side // 2 ** len(widths) for side in spec.image_shape[1:]))
        self.text = TextEncoder(spec.num_conditions)
        self.linear = nn.Linear(num_styles, math.prod(self.map_shape))
        self.up = Decoder(spec, num_styles, widths, skips=False)
        self.apply(init_convolutions)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        style = torch.cat([z, for_each(self.text(c), z)], 1)
        h = self.linear(style).unflatten(1, self.map_shape).contiguous(memory_format=torch.channels_last)
        return torch.tanh(self.up(h, [], style))


class Discriminator(nn.Module):
    """(x, c) -> logits (N,), of whole images. Made for K = 0 it ignores c."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        if spec.patch_size != WHOLE:
            raise InputError(
                f"patch_size = {spec.patch_size}: captions are of whole images; allowed is {WHOLE}"
            )
        self.layers = Layers(spec, spec.image_shape)
        self.text = TextEncoder(spec.num_conditions) if spec.num_conditions else None
        num_features = self.layers.num_maps * self.layers.num_pixels
        self.head = Head(num_features, NUM_MEANINGS if spec.num_conditions else 0)
        for module in (self.layers, self.head):
            module.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        f = flatten_nhwc(self.layers(x))
        return self.head(f, self.text(c) if self.text is not None else c)


NETWORK = Network(("words",), Generator, Discriminator, batch_norm=True)
