"""What the numbers in a set's files mean: pictures, whose range the whole set decides, or maps of labels.

One file cannot tell: a mask of 0 and 1 is a nearly black picture, 12 bits in a file of 16 are a dark one.
"""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import reduce
from hashlib import blake2b
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from pipeline.data.own import decode
from pipeline.runtime.errors import InputError

Kind = Literal["auto", "picture", "labels"]
MOST_LABELS = 64  # values in all files of a set of label maps
VOID = 255  # the number that maps of numbers give to what has no label
NARROW = 0.25  # pictures that use no more of their range are stretched
BITS = (8, 10, 12, 14, 16)  # of cameras
WHITE, BLACK = 255, 0


@dataclass(frozen=True)
class Seen:
    """What was seen of some files."""

    num: int = 0
    channels: frozenset[int] = frozenset()
    whole: bool = True  # whether all numbers are integers
    exact: bool = True  # whether all formats keep every value
    low: float = np.inf
    high: float = -np.inf
    values: frozenset[int] | None = (
        frozenset()
    )  # numbers, or colours as 0xRRGGBB; None if more than MOST_LABELS
    num_transparent: int = 0
    num_lost: int = 0  # of those, how many are of one value all over on white, and not on black

    def __or__(self, other: "Seen") -> "Seen":
        both = None if self.values is None or other.values is None else self.values | other.values
        return Seen(
            self.num + other.num,
            self.channels | other.channels,
            self.whole and other.whole,
            self.exact and other.exact,
            min(self.low, other.low),
            max(self.high, other.high),
            None if both is None or len(both) > MOST_LABELS else both,
            self.num_transparent + other.num_transparent,
            self.num_lost + other.num_lost,
        )


class Look(NamedTuple):
    """At one file's part: what was seen of it, whether it is of one value all over, and its pixels' hash."""

    seen: Seen
    blank: dict[int, bool]  # on each ground
    digest: bytes


@dataclass(frozen=True)
class Meaning:
    """How a set's numbers become uint8."""

    labels: tuple[int, ...] = ()  # of label maps: numbers or colours, in order; the n-th is stored as n
    coloured: bool = False  # whether labels are colours
    low: float = 0  # of pictures: what becomes black
    high: float = 255  # and white
    ground: int = WHITE  # what lies behind what is transparent
    words: str = "pictures"

    def applied(self, found: decode.Pixels, size: int) -> np.ndarray:
        """Pixels as (3, S, S) uint8, or labels as (S, S) uint8, resized to S = `size` whatever their shape.

        Pictures by Lanczos: when it reduces, Pillow widens the filter with the factor, so that thin lines
        fade and do not break (Parmar et al. 2022, arXiv:2104.11222). Labels by the nearest: between two of
        them there is none.
        """
        if self.labels:
            numbers = np.searchsorted(np.array(self.labels), as_numbers(found.values))
            return np.asarray(
                Image.fromarray(numbers.astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST)
            )
        values = on_ground(found, self.ground)
        if (self.low, self.high) != (0, 255) or values.dtype != np.uint8:
            scaled = (values.astype(np.float32) - self.low) * (255 / (self.high - self.low))
            values = np.rint(scaled.clip(0, 255)).astype(np.uint8)
        image = Image.fromarray(values).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
        return np.asarray(image).transpose(2, 0, 1)

    @property
    def palette(self) -> np.ndarray:
        """A colour for each label, (K, 3) uint8: its own, or one of as many hues."""
        from matplotlib import colormaps

        if self.coloured:
            return np.array([[label >> 16, label >> 8 & 255, label & 255] for label in self.labels], np.uint8)
        hues = colormaps["gist_ncar"](np.linspace(0, 0.95, max(len(self.labels), 2)))[:, :3]
        return np.rint(255 * hues[: len(self.labels)]).astype(np.uint8)


def look(found: decode.Pixels) -> Look:
    """At the pixels of one image."""
    values, alpha = found.values, found.alpha
    numbers = np.unique(as_numbers(values))
    blank = {ground: len(np.unique(as_numbers(on_ground(found, ground)))) == 1 for ground in (WHITE, BLACK)}
    whole = values.dtype.kind in "ui"
    seen = Seen(
        1,
        frozenset([1 if values.ndim == 2 else 3]),
        whole,
        found.exact,
        float(values.min()),
        float(values.max()),
        frozenset(numbers.tolist()) if whole and len(numbers) <= MOST_LABELS and alpha is None else None,
        int(alpha is not None),
        int(blank[WHITE] and not blank[BLACK]),
    )
    return Look(
        seen,
        blank,
        blake2b(values.tobytes() + (b"" if alpha is None else alpha.tobytes()), digest_size=16).digest(),
    )


def of(seen: Seen, kind: Kind = "auto") -> Meaning:
    """What the numbers of a set mean.

    Raises:
        InputError: they are said to be labels and cannot be, or their range cannot be told.
    """
    if kind == "labels" or (kind == "auto" and are_labels(seen)):
        if seen.values is None:
            raise InputError(
                f"labels: the files have more than {MOST_LABELS} values, or are not of whole numbers"
            )
        coloured = 3 in seen.channels
        if len(seen.channels) > 1:
            raise InputError("labels: some files are grey and some are coloured")
        labels = tuple(sorted(seen.values))
        listed = ", ".join(f"#{label:06x}" if coloured else str(label) for label in labels[:6])
        more = ", ..." if len(labels) > 6 else ""
        return Meaning(
            labels, coloured, words=f"maps of {len(labels)} labels ({listed}{more}), resized by the nearest"
        )
    found = of_range(seen)
    if seen.num_lost > seen.num_transparent / 2:
        lost = f"on white {seen.num_lost} of {seen.num_transparent} transparent ones would be blank"
        found = replace(found, ground=BLACK, words=f"{found.words}, on black ({lost})")
    return found


def are_labels(seen: Seen) -> bool:
    """Whether so few values, in files that keep them, are labels: colours, or small numbers with no others
    but VOID. Black and white is a picture.
    """
    values = seen.values
    if values is None or not seen.exact or len(seen.channels) > 1 or len(values) < 2:
        return False
    if 3 in seen.channels:
        return len(values) > 2 or not all(value in (0, 0xFFFFFF) for value in values)
    return all(0 <= value < MOST_LABELS or value == VOID for value in values) and values != {0, VOID}


def of_range(seen: Seen) -> Meaning:
    """Pictures, by the range that their numbers use."""
    low, high = seen.low, seen.high
    if not np.isfinite([low, high]).all():
        raise InputError("numbers that are infinite or none")
    if seen.whole and low >= 0:
        most = next((2**bits - 1 for bits in BITS if high < 2**bits), high)
        if 3 in seen.channels and most > 255:
            raise InputError("files of one channel with more than 8 bits beside files in colour")
        if high - low > NARROW * most or high == low:
            words = "pictures" if most == 255 else f"pictures of {int(most).bit_length()} bits"
            return Meaning(high=most, words=words)
    elif low >= 0 and high <= 1 and high - low > NARROW:
        return Meaning(high=1, words="pictures of numbers from 0 to 1")
    if low == high:
        high = low + 1
    return Meaning(
        low=low,
        high=high,
        words=f"pictures whose numbers go from {low:g} to {high:g} in all files, stretched to 0 and 255",
    )


def on_ground(found: decode.Pixels, ground: int) -> np.ndarray:
    """The values, on white or black where they are transparent."""
    if found.alpha is None:
        return found.values
    share = found.alpha[:, :, None].astype(np.uint16)
    mixed = found.values * share + np.uint16(ground) * (255 - share)
    return ((mixed + 127) // 255).astype(np.uint8)


def as_numbers(values: np.ndarray) -> np.ndarray:
    """One number a pixel, (H, W): of colours 0xRRGGBB."""
    if values.ndim == 2:
        return values
    parts = values.astype(np.int64)
    return parts[:, :, 0] << 16 | parts[:, :, 1] << 8 | parts[:, :, 2]


def cut(found: decode.Pixels, num_parts: int) -> list[decode.Pixels]:
    """Equal parts from left to right."""
    width = found.values.shape[1] // num_parts
    parts = [slice(part * width, (part + 1) * width) for part in range(num_parts)]
    return [
        found._replace(
            values=found.values[:, part], alpha=None if found.alpha is None else found.alpha[:, part]
        )
        for part in parts
    ]


def together(seen: Iterable[Seen]) -> Seen:
    return reduce(Seen.__or__, seen, Seen())


def looked(paths: Iterable[Path], num_parts: int, pool: Executor) -> Iterable[list[Look] | str]:
    """At the parts of each file; of one that cannot be read, the reason."""

    def at(path: Path) -> list[Look] | str:
        try:
            return [look(part) for part in cut(decode.pixels(path), num_parts)]
        except InputError as error:
            return str(error)

    return pool.map(at, paths)
