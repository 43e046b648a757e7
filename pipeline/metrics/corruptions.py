"""What an FID means: the same number for real images that were corrupted in known ways.

An FID in the features of a network trained here has no absolute scale. Each value is the FID between one set
of real images, corrupted, and another, left as it is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import as_rgb, grey, to_float, to_uint8
from pipeline.metrics import frechet
from pipeline.metrics.features import FeatureExtractor


def resampled(pixels: Tensor) -> Tensor:
    """28 -> 32 -> 28 pixels, bilinearly; uint8 as all here."""
    height, width = pixels.shape[2:]
    larger = F.interpolate(to_float(pixels), size=(height + 4, width + 4), mode="bilinear")
    return to_uint8(F.interpolate(larger, size=(height, width), mode="bilinear"))


def blurred(pixels: Tensor) -> Tensor:
    """The mean over 3x3 pixels; beyond the border there is black."""
    return to_uint8(F.avg_pool2d(F.pad(to_float(pixels), (1, 1, 1, 1), value=-1.0), 3, 1))


def fids(
    pixels: Tensor, labels: Tensor | None, real: Tensor, extractor: FeatureExtractor
) -> dict[str, float]:
    """FIDs between real images (N, C, H, W) uint8, corrupted, and others' features (M, D), by corruption.

    With labels (N,): `resampled`, `one_class_missing` (the mean over classes) and `blurred`; without:
    `blurred` and `grey`, both of images shown in colour.
    """

    def fid(corrupted: Tensor) -> float:
        return frechet.fid(extractor.features(corrupted), real)

    if labels is None:
        colour = as_rgb(pixels, extractor.colours)
        corrupted = {"blurred": blurred(colour), "grey": grey(colour).expand(-1, 3, -1, -1)}
        return {name: frechet.fid(extractor.of_shown(x), real) for name, x in corrupted.items()}
    features = extractor.features(pixels)
    missing = [frechet.fid(features[labels != k], real) for k in labels.unique()]
    return {
        "resampled": fid(resampled(pixels)),
        "one_class_missing": torch.tensor(missing, dtype=torch.float64).mean().item(),
        "blurred": fid(blurred(pixels)),
    }
