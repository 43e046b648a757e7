"""What an FID means: the same number for real images that were corrupted in known ways.

An FID in the features of a network trained here has no absolute scale. Each value is the FID between one set
of real images, corrupted, and another, left as it is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import NUM_CLASSES, as_rgb, grey, to_float, to_uint8
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
    """The FIDs of corrupted images, by corruption: with classes `resampled`, `one_class_missing` (the mean
    over classes) and `blurred`; without, `blurred` and `grey`, both of images shown in colour.

    Args:
        pixels: real images to be corrupted, (N, C, H, W) uint8.
        labels: their classes, if they are known, (N,).
        real: features of others, to compare with, (M, D).
        extractor: in whose features.
    """
    if labels is None:
        colour = as_rgb(pixels)
        corrupted = {"blurred": blurred(colour), "grey": grey(colour).expand(-1, 3, -1, -1)}
        return {name: frechet.fid(extractor.features(each), real) for name, each in corrupted.items()}
    features = extractor.features(pixels)
    kept = [features[labels != k] for k in range(NUM_CLASSES) if (labels == k).any()]
    missing = torch.tensor([frechet.fid(each, real) for each in kept], dtype=torch.float64)
    return {
        "resampled": frechet.fid(extractor.features(resampled(pixels)), real),
        "one_class_missing": missing.mean().item(),
        "blurred": frechet.fid(extractor.features(blurred(pixels)), real),
    }
