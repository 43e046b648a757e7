"""The looks at all images of one side of a set, as arrays: some 160 bytes an image, so that a million can be
held; and what is seen of the whole set.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from pipeline.data.own.seen import BLACK, MOST_VALUES, SAMPLE, WHITE, Look

MOST_SAMPLED = 2**22  # pixels of all images together
FEWEST_SAMPLED = 4  # of each
QUANTILES = 0.001, 0.999
GROUNDS = (WHITE, BLACK)
EACH = np.dtype(
    [
        ("mode", "S7"),
        ("type", "S8"),
        ("exact", "?"),
        ("coarse", "?"),
        ("transparent", "?"),
        ("few", "?"),  # integers, of at most MOST_VALUES values
        ("single", "?"),  # of one value
        ("black_and_white", "?"),
        ("num_images", "u4"),
        ("flat", "f8"),
        ("graded", "f8"),
        ("ranges", "f8", (2, 2, 3)),  # on each of GROUNDS what is lowest and highest of each channel
        ("digest", "V16"),
    ]
)


def num_sampled(num: int) -> int:
    """How many pixels of each of so many images are drawn for the quantiles of all."""
    return min(SAMPLE, max(FEWEST_SAMPLED, MOST_SAMPLED // max(num, 1)))


class Looks(NamedTuple):
    each: np.ndarray  # (N,) of EACH
    values: np.ndarray  # (K,) int64: those that occur in images of few; no more than tell that they are many
    colours: np.ndarray  # (K, 2) int64: those that are a palette's indices, and their colours; as many
    sample: np.ndarray  # of the numbers of all images

    @classmethod
    def of(cls, looks: Sequence[Look]) -> Self:
        each = np.zeros(len(looks), EACH)
        for row, look in zip(each, looks, strict=True):
            for name in ("exact", "coarse", "transparent", "black_and_white", "num_images", "flat", "graded"):
                row[name] = getattr(look, name)
            row["mode"], row["type"], row["digest"] = look.mode.encode(), look.type.encode(), look.digest
            row["few"] = look.values is not None
            row["single"] = look.values is not None and len(look.values) == 1
            row["ranges"] = np.stack([look.ranges[ground] for ground in GROUNDS])
        none = np.empty(0, np.int64)
        values = [none if look.values is None else look.values for look in looks]
        pairs = [
            np.stack([found[: len(look.colours)], look.colours], 1).astype(np.int64)
            for found, look in zip(values, looks, strict=True)
        ]
        sample = np.concatenate([look.sample for look in looks]) if looks else none
        return cls(each, distinct([none, *values]), distinct([np.empty((0, 2), np.int64), *pairs]), sample)

    @classmethod
    def joined(cls, parts: Iterable["Looks"]) -> Self:
        """All of them, in this order."""
        each, values, colours, sample = zip(*parts, strict=True)
        return cls(np.concatenate(each), distinct(values), distinct(colours), np.concatenate(sample))

    def blank(self, ground: int) -> np.ndarray:
        """Which are of one value all over, (N,)."""
        lowest, highest = self.each["ranges"][:, GROUNDS.index(ground)].swapaxes(0, 1)
        return (lowest == highest).all(1)


def distinct(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The rows that occur, in order; of more than MOST_VALUES one more than that."""
    return np.unique(np.concatenate(parts), axis=0)[: MOST_VALUES + 1]


@dataclass(frozen=True)
class Seen:
    """What was seen of a whole set: all that its images have, and shares of those that are not blank."""

    modes: frozenset[str]
    types: frozenset[str]
    exact: bool
    coarse: bool
    values: tuple[int, ...] | None
    colours: tuple[int, ...] | None  # of values that are a palette's indices; None if palettes differ
    black_and_white: bool
    whole: bool  # whether all numbers are integers
    flat: float  # the lower quartile
    graded: float  # the mean
    low: float
    high: float
    quantiles: tuple[float, float]
    num_transparent: int
    num_lost: int  # of those, how many are of one value all over on white, and not on black


def together(looks: Looks) -> Seen:
    """All images of a set."""
    each, on_white = looks.each, looks.blank(WHITE)
    few = bool(each["few"].all()) and len(looks.values) <= MOST_VALUES
    modes, types = (frozenset(name.decode() for name in np.unique(each[key])) for key in ("mode", "type"))
    varied = each[~on_white]
    low, high = np.quantile(looks.sample, QUANTILES, method="nearest").tolist()
    return Seen(
        modes=modes,
        types=types,
        exact=bool(each["exact"].all()),
        coarse=bool(each["coarse"].any()),
        values=tuple(looks.values.tolist()) if few else None,
        colours=tuple(looks.colours[:, 1].tolist()) if len(looks.colours) == len(looks.values) else None,
        black_and_white=bool(each["black_and_white"].all()),
        whole=not any(name.startswith("float") for name in types),
        flat=float(np.quantile(varied["flat"] if len(varied) else [1], 0.25)),
        graded=float(np.mean(varied["graded"] if len(varied) else [0])),
        low=float(each["ranges"].min()),
        high=float(each["ranges"].max()),
        quantiles=(low, high),
        num_transparent=int(np.count_nonzero(each["transparent"])),
        num_lost=int(np.count_nonzero(on_white & ~looks.blank(BLACK))),
    )
