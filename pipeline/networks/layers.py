"""What the networks share: how often they halve an image, and the discriminators' last layers."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUP = 4  # images whose spread the discriminator is told
LARGEST_MAP = 8  # pixels on the longer side of the smallest map
SLOPE = 0.2  # of the leaky ReLU below zero


def num_levels(image_shape: tuple[int, int, int]) -> int:
    """How many halvings bring the longer side to 8 pixels or fewer; two at least (28 -> 14 -> 7)."""
    return max(2, math.ceil(math.log2(max(image_shape[1:]) / LARGEST_MAP)))


def smallest_map(image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Rows and columns of the image after all halvings.

    Raises:
        ValueError: a side cannot be halved so often.
    """
    scale = 2 ** num_levels(image_shape)
    _, rows, columns = image_shape
    if rows % scale or columns % scale:
        raise ValueError(f"images of {rows} x {columns} pixels: sides must be multiples of {scale}")
    return rows // scale, columns // scale


def num_channels(width: int, level: int) -> int:
    """Channels of the map after `level` halvings: `width` after one, twice as many after each further one,
    half as many at the image's own size.
    """
    return max(1, width * 2**level // 2)


def reject_batch_norm(network: str, batch_norm: bool) -> None:
    """Refuse batch normalisation for a discriminator that has none.

    Raises:
        ValueError: it was asked for.
    """
    if batch_norm:
        raise ValueError(f"batch_norm = true: the discriminator of {network} has no batch normalisation")


def he_normal(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    """The layer, with weights that keep the signal's size (He et al. 2015, arXiv:1502.01852), biases 0."""
    nn.init.kaiming_normal_(layer.weight, SLOPE)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ToPicture(nn.ConvTranspose2d):
    """A transposed convolution, 4 x 4 with stride 2, to the few channels of a picture twice as large.

    Computed as what it equals, a 3 x 3 convolution to each output's four pixels, which are then put in their
    places (Shi et al. 2016, arXiv:1609.07009): to few channels that is several times faster.
    """

    def __init__(self, num_inputs: int, num_channels: int) -> None:
        super().__init__(num_inputs, num_channels, 4, 2, 1)
        taps = torch.zeros(2, 3, 4)  # output row 2 y + a takes input row y + d - 1 times the weights' row k
        for a in range(2):
            for d in range(3):
                if 0 <= (k := a + 3 - 2 * d) < 4:
                    taps[a, d, k] = 1
        self.taps: Tensor
        self.register_buffer("taps", taps, persistent=False)

    def forward(self, h: Tensor, output_size: list[int] | None = None) -> Tensor:
        weight = torch.einsum("iokl,adk,bel->oabide", self.weight, self.taps, self.taps)
        bias = self.bias.repeat_interleave(4) if self.bias is not None else None
        return F.pixel_shuffle(F.conv2d(h, weight.flatten(0, 2), bias, padding=1), 2)


def finished(h: Tensor, training: bool) -> Tensor:
    """The last layer's output as an image: as it is while training, so that no pixel's gradient dies where
    networks without normalisation overshoot at first; cut off to [-1, 1] afterwards.
    """
    return h if training else h.clamp(-1, 1)


def flatten_nhwc(h: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, H * W * C); free of copies when `h` is channels-last."""
    return h.permute(0, 2, 3, 1).flatten(1)


def side_by_side(h: Tensor, *maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) on one channel axis, channels-last and of the first one's type, whatever
    the others' are: `torch.cat` would give the wider type, in the order of the last, and a convolution would
    then copy it twice.
    """
    rows = [each.to(h.dtype).permute(0, 2, 3, 1) for each in (h, *maps)]
    return torch.cat(rows, 3).permute(0, 3, 1, 2)


def repeated(h: Tensor, times: int) -> Tensor:
    """Each map (N, C, H, W) so many times, one after the other, channels-last."""
    return h if times == 1 else h.permute(0, 2, 3, 1).repeat_interleave(times, 0).permute(0, 3, 1, 2)


def append_stddev(h: Tensor) -> Tensor:
    """Features with one map more: how much images of a group of four differ (Karras et al. 2018,
    arXiv:1710.10196).

    The standard deviation of each feature over the group, averaged over all features. Groups are consecutive
    images; the last one is filled up with the first images of the batch. A smaller batch is one group.

    Args:
        h: (N, C, ...).

    Returns:
        (N, C + 1, ...).
    """
    num_images, size = len(h), min(GROUP, len(h))
    groups = torch.cat([h, h[: -num_images % size]]).float().unflatten(0, (-1, size))
    spread = (groups.var(1, correction=0) + 1e-8).sqrt().flatten(1).mean(1)  # (groups,)
    spread = spread.repeat_interleave(size)[:num_images].view(-1, *[1] * (h.ndim - 1))
    return torch.cat([h, spread.to(h.dtype).expand(-1, 1, *h.shape[2:])], 1)


class Head(nn.Module):
    """The logit of features f under a condition c, by projection: w f + b + c V f (Miyato and Koyama 2018,
    arXiv:1802.05637); made for K = 0, it ignores c.
    """

    def __init__(self, num_features: int, num_conditions: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, 1)
        self.project = nn.Linear(num_features, num_conditions, bias=False) if num_conditions else None

    def forward(self, f: Tensor, c: Tensor) -> Tensor:
        """(N, D), (N, K) -> (N,)."""
        logits: Tensor = self.linear(f).squeeze(1)
        if self.project is not None:
            logits = logits + (self.project(f) * c).sum(1)
        return logits
