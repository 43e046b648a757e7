"""The energy score of draws, a proper score: its expectation is least where they are draws of the posterior
(Gneiting and Raftery 2007, doi:10.1198/016214506000001437).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDING = 1e-6  # under the root, of images in [-1, 1]: where two draws coincide the norm has no gradient


def score(
    drawn: Tensor, x: Tensor, exponent: float, repulsion: float, patch_sizes: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """How far P draws are from the truth, and from each other: the energy score is the first less half the
    second.

    With the distance d of `distances`, mean_i d(x, g_i)^b and mean_(i != j) d(g_i, g_j)^b, unbiased for any
    number of draws.

    Args:
        drawn: (N, P, C, H, W), or points (N, P, D).
        x: (N, C, H, W), or (N, D).
        exponent: b; below 2 the score is strictly proper.
        repulsion: 0 leaves the second out.
        patch_sizes: pixels a side, 0 for the whole image; their means are summed.

    Returns:
        Two scalars.
    """
    num_draws = drawn.shape[1]
    error = distances(drawn - x[:, None], exponent, patch_sizes)
    if not repulsion:
        return error, error.new_zeros(())
    pairs = [drawn[:, i] - drawn[:, j] for i in range(num_draws) for j in range(i)]
    return error, distances(torch.stack(pairs, 1), exponent, patch_sizes)


def distances(differences: Tensor, exponent: float, patch_sizes: Sequence[int]) -> Tensor:
    """The mean of |d|^b over patches, summed over their sizes, a scalar; |d| is the root mean square over the
    pixels and channels of a patch, so that patches of all sizes weigh the same.

    Patches overlap by half; differences are (N, P, C, H, W), or (N, P, D).
    """
    squares = differences.flatten(0, 1).square().mean(1, keepdim=True)  # (N P, 1, H, W), or (N P, 1)
    squares = squares if squares.ndim == 4 else squares[..., None, None]
    total = squares.new_zeros(())
    for size in patch_sizes:
        kernel = tuple(min(size or side, side) for side in squares.shape[2:])  # none larger than the image
        stride = tuple(max(1, side // 2) for side in kernel)
        patches = squares if kernel == (1, 1) else F.avg_pool2d(squares, kernel, stride)
        total = total + (patches + ROUNDING).pow(exponent / 2).mean()
    return total
