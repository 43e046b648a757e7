"""What the numbers in a set's files mean: pictures, whose range the whole set decides, or maps of labels.

One file cannot tell: a mask of 0 and 1 is a nearly black picture, 12 bits in a file of 16 are a dark one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image

from pipeline.data.own.decode import Pixels
from pipeline.data.own.looks import GROUNDS, Looks, Seen
from pipeline.data.own.seen import BLACK, MOST_VALUES, WHITE, as_numbers, on_ground
from pipeline.runtime.errors import InputError

Kind = Literal["auto", "picture", "labels"]
MOST_UNASKED = 64  # labels: each is a channel
FEW = 8  # small numbers that are labels, however they lie
VOID = 255  # the number that maps of numbers give to what has no label
NARROW = 0.25  # pictures that use no more of their range are stretched
BITS = (8, 10, 12, 14, 16)  # of cameras


@dataclass(frozen=True)
class Meaning:
    """How a set's numbers become uint8."""

    labels: tuple[int, ...] = ()  # of label maps: numbers or colours, in order; the n-th is stored as n
    colours: tuple[int, ...] = ()  # of the labels, where the files have some
    low: float = 0  # of pictures: what becomes black
    high: float = 255  # and white
    ground: int = WHITE  # what lies behind what is transparent
    words: str = "pictures"

    def applied(self, found: Pixels, size: int) -> np.ndarray:
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
        image = (
            Image.fromarray(self.scaled(on_ground(found, self.ground)))
            .convert("RGB")
            .resize((size, size), Image.Resampling.LANCZOS)
        )
        return np.asarray(image).transpose(2, 0, 1)

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """A picture's values as uint8."""
        if (self.low, self.high) == (0, 255) and values.dtype == np.uint8:
            return values
        scaled = (values.astype(np.float32) - self.low) * (255 / (self.high - self.low))
        return np.rint(scaled.clip(0, 255)).astype(np.uint8)

    def blank(self, looks: Looks) -> np.ndarray:
        """On which images nothing can be seen, (N,): they are of one label, or of one value when scaled."""
        if self.labels:
            return looks.each["single"]
        lowest, highest = self.scaled(looks.each["ranges"][:, GROUNDS.index(self.ground)]).swapaxes(0, 1)
        return (lowest == highest).all(1)

    @property
    def palette(self) -> np.ndarray:
        """A colour for each label, (K, 3) uint8: its own, or one of as many hues."""
        from matplotlib import colormaps

        if len(set(self.colours)) == len(self.labels):
            return np.array([[each >> 16, each >> 8 & 255, each & 255] for each in self.colours], np.uint8)
        hues = colormaps["gist_ncar"](np.linspace(0, 0.95, max(len(self.labels), 2)))[:, :3]
        return np.rint(255 * hues[: len(self.labels)]).astype(np.uint8)


def of(seen: Seen, kind: Kind = "auto", key: str = "values") -> Meaning:
    """What the numbers of a set mean; `key` is that of `kind` in params.yaml.

    Raises:
        InputError: nobody can tell, or they are said to be labels and cannot be.
    """
    if kind == "labels" or (kind == "auto" and are_labels(seen, key)):
        return of_labels(seen)
    found = of_range(seen)
    if seen.num_lost > seen.num_transparent / 2:
        lost = f"on white {seen.num_lost} of {seen.num_transparent} transparent ones would be blank"
        found = replace(found, ground=BLACK, words=f"{found.words}, on black ({lost})")
    return found


def are_labels(seen: Seen, key: str) -> bool:
    """Whether they look like labels: whole numbers or colours, in flat areas, in files that keep them. Black
    and white is a picture.

    Raises:
        InputError: they look like both, or like labels that cannot be taken for that unasked.
    """
    values, graded = seen.values, seen.graded >= 0.5  # of maps of labels that touch at random: 0.2
    if not (seen.whole and seen.exact) or seen.coarse or seen.num_transparent or seen.black_and_white:
        return False
    if values is not None and len(values) == 1:
        return False
    if values is not None and len(values) <= FEW and seen.modes == {"grey"} and are_small(values):
        return True
    if seen.flat < (0.6 if graded else 0.4) or seen.graded > 0.9:
        return False
    num, mixed = f"more than {MOST_VALUES}" if values is None else str(len(values)), len(seen.modes) > 1
    if graded or seen.flat < 0.55:
        doubt = f"{num} values that lie as in pictures and as in maps of labels"
    elif mixed:
        doubt = f"maps of labels, of which some are {' and some are '.join(sorted(seen.modes))}"
    elif "palette" in seen.modes and seen.colours is None:
        doubt = "maps of labels whose palettes differ: a number has one colour here and another there"
    elif values is None or len(values) > MOST_UNASKED:
        doubt = f"maps of {num} labels, which are a channel each"
    else:
        return True
    labels = "" if values is None or mixed else f"{key}: labels or "
    raise InputError(f"{doubt}; say {labels}{key}: picture")


def are_small(values: Iterable[int]) -> bool:
    """Whether all are numbers that count labels."""
    return all(0 <= value < MOST_UNASKED or value == VOID for value in values)


def of_labels(seen: Seen) -> Meaning:
    """Labels; an InputError if they are too many, or not of one kind."""
    if seen.values is None:
        raise InputError(
            f"labels: the files have more than {MOST_VALUES} values, or are not of whole numbers"
        )
    if len(seen.modes) > 1:
        raise InputError(f"labels: some files are {' and some are '.join(sorted(seen.modes))}")
    if len(seen.types) > 1 and "bool" in seen.types:
        raise InputError("labels: some files are of 1 bit and some of more")
    coloured = seen.modes == {"colour"}
    listed = ", ".join(f"#{label:06x}" if coloured else str(label) for label in seen.values[:6])
    more = ", ..." if len(seen.values) > 6 else ""
    words = f"maps of {len(seen.values)} labels ({listed}{more}), resized by the nearest"
    return Meaning(seen.values, seen.values if coloured else seen.colours or (), words=words)


def of_range(seen: Seen) -> Meaning:
    """Pictures, by the range that their numbers use; of what is transparent, the colours as they are."""
    (low, high), words = (seen.low, seen.high), ""
    if not np.isfinite([low, high]).all():
        raise InputError("numbers that are infinite or none")
    if len(depths := sorted(seen.types - {"bool"})) > 1:
        raise InputError(f"files of {depths[0]} beside files of {depths[1]}: save all with as many bits")
    if seen.num_transparent:
        return Meaning()
    if seen.coarse and seen.quantiles[1] <= NARROW * 255:
        used = f"only the upper 8 are read, and these go no further than {seen.quantiles[1]:g} of 255"
        raise InputError(f"colours of 16 bits a channel: {used}; save the files with 8 bits")
    if 0 < seen.quantiles[1] - seen.quantiles[0] <= NARROW * (high - low):
        words = f", of whose numbers 0.2 % lie beyond {seen.quantiles[0]:g} to {seen.quantiles[1]:g}"
        if depths != ["uint8"]:
            words += f", in {low:g} to {high:g}, and are cut off"
            low, high = seen.quantiles
    if seen.whole and low >= 0:
        most = next((2**bits - 1 for bits in BITS if high < 2**bits), high)
        if high - low > NARROW * most or high == low:
            bits = "" if most == 255 else f" of {int(most).bit_length()} bits"
            return Meaning(high=most, words=f"pictures{bits}{words}")
    elif low >= 0 and high <= 1 and high - low > NARROW:
        return Meaning(high=1, words=f"pictures of numbers from 0 to 1{words}")
    if low == high:
        high = low + 1
    stretched = f"whose numbers go from {low:g} to {high:g} in all files, stretched to 0 and 255"
    return Meaning(low=low, high=high, words=f"pictures {stretched}{words}")
