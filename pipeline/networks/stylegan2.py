"""A small StyleGAN2 (Karras et al. 2020, arXiv:1912.04958): latents set the style of every layer of a network
that starts from a constant.

Modulated convolutions are computed on the activations: scaling these by the style before an ordinary
convolution, and demodulating after it, equals convolving each image with weights of its own, and is much
cheaper. The noise of the layers comes after the latents in z.

D is the one of `r3gan`, which is residual and has no normalisation either.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import (
    SLOPE,
    finished,
    for_each,
    he_normal,
    map_widths,
    smallest_map,
    style_mapping,
)
from pipeline.networks.network import Network, Sampler, Spec
from pipeline.networks.r3gan import Discriminator

GAIN = math.sqrt(2 / (1 + SLOPE**2))  # by which it keeps unit variance
MEAN_RATE = 0.01  # of the mean style, a batch
NUM_LAYERS = 2  # of each map size


class Generator(Sampler):
    """Mapping network; from a learned constant, styled layers of each size, which add to an image."""

    mean_w: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        channels, rows, columns = spec.image_shape
        num_styles, widths = 2 * spec.width, map_widths(spec.width, spec.image_shape)[::-1]
        levels = reversed(range(len(widths)))
        self.maps = [(NUM_LAYERS, rows >> level, columns >> level) for level in levels]
        self.num_noise = sum(map(math.prod, self.maps)) if spec.num_latents else 0
        self.mapping = Mapping(spec.num_latents, spec.num_conditions, num_styles)
        self.register_buffer("mean_w", torch.zeros(num_styles))
        self.constant = nn.Parameter(torch.randn(1, widths[0], *smallest_map(spec.image_shape)))
        self.sizes = nn.ModuleList(
            Size(num_styles, num_inputs, num_outputs, channels)
            for num_inputs, num_outputs in zip(widths[:1] + widths, widths, strict=False)
        )

    def forward(self, z: Tensor, c: Tensor, truncation: float = 1.0) -> Tensor:
        """(N, Z + num_noise), (N, K) -> images; w is pulled to mean_w + truncation * (w - mean_w)."""
        w = self.mapping(z[:, : self.num_latents], for_each(c, z))
        if self.training:
            self.mean_w.lerp_(w.detach().mean(0).to(self.mean_w), MEAN_RATE)
        if truncation != 1:
            w = torch.lerp(self.mean_w.to(w), w, truncation)
        return self.synthesis(w, z[:, self.num_latents :])

    def synthesis(self, w: Tensor, noise: Tensor) -> Tensor:
        """The images of styles w (N, D) and noise (N, num_noise)."""
        if not self.num_noise:
            noise = w.new_zeros(len(w), sum(map(math.prod, self.maps)))
        h, image = self.constant.expand(len(w), -1, -1, -1), noise.new_zeros(1)
        noises = noise.split([math.prod(shape) for shape in self.maps], 1)
        for i, (size, shape, pixels) in enumerate(zip(self.sizes, self.maps, noises, strict=True)):
            if i:
                h, image = upsample(h), upsample(image)
            h, added = size(h, w, pixels.unflatten(1, shape))
            image = image + added
        return finished(image, self.training)


class Mapping(nn.Module):
    """Latents of length sqrt(Z) and the condition -> style w, by two layers."""

    def __init__(self, num_latents: int, num_conditions: int, num_styles: int) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.layers = style_mapping(num_latents + num_conditions, num_styles)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.layers(torch.cat([F.normalize(z) * math.sqrt(self.num_latents), c], 1))


class Size(nn.Module):
    """The layers of one map size, and what they add to the image."""

    def __init__(self, num_styles: int, num_inputs: int, num_outputs: int, channels: int) -> None:
        super().__init__()
        counts = [num_inputs] + [num_outputs] * NUM_LAYERS
        self.layers = nn.ModuleList(StyledLayer(num_styles, *counts[i : i + 2]) for i in range(NUM_LAYERS))
        self.style = style_layer(num_styles, num_outputs)
        self.colour = he_normal(nn.Conv2d(num_outputs, channels, 1))

    def forward(self, h: Tensor, w: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Maps and image, of maps (N, C, H, W), styles (N, D) and noise (N, NUM_LAYERS, H, W)."""
        for layer, pixels in zip(self.layers, noise.split(1, 1), strict=True):
            h = layer(h, w, pixels)
        return h, self.colour(scale(h, self.style(w)))


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise of learned strength, bias, leaky ReLU."""

    def __init__(self, num_styles: int, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.style = style_layer(num_styles, num_inputs)
        self.convolution = he_normal(nn.Conv2d(num_inputs, num_outputs, 3, padding=1, bias=False))
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(num_outputs, 1, 1))

    def forward(self, h: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Maps (N, C, H, W), styles (N, D) and noise (N, 1, H, W) -> maps."""
        s = self.style(w)
        h = self.convolution(scale(h, s))
        h = scale(h, GAIN * demodulation(self.convolution.weight, s))
        return F.leaky_relu(h + (self.strength * noise).to(h.dtype) + self.bias.to(h.dtype), SLOPE)


def demodulation(weight: Tensor, s: Tensor) -> Tensor:
    """1 / sqrt(sum over i, k of (s_i w_oik)^2), (N, O), k the places of the kernel: what a convolution's
    outputs are multiplied by to have unit variance for inputs of unit variance, with w (O, I, H, W) and
    scales s (N, I).
    """
    return torch.rsqrt(s.square() @ weight.square().sum((2, 3)).T + 1e-8)


def scale(h: Tensor, s: Tensor) -> Tensor:
    """Maps (N, C, H, W) multiplied by (N, C)."""
    return h * s.to(h.dtype)[:, :, None, None]


def upsample(h: Tensor) -> Tensor:
    return F.interpolate(h, scale_factor=2.0, mode="bilinear")


def style_layer(num_styles: int, num_outputs: int) -> nn.Linear:
    """Styles -> scales, which start about 1."""
    layer = nn.Linear(num_styles, num_outputs)
    nn.init.normal_(layer.weight, 0.0, num_styles**-0.5)
    nn.init.ones_(layer.bias)
    return layer


NETWORK = Network(("none", "class"), Generator, Discriminator, truncates=True)
