"""Whether images of double width are two, side by side: then they have a seam in the middle."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.data.own import decode
from pipeline.data.own.seen import visible
from pipeline.data.own.survey import Found
from pipeline.runtime.errors import InputError

MOST_READ = 32  # images


def has_seam(folder: Path, found: Sequence[Found]) -> bool:
    """Whether the step over the middle is twice that between other neighbours, in the mean of some images; or
    neighbours are as unlike as what is far apart, so that nothing can be seen of a seam.
    """
    steps = list[tuple[float, float, float]]()
    with decode.quietly():
        for each in found[:: -(-len(found) // MOST_READ)]:
            try:
                steps.append(of_image(visible(decode.pixels(folder / each.path))))
            except InputError:
                continue  # it is named when all are read
    middle, near, far = np.sum(steps, axis=0) if steps else (0.0, 0.0, 0.0)
    return bool(middle > 2 * near or near > far / 2)


def of_image(pixels: np.ndarray) -> tuple[float, float, float]:
    """The mean differences over the middle, between other neighbours, and between the two halves."""
    channels = pixels.astype(np.float64).reshape(*pixels.shape[:2], -1)
    half = channels.shape[1] // 2
    near = np.abs(np.diff(channels, axis=1)).mean(axis=(0, 2))
    far = np.abs(channels[:, :half] - channels[:, half : 2 * half]).mean()
    return float(near[half - 1]), float(np.median(near)), float(far)
