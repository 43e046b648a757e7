"""Does it copy the training images?"""

import torch
from torch import Tensor

CHUNK = 5000  # training images compared at once


def ratio(drawn: Tensor, real: Tensor, train: Tensor) -> float:
    """Mean distance of drawn images to their nearest training image, over the same for held-out real ones;
    below 1 warns of copying.

    Args:
        drawn: (N, C, H, W) uint8.
        real: the distances of the real ones, (M,), as `nearest` gives them.
        train: (T, C, H, W) uint8.
    """
    return (nearest(drawn, train).mean() / real.mean()).item()


def nearest(pixels: Tensor, train: Tensor) -> Tensor:
    """The Euclidean distance of each image (N, C, H, W) to its nearest training image, (N,) float64, pixels
    scaled to [0, 1].
    """
    x = pixels.flatten(1).float() / 255
    best = torch.full((len(x),), torch.inf)
    for rows in train.split(CHUNK):
        best = torch.minimum(best, torch.cdist(x, rows.flatten(1).float() / 255).amin(1))
    return best.double()
