"""Images: (N, C, H, W), float in [-1, 1] in memory, uint8 on disk; one conversion each way."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

LABEL_COLOURS = (  # of label maps: OpenMoji's background, line, skin, hair, other; red, green, blue
    (255, 255, 255),
    (30, 30, 30),
    (244, 164, 96),
    (128, 64, 32),
    (100, 149, 237),
)
NUM_LABELS = len(LABEL_COLOURS)

Colours = Sequence[Sequence[int]] | None  # red, green and blue of each label, of maps with a channel a label


def to_float(pixels: Tensor) -> Tensor:
    """uint8 -> float32 in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1)


def to_uint8(x: Tensor) -> Tensor:
    """Float in [-1, 1] -> uint8, to the nearest; what lies outside is clipped."""
    return x.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def grey(pixels: Tensor) -> Tensor:
    """The luma of images (N, 3, H, W) uint8 by ITU-R BT.601, (N, 1, H, W) uint8."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=pixels.device).view(3, 1, 1)
    return (pixels * weights).sum(1, keepdim=True).round().to(torch.uint8)


def downsampled(pixels: Tensor, factor: int) -> Tensor:
    """Images (N, C, H, W) uint8 in blocks of `factor` x `factor` equal pixels, their means."""
    small = F.avg_pool2d(pixels.float(), factor).round()
    return F.interpolate(small, scale_factor=factor).to(torch.uint8)


def one_hot_maps(labels: Tensor, num_labels: int = NUM_LABELS) -> Tensor:
    """Label maps (N, H, W), of labels below K, as channels of 0 and 255, (N, K, H, W) uint8."""
    return F.one_hot(labels.long(), num_labels).permute(0, 3, 1, 2).to(torch.uint8) * 255


def as_rgb(pixels: Tensor, colours: Colours = None) -> Tensor:
    """Any condition or target, (N, C, H, W) uint8, in RGB: without a mask, a label's map in these colours."""
    if colours is not None:
        table = torch.tensor(colours, dtype=torch.uint8, device=pixels.device)
        return table[pixels.argmax(1)].permute(0, 3, 1, 2)
    return pixels.expand(-1, 3, -1, -1) if pixels.shape[1] == 1 else pixels[:, :3]


def grid(pixels: Tensor, columns: int = 0) -> Tensor:
    """One image, (C, H', W') uint8, of the images (N, C, H, W) uint8 row by row; columns = 0: a square."""
    num, channels, height, width = pixels.shape
    columns = columns or math.ceil(math.sqrt(num))
    rows = math.ceil(num / columns)
    padded = F.pad(pixels, [0] * 7 + [rows * columns - num])
    tiles = padded.view(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return tiles.reshape(channels, rows * height, columns * width)
