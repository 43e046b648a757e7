"""The U-Net of pix2pix (Ronneberger et al. 2015, arXiv:1505.04597; Isola et al. 2017, arXiv:1611.07004): an
image goes down by strided convolutions and up again, each map on the way up beside its like on the way
down.

Latents become a style (Karras et al. 2019, arXiv:1812.04948) that scales and shifts the maps of every level
on the way up, so that no level can lose them; or of the smallest alone, where pix2pix lost them. A style is
the same at every pixel; what differs from place to place, such as texture, needs the noise of layers, of that
paper, too.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.kernels.activated import Rest, activated
from pipeline.kernels.joined import repeated, side_by_side
from pipeline.networks.dcgan import init_weights
from pipeline.networks.layers import SLOPE, last, style_mapping
from pipeline.networks.network import Network, Sampler, Spec
from pipeline.networks.patchgan import WIDEST, Discriminator
from pipeline.runtime.errors import InputError

SMALLEST_MAP = 2  # pixels: at most three, after all halvings
NUM_STYLES = 64  # numbers of a style
FEW_DRAWS = 2  # of a condition: convolving what they share once for each costs no more than adding it to each
NOISE_STRENGTH = 0.1  # of maps of standard deviation 1, before training

Norm = Callable[[int], nn.Module]  # of so many channels


class Generator(Sampler):
    """(z, c) -> x, z (N, Z) and c an image (N, K, H, W) of the size of x (N, C, H, W).

    Of P draws of each condition z has P rows, one after the other, and c one: it goes down once.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        widths = level_widths(spec.width, spec.image_shape)
        self.down = encoder(spec.num_conditions, widths, nn.BatchNorm2d)
        self.up = Decoder(spec, spec.num_latents, widths, skips=True)
        self.num_noise = sum(map(math.prod, self.up.noise_shapes))
        self.apply(init_convolutions)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        *skipped, h = maps(self.down, c)
        z, noise = z.tensor_split([self.num_latents], 1)
        return torch.tanh(self.up(repeated(h, len(z) // len(c)), skipped, z, noise))


def encoder(num_inputs: int, widths: Sequence[int], norm: Norm) -> nn.ModuleList:
    """The way down."""
    pairs = zip([num_inputs, *widths], widths, strict=False)
    return nn.ModuleList(Down(*pair, norm if i else nn.Identity) for i, pair in enumerate(pairs))


def maps(down: nn.ModuleList, h: Tensor) -> list[Tensor]:
    """All maps of the way down, the largest, which is what goes in, first."""
    found = [h]
    for layer in down:
        found.append(layer(found[-1]))
    return found


class Down(nn.Module):
    """Half the size: convolution, normalisation except at the image itself, leaky ReLU."""

    def __init__(self, num_inputs: int, num_outputs: int, norm: Norm) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(num_inputs, num_outputs, 4, 2, 1, bias=norm is nn.Identity)
        self.norm = norm(num_outputs)

    def forward(self, h: Tensor) -> Tensor:
        return activated(self.convolution(h), self.norm, SLOPE)


class Decoder(nn.Module):
    """From the smallest map to the image.

    Args:
        num_latents: numbers that the style is made of; 0: no style.
        widths: channels of the maps on the way down, the smallest map's last.
        skips: those maps, and the condition, stand beside their like on the way up.
    """

    def __init__(
        self, spec: Spec, num_latents: int, widths: list[int], skips: bool, norm: Norm = nn.BatchNorm2d
    ) -> None:
        super().__init__()
        self.mapping = style_mapping(num_latents, NUM_STYLES) if num_latents else None
        outputs = [max(1, widths[0] // 2), *widths[:-1]]  # from the largest map to the smallest
        beside = [*widths[:-1], 0] if skips else [0] * len(widths)
        noisy, (rows, columns) = spec.layer_noise and num_latents > 0, spec.image_shape[1:]
        self.noise_shapes = [(rows >> i, columns >> i) for i in reversed(range(len(widths)))] if noisy else []
        levels = []
        for i in reversed(range(len(widths))):
            styled = num_latents > 0 and (spec.latents_at_every_level or i == len(widths) - 1)
            levels.append(Up(widths[i] + beside[i], outputs[i], NUM_STYLES if styled else 0, norm, noisy))
        self.levels = nn.ModuleList(levels)
        self.finish = nn.Conv2d(outputs[0] + skips * spec.num_conditions, spec.image_shape[0], 3, 1, 1)

    def forward(
        self,
        h: Tensor,
        skipped: list[Tensor],
        z: Tensor,
        noise: Tensor | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        """The image, (N, C, H, W), from the smallest map; `skipped` are the others, the largest first, each
        once for all draws of a condition, and of all but the largest a share is dropped; `noise` has a row of
        numbers for all `noise_shapes`, if there are.
        """
        w = self.mapping(z) if self.mapping is not None else z
        found, waiting = [h], list(skipped)
        for level, pixels in zip(self.levels, self.noises(noise), strict=True):
            beside = waiting.pop() if waiting else None
            found = level(found, w, pixels, beside, dropout if waiting else 0.0)
        h, *apart = found
        if apart:
            h = side_by_side(h, *(repeated(each, len(h) // len(each)) for each in apart))
        return last(self.finish, h)

    def noises(self, noise: Tensor | None) -> Sequence[Tensor | None]:
        """The noise of each level, (N, 1, H, W), where there is any."""
        if noise is None or not self.noise_shapes:
            return [None] * len(self.levels)
        parts = noise.split([math.prod(shape) for shape in self.noise_shapes], 1)
        return [part.unflatten(1, (1, *shape)) for part, shape in zip(parts, self.noise_shapes, strict=True)]


class Up(nn.Module):
    """Twice the size: transposed convolution, normalisation, scale and shift by the style, noise, ReLU."""

    def __init__(self, num_inputs: int, num_outputs: int, num_styles: int, norm: Norm, noisy: bool) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(num_inputs, num_outputs, 4, 2, 1, bias=False)
        self.norm = norm(num_outputs)
        self.style = nn.Linear(num_styles, 2 * num_outputs) if num_styles else None
        self.strength = nn.Parameter(torch.full((num_outputs, 1, 1), NOISE_STRENGTH)) if noisy else None

    def forward(
        self,
        maps: Sequence[Tensor],
        w: Tensor,
        noise: Tensor | None = None,
        beside: Tensor | None = None,
        dropout: float = 0.0,
    ) -> list[Tensor]:
        """The map, and what is to stand beside it, of those of the level below: one map of both, or two,
        where many draws have the second in common.
        """
        style = self.style(w) if self.style is not None else None
        rest, num_draws = (
            Rest(style, noise, self.strength),
            len(w) // len(beside) if beside is not None else 1,
        )
        if num_draws > FEW_DRAWS:
            assert beside is not None
            return [activated(self.convolve(*maps), self.norm, 0.0, rest), F.dropout(beside, dropout)]
        rest = rest._replace(beside=beside, dropout=dropout)
        return [activated(self.convolve(*maps), self.norm, 0.0, rest)]

    def convolve(self, h: Tensor, beside: Tensor | None = None) -> Tensor:
        """The convolution of all maps; of what stands beside several draws only once."""
        if beside is None:
            return self.convolution(h)
        own, others = self.convolution.weight.split([h.shape[1], beside.shape[1]])
        num_draws = len(h) // len(beside)
        h, beside = (F.conv_transpose2d(*each, None, 2, 1) for each in ((h, own), (beside, others)))
        return h + repeated(beside, num_draws)


def init_convolutions(module: nn.Module) -> None:
    """DCGAN's weights for convolutions; styles keep larger ones, or latents would hardly count at first."""
    if not isinstance(module, nn.Linear):
        init_weights(module)


def level_widths(width: int, image_shape: Sequence[int]) -> list[int]:
    """Channels after each halving, `width` first, twice as many after each further one up to four times.

    Raises:
        InputError: the sides cannot be halved so often.
    """
    num_levels = max(2, math.floor(math.log2(max(image_shape[1:]) / SMALLEST_MAP)))
    if any(side % 2**num_levels for side in image_shape[1:]):
        sides = " x ".join(map(str, image_shape[1:]))
        raise InputError(f"images of {sides} pixels: sides must be multiples of {2**num_levels}")
    return [width * min(2**level, WIDEST) for level in range(num_levels)]


NETWORK = Network(("image",), Generator, Discriminator, batch_norm=True)
