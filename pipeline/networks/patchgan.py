"""PatchGAN (Isola et al. 2017, arXiv:1611.07004): a discriminator of patches, whose size is a parameter, from
single pixels to the whole image. It sees the image and, unless asked otherwise, its condition.
"""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from pipeline.kernels.joined import side_by_side
from pipeline.networks.dcgan import init_weights
from pipeline.networks.layers import FromImage, MinibatchStddev, convolutions, flatten_nhwc
from pipeline.networks.network import DiscriminatorSpec
from pipeline.runtime.errors import InputError

WHOLE = 0  # patch size: one logit an image
WIDEST = 4  # times `width` channels at most
SMALLEST_MAP = 4  # pixels, of the whole image's discriminator


class Discriminator(nn.Module):
    """(x, c) -> logits, (N,) of whole images or (N, 1, h, w) of patches.

    The image and its condition, (N, K, H, W), are one stack of channels. Made for K = 0 it ignores c.
    """

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        channels, rows, columns = spec.image_shape
        self.sees_condition = spec.num_conditions > 0
        self.layers = Layers(spec, (channels + spec.num_conditions, rows, columns))
        self.whole = spec.patch_size == WHOLE
        num_maps, num_pixels = self.layers.num_maps, self.layers.num_pixels
        self.head = nn.Linear(num_maps * num_pixels, 1) if self.whole else nn.Conv2d(num_maps, 1, 1)
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.layers(side_by_side(x, c) if self.sees_condition else x)
        return self.head(flatten_nhwc(h)).squeeze(1) if self.whole else self.head(h)


class Layers(nn.Module):
    """Strided convolutions, (N, *shape) -> (N, num_maps, h, w), that see patches; num_pixels is h w."""

    def __init__(self, spec: DiscriminatorSpec, shape: Sequence[int]) -> None:
        super().__init__()
        channels, *sides = shape
        num_halvings = halvings(spec.patch_size, max(sides))
        kind = (4, 2, 1) if num_halvings else (1, 1, 0)  # kernel, stride, padding: halve, or keep to a pixel
        widths = [spec.width * min(2**level, WIDEST) for level in range(num_halvings or 2)]
        first = FromImage(channels, spec.width) if num_halvings else nn.Conv2d(channels, spec.width, *kind)
        self.layers = nn.Sequential(*convolutions(first, widths, kind, spec.batch_norm))
        self.spread = MinibatchStddev() if spec.minibatch_stddev else nn.Identity()
        self.num_maps = widths[-1] + spec.minibatch_stddev
        self.num_pixels = math.prod(side // 2**num_halvings for side in sides)

    def forward(self, x: Tensor) -> Tensor:
        return self.spread(self.layers(x))


def halvings(patch_size: int, side: int) -> int:
    """How many strided convolutions a logit's view takes.

    Raises:
        InputError: no number of them gives patches of this size, or they are larger than the image.
    """
    if patch_size == WHOLE:
        return max(1, math.ceil(math.log2(side / SMALLEST_MAP)))
    allowed = patch_sizes(side)
    if patch_size not in allowed:
        sizes = ", ".join(map(str, allowed))
        raise InputError(f"patch_size = {patch_size}: allowed are {WHOLE} (the whole image), {sizes}")
    return allowed.index(patch_size)


def patch_sizes(side: int) -> list[int]:
    """What n = 0, 1, 2 ... convolutions of 4 x 4 pixels and stride 2 see: 1, 4, 10, 22 ... 3 * 2^n - 2
    pixels, as long as that is less than the image's side.
    """
    return [3 * 2**n - 2 for n in range(int(math.log2(side))) if 3 * 2**n - 2 < side]
