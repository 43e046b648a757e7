"""What is seen of an image; of a whole set see looks.py, what it means, meaning.py says."""

from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from pipeline.data.own.decode import Pixels

MOST_VALUES = 256  # in all files of a set of label maps
SAMPLE = 256  # pixels of each image, for the quantiles of a set
GRADUAL = 0.1  # of an image's range: the largest step between neighbours that is one of a gradient
WHITE, BLACK = 255, 0


class Look(NamedTuple):
    """At one image."""

    mode: str  # grey, palette or colour
    type: str  # numpy's, such as uint16; bool of 1 bit
    exact: bool  # of Pixels, as are the next two
    coarse: bool
    num_images: int
    transparent: bool
    values: np.ndarray | None  # (K,) those that occur; None if more than MOST_VALUES, or no integers
    colours: np.ndarray  # (K,) those of a palette's indices; or (0,)
    black_and_white: bool  # and nothing else
    flat: float  # of neighbours with a value, the share that are equal; the mean over its values
    graded: float  # of neighbours that differ, the share that differ little
    ranges: dict[int, np.ndarray]  # (2, C) on each ground: what is lowest and highest
    sample: np.ndarray  # of its numbers, drawn at random
    digest: bytes

    def blank(self, ground: int) -> bool:
        """Whether it is of one value all over."""
        return bool((self.ranges[ground][0] == self.ranges[ground][1]).all())


def look(found: Pixels, num_sampled: int = SAMPLE) -> Look:
    """At the pixels of one image."""
    numbers, shown = as_numbers(found.values), visible(found)
    values = few_values(numbers)
    flat, graded = flatness(numbers, values, shown) if values is not None and found.exact else (0.0, 0.0)
    on_white = extremes(on_ground(found, WHITE))
    on_black = on_white if found.alpha is None else extremes(on_ground(found, BLACK))
    alpha = b"" if found.alpha is None else found.alpha.tobytes()
    colours = None if found.palette is None else as_numbers(found.palette[None])[0]
    digest = blake2b(shown.tobytes() + alpha, digest_size=16).digest()
    chosen = np.random.default_rng([*digest]).integers(0, numbers.size, num_sampled)
    return Look(
        mode="palette" if found.palette is not None else "grey" if shown.ndim == 2 else "colour",
        type=found.values.dtype.name,
        exact=found.exact,
        coarse=found.coarse,
        num_images=found.num_images,
        transparent=found.alpha is not None,
        values=values,
        colours=np.empty(0) if colours is None or values is None else colours[values],
        black_and_white=values is not None and is_black_and_white(shown),
        flat=flat,
        graded=graded,
        ranges={WHITE: on_white, BLACK: on_black},
        sample=shown.reshape(numbers.size, -1)[chosen].ravel(),
        digest=digest,
    )


def few_values(numbers: np.ndarray) -> np.ndarray | None:
    """The integers that occur, (K,); None if they are more than MOST_VALUES, as some pixels mostly show."""
    some = numbers.ravel()[:: max(1, numbers.size // 4096)]
    if numbers.dtype.kind == "f" or len(np.unique(some)) > MOST_VALUES:
        return None
    values = np.unique(numbers)
    return values if len(values) <= MOST_VALUES else None


def flatness(numbers: np.ndarray, values: np.ndarray, shown: np.ndarray) -> tuple[float, float]:
    """How flat and how graded an image of these values is, see Look.

    A map of labels is flat, and its labels border on any others; a smooth picture of few levels may be flat,
    but it is graded; of lines that are smoothed only black and white are flat, and few of their greys.
    """
    which = np.searchsorted(values, numbers)
    planes = np.moveaxis(shown.reshape(*numbers.shape, -1), 2, 0).astype(np.float32, order="C")  # (C, H, W)
    largest = GRADUAL * np.ptp(planes, axis=(1, 2)).max()
    equal, total = np.zeros(len(values)), np.zeros(len(values))
    num_small = num_steps = 0
    for axis, one, other in ((1, np.s_[1:], np.s_[:-1]), (2, np.s_[:, 1:], np.s_[:, :-1])):
        same = which[one] == which[other]
        equal += 2 * np.bincount(which[one][same], minlength=len(values))
        for each in (one, other):
            total += np.bincount(which[each].ravel(), minlength=len(values))
        steps = np.abs(np.diff(planes, axis=axis)).max(axis=0)[~same]
        num_small += int(np.count_nonzero(steps <= largest))
        num_steps += len(steps)
    return float((equal / total).mean()), num_small / max(num_steps, 1)


def is_black_and_white(shown: np.ndarray) -> bool:
    """Whether there is nothing between, in numbers or colours."""
    most = np.iinfo(shown.dtype).max if shown.dtype.kind in "ui" else 1
    alike = shown.ndim == 2 or bool((shown == shown[:, :, :1]).all())
    return alike and bool(((shown == 0) | (shown == most)).all())


def extremes(values: np.ndarray) -> np.ndarray:
    """What is lowest and highest of each channel, (2, C)."""
    planes = np.ascontiguousarray(values.reshape(values.shape[0] * values.shape[1], -1).T)
    return np.stack([planes.min(axis=1), planes.max(axis=1)])


def visible(found: Pixels) -> np.ndarray:
    """The values as a picture's: of 1 bit 0 and 255, of a palette its colours."""
    if found.palette is not None:
        return found.palette[found.values]
    return found.values * np.uint8(255) if found.values.dtype == bool else found.values


def on_ground(found: Pixels, ground: int) -> np.ndarray:
    """A picture's values, on white or black where they are transparent."""
    shown = visible(found)
    if found.alpha is None:
        return shown
    share = found.alpha[:, :, None].astype(np.uint16)
    mixed = shown * share + np.uint16(ground) * (255 - share)
    return ((mixed + 127) // 255).astype(np.uint8)


def as_numbers(values: np.ndarray) -> np.ndarray:
    """One number a pixel, (H, W): of colours 0xRRGGBB."""
    if values.ndim == 2:
        return values
    parts = values.astype(np.int64)
    return parts[:, :, 0] << 16 | parts[:, :, 1] << 8 | parts[:, :, 2]
