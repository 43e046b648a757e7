"""Every proper score of the judged images, by condition."""

import torch
from torch import Tensor

from pipeline.metrics import scores
from pipeline.runtime import randomness

NUM_PAIRS = 1000  # of pixels, for the variogram score
PATCH = 4  # pixels a side
PAIRS = "pairs of pixels"  # purpose of random numbers
CHUNK = 16  # conditions at once


def by_condition(drawn: Tensor, truth: Tensor, seed: int) -> dict[str, Tensor]:
    """Each proper score by condition, (N,) float64, of samples (N, M, C, H, W) uint8 for truths (N, C, H, W)
    uint8; the energy score of whole images and of patches.
    """
    size = truth[0].numel()
    pairs = torch.randint(size, (NUM_PAIRS, 2), generator=randomness.generator(seed, PAIRS))
    found: dict[str, list[Tensor]] = {}
    for g, x in zip(drawn.split(CHUNK), truth.split(CHUNK), strict=True):
        g, x = g.float() / 255, x.float() / 255
        of_patches = scores.energy(patches(g), patches(x[:, None])[:, 0])
        for name, part in {
            "crps": scores.crps(g.flatten(2), x.flatten(1)),
            "energy_score": scores.energy(g.flatten(2), x.flatten(1)),
            "patch_energy_score": of_patches.view(len(x), -1).mean(1),
            "variogram_score": scores.variogram(g.flatten(2), x.flatten(1), pairs),
        }.items():
            found.setdefault(name, []).append(part.double())
    return {name: torch.cat(parts) for name, parts in found.items()}


def patches(images: Tensor) -> Tensor:
    """Images (n, M, C, H, W) in squares of PATCH pixels a side, (n squares, M, C PATCH PATCH)."""
    squares = images.unfold(3, PATCH, PATCH).unfold(4, PATCH, PATCH)  # (n, M, C, rows, columns, PATCH, PATCH)
    return squares.permute(0, 3, 4, 1, 2, 5, 6).flatten(4).flatten(0, 2)
