"""Samples against a known posterior: each drawing with skin comes in six tones over one line layer, so that a
sketch has six right answers, equally likely.

Shape letters: B drawings, M samples of each, T true tones; images are uint8, colours RGB in [0, 1].
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.runtime.errors import InputError

MISS = -1


def score(drawn: Tensor, truth: Tensor, mask: Tensor) -> dict[str, float]:
    """How well samples (B, M, 3, H, W) cover the tones of their drawings (B, T, 3, H, W), by their colour
    where the skin is, (B, H, W) bool.

    Returns:
        tone_recall: tones hit by at least one sample, mean over drawings; T at best.
        tone_purity: share of samples that hit a tone.
        tone_tv: total-variation distance of a drawing's hits over the tones to the uniform distribution, mean
            over drawings; 1 - 1/T for one tone alone, 1 for no hit. A perfect sampler's is above 0 by chance.

    Raises:
        InputError: a drawing shows no skin.
    """
    hit = hits(skin_colours(drawn, mask), skin_colours(truth, mask))
    counts = F.one_hot(hit - MISS, truth.shape[1] + 1)[:, :, 1:].sum(1)  # (B, T), misses left out
    return {
        "tone_recall": (counts > 0).sum(1).double().mean().item(),
        "tone_purity": (hit != MISS).double().mean().item(),
        "tone_tv": distance_to_uniform(counts).mean().item(),
    }


def skin_colours(images: Tensor, mask: Tensor) -> Tensor:
    """The mean colour of images (B, M, 3, H, W) over the mask's pixels (B, H, W), (B, M, 3) float64.

    Raises:
        InputError: a mask is empty.
    """
    if empty := (~mask.flatten(1).any(1)).nonzero().flatten().tolist():
        few = f"{len(empty)} of the {len(mask)} drawings in all tones, number {empty[0]} the first"
        size = f"image_size = {mask.shape[2]}"
        raise InputError(f"{size}: too small for {few}: each needs a pixel of skin at least")
    colours = [x[:, :, inside].double().mean(2) for x, inside in zip(images, mask, strict=True)]
    return torch.stack(colours) / 255


def hits(drawn_colours: Tensor, true_colours: Tensor) -> Tensor:
    """Which of a drawing's tones (B, T, 3) each sample's colour (B, M, 3) hits, (B, M) int64; MISS for none.

    The nearest, if nearer than half the smallest distance between two of the tones.
    """
    distance, nearest = (drawn_colours[:, :, None] - true_colours[:, None]).norm(dim=3).min(2)
    return nearest.where(distance < radii(true_colours)[:, None], MISS)


def radii(true_colours: Tensor) -> Tensor:
    """Half the smallest distance between two tones of a drawing, (B,)."""
    first, second = torch.triu_indices(true_colours.shape[1], true_colours.shape[1], offset=1)
    return (true_colours[:, first] - true_colours[:, second]).norm(dim=2).amin(1) / 2


def distance_to_uniform(counts: Tensor) -> Tensor:
    """Total-variation distance of each row's shares to equal ones, (B,) from (B, T); 1 for a row of zeros."""
    total = counts.sum(1)
    shares = counts.double() / total.clamp(min=1)[:, None]
    distance = (shares - 1 / counts.shape[1]).abs().sum(1) / 2
    return distance.where(total > 0, 1.0)
