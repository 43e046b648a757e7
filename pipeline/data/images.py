"""Images: (N, C, H, W), float in [-1, 1] in memory, uint8 on disk; one conversion each way."""

import math

import torch
from torch import Tensor


def to_float(pixels: Tensor) -> Tensor:
    """uint8 -> float32 in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1)


def to_uint8(x: Tensor) -> Tensor:
    """Float in [-1, 1] -> uint8, to the nearest; what lies outside is clipped."""
    return x.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def grid(pixels: Tensor, columns: int = 0) -> Tensor:
    """One picture, (C, H', W') uint8, of the images (N, C, H, W) uint8 row by row; columns = 0: a square."""
    num, channels, height, width = pixels.shape
    columns = columns or math.ceil(math.sqrt(num))
    rows = math.ceil(num / columns)
    padded = torch.zeros(rows * columns, channels, height, width, dtype=torch.uint8)
    padded[:num] = pixels
    tiles = padded.view(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return tiles.reshape(channels, rows * height, columns * width)
