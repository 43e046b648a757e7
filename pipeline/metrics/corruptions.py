"""What an FID means: the same number for real images that were harmed in known ways.

An FID in a trained judge's features has no absolute scale. Each yardstick is the FID between one set of real
images, changed, and another, left as it is; `split` changes nothing and is the noise floor.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.digits import NUM_CLASSES
from pipeline.data.images import to_float, to_uint8
from pipeline.metrics import frechet
from pipeline.metrics.features import Described


def resampled(pixels: Tensor) -> Tensor:
    """28 -> 32 -> 28 pixels, bilinearly; uint8 as all here."""
    height, width = pixels.shape[2:]
    larger = F.interpolate(to_float(pixels), size=(height + 4, width + 4), mode="bilinear")
    return to_uint8(F.interpolate(larger, size=(height, width), mode="bilinear"))


def blurred(pixels: Tensor) -> Tensor:
    """The mean over 3x3 pixels; beyond the border there is black."""
    return to_uint8(F.avg_pool2d(F.pad(to_float(pixels), (1, 1, 1, 1), value=-1.0), 3, 1))


def measure(held: Described, real: Described, extract: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """The FIDs of the four yardsticks, by name.

    Args:
        held: real images to be harmed, with their classes.
        real: others, to compare with.
        extract: images (N, C, H, W) uint8 -> features (N, D).
    """
    assert held.labels is not None
    kept = [held.features[held.labels != k] for k in range(NUM_CLASSES) if (held.labels == k).any()]
    missing = torch.tensor([frechet.fid(features, real.features) for features in kept], dtype=torch.float64)
    return {
        "split": frechet.fid(held.features, real.features),
        "resampled": frechet.fid(extract(resampled(held.pixels)), real.features),
        "one_class_missing": missing.mean().item(),  # over the ten classes that may be missing
        "blurred": frechet.fid(extract(blurred(held.pixels)), real.features),
    }
