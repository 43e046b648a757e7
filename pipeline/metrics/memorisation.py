"""Does it copy the training images?"""

import torch
from torch import Tensor

from pipeline.data.arrays import release

CHUNK = 5000  # training images compared at once
MOST_NUMBERS = 2**26  # of these


def ratio(drawn: Tensor, real: Tensor, train: Tensor) -> float:
    """Mean distance of drawn images (N, C, H, W) to their nearest in `train` (T, C, H, W), both uint8, over
    that of held-out real ones, whose distances (M,) `nearest` gave; below 1 warns of copying.
    """
    return (nearest(drawn, train).mean() / real.mean()).item()


def nearest(pixels: Tensor, train: Tensor) -> Tensor:
    """The Euclidean distance of each image to its nearest in `train`, pixels in [0, 1], (N,) float64."""
    x = pixels.flatten(1).float() / 255
    found = x.new_full((len(x),), torch.inf)
    for rows in train.split(max(1, min(CHUNK, MOST_NUMBERS // x.shape[1]))):
        found = found.minimum(torch.cdist(x, rows.flatten(1).float() / 255).amin(1))
        release()
    return found.double()
