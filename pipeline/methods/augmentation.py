"""Differentiable augmentation of what the discriminator sees, real or fake (Zhao et al. 2020, "DiffAugment",
arXiv:2006.10738).

G learns to make images that look right after the change, and is not taught to change them, as long as the
changes can be undone in distribution.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor

from pipeline.runtime import distributed as parallel

SHIFT = 1 / 8  # of the side, at most, to each direction
HOLE = 1 / 2  # of the side


def brightness(x: Tensor, source: Generator) -> Tensor:
    """One number in [-0.5, 0.5) added to all pixels of an image."""
    return x + (_uniform(x, source).view(-1, 1, 1, 1) - 0.5)


def contrast(x: Tensor, source: Generator) -> Tensor:
    """Pixels' distance from the image's mean times a number in [0.5, 1.5)."""
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (_uniform(x, source).view(-1, 1, 1, 1) + 0.5)


def translation(x: Tensor, source: Generator) -> Tensor:
    """Moved by up to an eighth of the side each way; what comes in is black (-1)."""
    rows, columns = (_moved(x, side, source) for side in x.shape[2:])
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), value=-1.0)
    images = torch.arange(len(x), device=x.device).view(-1, 1, 1)
    picked = padded.permute(0, 2, 3, 1)[images, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    return picked.permute(0, 3, 1, 2)


def _moved(x: Tensor, side: int, source: Generator) -> Tensor:
    """Where each row (or column) of the result comes from in the image with a border of one, (N, side)."""
    most = int(side * SHIFT + 0.5)
    shifts = torch.randint(-most, most + 1, (len(x) * parallel.world(), 1), generator=source)
    return (torch.arange(side) + parallel.shard(shifts) + 1).clamp(0, side + 1).to(x.device)


def cutout(x: Tensor, source: Generator) -> Tensor:
    """A square of half the side, at a random place and perhaps partly outside, set to grey (0)."""
    inside = [_near(side, _uniform(x, source)) for side in x.shape[2:]]
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return x.masked_fill(hole, 0.0)


def _near(side: int, centre: Tensor) -> Tensor:
    """Which of `side` places lie within the hole around a centre in [0, 1), (N, side)."""
    return (torch.arange(side, device=centre.device) + 0.5 - centre * side).abs() <= side * HOLE / 2


def _uniform(x: Tensor, source: Generator) -> Tensor:
    """A number in [0, 1) for each image, (N, 1)."""
    return parallel.shard(torch.rand(len(x) * parallel.world(), 1, generator=source)).to(x.device)


AUGMENTATIONS: dict[str, Callable[[Tensor, Generator], Tensor]] = {
    "brightness": brightness,
    "contrast": contrast,
    "translation": translation,
    "cutout": cutout,
}


def augment(x: Tensor, names: Iterable[str], source: Generator) -> Tensor:
    """The images (N, C, H, W) after the named changes, in that order; differentiable by `x`."""
    for name in names:
        x = AUGMENTATIONS[name](x, source)
    return x
