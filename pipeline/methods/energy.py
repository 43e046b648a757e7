"""The energy score of draws, a proper score: its expectation is least where they are draws of the posterior
(Gneiting and Raftery 2007, doi:10.1198/016214506000001437).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

EXPONENT = 1.0  # the usual one
PATCH_SIZES = (1, 4, 0)  # pixels a side; 0: the whole image
ROUNDING = 1e-6  # under the root, of images in [-1, 1]: where two draws coincide the norm has no gradient


def score(
    drawn: Tensor, x: Tensor, exponent: float, repulsion: float, patch_sizes: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """How far P draws are from the truths, and from each other: the energy score is the first less half the
    second.

    With the distance d of `distances`, mean_ij d(x_i, g_j)^b and mean_(i != j) d(g_i, g_j)^b, unbiased for
    any numbers of draws and of truths.

    Args:
        drawn: (N, P, C, H, W), or points (N, P, D).
        x: the T truths of each condition, most often one, (N, T, C, H, W), or (N, T, D).
        exponent: b; below 2 the score is strictly proper.
        repulsion: 0 leaves the second out.
        patch_sizes: pixels a side, no more than the image has, 0 for all of it; their means are summed.

    Returns:
        Two scalars.
    """
    error = distances((drawn[:, :, None] - x[:, None]).flatten(1, 2), exponent, patch_sizes)
    if not repulsion:
        return error, error.new_zeros(())
    first, second = torch.triu_indices(drawn.shape[1], drawn.shape[1], offset=1)
    return error, distances(drawn[:, first] - drawn[:, second], exponent, patch_sizes)


def distances(differences: Tensor, exponent: float, patch_sizes: Sequence[int]) -> Tensor:
    """The mean of |d|^b over patches, summed over their sizes, a scalar; |d| is the root mean square over the
    pixels and channels of a patch, so that patches of all sizes weigh the same.

    Patches overlap by half; differences are (N, P, C, H, W), or (N, P, D).
    """
    squares = differences.flatten(0, 1).square().mean(1, keepdim=True)  # (N P, 1, H, W), or (N P, 1)
    squares = squares if squares.ndim == 4 else squares[..., None, None]
    total = squares.new_zeros(())
    for size in patch_sizes:
        kernel = tuple(size or side for side in squares.shape[2:])
        stride = tuple(max(1, side // 2) for side in kernel)
        patches = squares if kernel == (1, 1) else F.avg_pool2d(squares, kernel, stride)
        total = total + (patches + ROUNDING).pow(exponent / 2).mean()
    return total
