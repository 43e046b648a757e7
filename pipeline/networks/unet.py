"""The U-Net of pix2pix (Ronneberger et al. 2015, arXiv:1505.04597; Isola et al. 2017, arXiv:1611.07004): a
image goes down by strided convolutions and up again, each map on the way up beside its like on the way
down.

Latents become a style (Karras et al. 2019, arXiv:1812.04948) that scales and shifts the maps of every level
on the way up, so that no level can lose them; or of the smallest alone, where pix2pix lost them.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.dcgan import init_weights
from pipeline.networks.layers import SLOPE, he_normal, repeated, side_by_side
from pipeline.networks.network import Spec
from pipeline.networks.patchgan import Discriminator
from pipeline.runtime.errors import InputError

__all__ = ["BATCH_NORM", "Discriminator", "Generator"]

CONDITIONS, BATCH_NORM, TRUNCATES = ("image",), True, False
SMALLEST_MAP = 2  # pixels: at most three, after all halvings
NUM_STYLES = 64  # numbers of a style
WIDEST = 4  # times `width` channels at most


def build(spec: Spec) -> nn.Module:
    return Generator(
        spec.num_latents, spec.num_conditions, spec.width, spec.shape, spec.latents_at_every_level
    )


class Generator(nn.Module):
    """(z, c) -> x, z (N, Z) and c an image (N, K, H, W) of the size of x (N, C, H, W).

    Of P draws of each condition z has P rows, one after the other, and c one: it goes down once.
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
        inputs = [num_conditions, *widths]
        self.down = nn.ModuleList(
            Down(*pair, norm=i > 0) for i, pair in enumerate(zip(inputs, widths, strict=False))
        )
        self.up = Decoder(num_latents, widths, widths[:-1], image_shape[0], num_conditions, every_level)
        self.apply(init_convolutions)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        maps, h = [], c
        for layer in self.down:
            h = layer(h)
            maps.append(h)
        *skipped, h = [c, *maps]
        return torch.tanh(self.up(repeated(h, len(z) // len(c)), skipped, z))


class Down(nn.Module):
    """Half the size: convolution, batch normalisation except at the image itself, leaky ReLU."""

    def __init__(self, num_inputs: int, num_outputs: int, norm: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(num_inputs, num_outputs, 4, 2, 1, bias=not norm)
        self.norm = nn.BatchNorm2d(num_outputs) if norm else nn.Identity()
        self.activation = nn.LeakyReLU(SLOPE)

    def forward(self, h: Tensor) -> Tensor:
        h = self.activation(self.norm(self.convolution(h)))
        return h


class Decoder(nn.Module):
    """From the smallest map to the image.

    Args:
        num_latents: Z; 0: no style.
        widths: channels of the maps on the way down, the smallest map's last.
        beside: channels of what stands beside each map on the way up, the largest first; none for widths[-1].
        channels: C of the image.
        num_given: channels of what stands beside the image itself.
        every_level: the style shifts all maps, else the smallest alone.
    """

    def __init__(
        self,
        num_latents: int,
        widths: list[int],
        beside: list[int],
        channels: int,
        num_given: int,
        every_level: bool,
    ) -> None:
        super().__init__()
        self.mapping = mapping(num_latents) if num_latents else None
        outputs = [max(1, widths[0] // 2), *widths[:-1]]  # from the largest map to the smallest
        levels = []
        for i in reversed(range(len(widths))):
            num_inputs = widths[i] + (beside[i] if i < len(beside) else 0)
            styled = bool(num_latents) and (every_level or i == len(widths) - 1)
            levels.append(Up(num_inputs, outputs[i], NUM_STYLES if styled else 0))
        self.levels = nn.ModuleList(levels)
        self.finish = nn.Conv2d(outputs[0] + num_given, channels, 3, 1, 1)

    def forward(self, h: Tensor, skipped: list[Tensor], z: Tensor) -> Tensor:
        """The image, (N, C, H, W), from the smallest map; `skipped` are the others, the largest first, each
        once for all draws of a condition.
        """
        w = self.mapping(z) if self.mapping is not None else z
        beside, waiting = None, list(skipped)
        for level in self.levels:
            h = level(h, w, beside)
            beside = waiting.pop() if waiting else None
        if beside is not None:
            h = side_by_side(h, repeated(beside, len(h) // len(beside)))
        x: Tensor = self.finish(h)
        return x


class Up(nn.Module):
    """Twice the size: transposed convolution, batch normalisation, scale and shift by the style, ReLU."""

    def __init__(self, num_inputs: int, num_outputs: int, num_styles: int) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(num_inputs, num_outputs, 4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(num_outputs)
        self.style = nn.Linear(num_styles, 2 * num_outputs) if num_styles else None

    def forward(self, h: Tensor, w: Tensor, beside: Tensor | None = None) -> Tensor:
        h = self.norm(self.convolution(h) if beside is None else self.convolve(h, beside))
        if self.style is not None:
            scale, shift = self.style(w)[..., None, None].chunk(2, 1)
            # expanded first: in bf16, adding one number a map takes ten times as long as adding maps
            h = h * (1 + scale) + shift.expand_as(h).contiguous(memory_format=torch.channels_last)
        return torch.relu(h)

    def convolve(self, h: Tensor, beside: Tensor) -> Tensor:
        """The convolution of both maps; of what stands beside several draws only once."""
        num_draws = len(h) // len(beside)
        if num_draws == 1:
            result: Tensor = self.convolution(side_by_side(h, beside))
            return result
        own, others = self.convolution.weight.split([h.shape[1], beside.shape[1]])
        h, beside = (F.conv_transpose2d(*each, None, 2, 1) for each in ((h, own), (beside, others)))
        return h + repeated(beside, num_draws)


def mapping(num_latents: int) -> nn.Module:
    """Latents (N, Z) -> styles (N, NUM_STYLES)."""
    return nn.Sequential(
        he_normal(nn.Linear(num_latents, NUM_STYLES)),
        nn.LeakyReLU(SLOPE),
        he_normal(nn.Linear(NUM_STYLES, NUM_STYLES)),
        nn.LeakyReLU(SLOPE),
    )


def init_convolutions(module: nn.Module) -> None:
    """DCGAN's weights for convolutions; styles keep larger ones, or latents would hardly count at first."""
    if not isinstance(module, nn.Linear):
        init_weights(module)


def level_widths(width: int, image_shape: tuple[int, int, int]) -> list[int]:
    """Channels after each halving, `width` first, twice as many after each further one up to four times.

    Raises:
        InputError: the sides cannot be halved so often.
    """
    num_levels = max(2, math.floor(math.log2(max(image_shape[1:]) / SMALLEST_MAP)))
    if any(side % 2**num_levels for side in image_shape[1:]):
        sides = " x ".join(map(str, image_shape[1:]))
        raise InputError(f"images of {sides} pixels: sides must be multiples of {2**num_levels}")
    return [width * min(2**level, WIDEST) for level in range(num_levels)]
