"""The test images by which posteriors are judged, and what is known of them without any model.

Throughout, `drawn` is (N, M, C, H, W) uint8, M samples for each of N conditions, `truth` (N, C, H, W) uint8;
`bases` (N,) are equal where pictures are of one base drawing. Errors and scores are of pixels in [0, 1].
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.metrics.reference import Reference

CHUNK = 16  # conditions at once


class Known(NamedTuple):
    truth: Tensor
    expected: Tensor  # (N, C H W) float32 in [0, 1], see expected.py
    components: Tensor  # (F, C H W)
    bases: Tensor
    skin: Tensor | None = None  # (N, H, W) bool, of drawings in six tones


def known(real: Reference) -> Known:
    """The judged test images."""
    chosen, bases = real.judged[:, 0], real.task.about("test", "bases")
    numbers = chosen if bases is None else torch.from_numpy(bases)[chosen]
    skin, arrays = None, real.task.test.arrays
    if "variants" in arrays:
        skin = torch.zeros(len(chosen), *real.pixels.shape[2:], dtype=torch.bool)
        skin[arrays["variants"]] = arrays["skin"].bool()[:, None]
    return Known(real.pixels[chosen], real.arrays["expected"], real.arrays["components"], numbers, skin)


def rows(drawn: Tensor) -> Iterator[Tensor]:
    """A few conditions' samples at a time, (CHUNK, M, C H W) float32 in [0, 1]."""
    for part in drawn.split(CHUNK):
        yield part.flatten(2).float() / 255
