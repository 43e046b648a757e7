"""Does it copy the training images?"""

import torch
from torch import Tensor

CHUNK = 5000  # training images compared at once


def ratio(drawn: Tensor, real: Tensor, train: Tensor) -> float:
    """Mean distance of drawn images to their nearest training image, over the same for held-out real ones;
    below 1 warns of copying.

    All (N, C, H, W) uint8; distances are Euclidean over pixels.
    """
    return (nearest(drawn, train).mean() / nearest(real, train).mean()).item()


def nearest(pixels: Tensor, train: Tensor) -> Tensor:
    """The distance of each image to its nearest training image, pixels scaled to [0, 1], (N,) float64."""
    x = pixels.flatten(1).float() / 255
    best = torch.full((len(x),), torch.inf)
    for rows in train.split(CHUNK):
        best = torch.minimum(best, torch.cdist(x, rows.flatten(1).float() / 255).amin(1))
    return best.double()
