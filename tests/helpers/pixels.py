"""Pixels as files may have them, and what sets of them are taken for."""

import numpy as np
import pytest
from PIL import Image

from helpers.pair_files import SIZE
from pipeline.data.own import looks, meaning, seen
from pipeline.data.own.decode import Pixels
from pipeline.data.own.looks import Looks
from pipeline.data.own.meaning import Kind, Meaning
from pipeline.runtime.errors import InputError


def grey(*values: float, kind: type = np.uint8, exact: bool = True) -> Pixels:
    """An image of these numbers, row by row the same."""
    return Pixels(np.tile(np.array(values).astype(kind), (SIZE, 1)), None, exact)


def colour(pixels: np.ndarray, alpha: np.ndarray | None = None, exact: bool = True) -> Pixels:
    return Pixels(pixels, alpha, exact)


def of(*images: Pixels, kind: Kind = "auto", key: str = "values") -> Meaning:
    """What the numbers of a set of these images mean."""
    return meaning.of(looks.together(Looks.of([seen.look(image) for image in images])), kind, key)


def asked(*images: Pixels, kind: Kind = "auto") -> str:
    with pytest.raises(InputError) as caught:
        of(*images, kind=kind, key="a_values")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def areas(values: list[int], seed: int = 0, kind: type = np.uint8) -> Pixels:
    """An image of 10 x 10 areas of 10 x 10 pixels, each of one of these values."""
    chosen = np.random.default_rng(seed).choice(np.array(values, kind), (10, 10))
    return Pixels(np.kron(chosen, np.ones((10, 10), kind)), None, True)


def smooth(levels: int, seed: int = 0, step: int = 1, size: int = 32, kind: type = np.uint8) -> Pixels:
    """A picture of so many levels, without edges."""
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (5, 5), np.uint8))
    fine = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).astype(int)
    return Pixels((fine * levels // 256 * step).astype(kind), None, True)


def lines(seed: int = 0) -> Pixels:
    """A drawing in black on white, whose lines are smoothed."""
    drawn = np.full((256, 256), 255, np.uint8)
    for y, x in np.random.default_rng(seed).integers(0, 200, (6, 2)):
        drawn[y : y + 9, x : x + 50] = 0
    small = Image.fromarray(drawn).rotate(20 + seed, fillcolor=255).resize((64, 64), Image.Resampling.LANCZOS)
    return Pixels(np.asarray(small), None, True)


def row(found: Pixels, means: Meaning) -> list[int]:
    """The first row of an image that needs no resizing."""
    return means.applied(found, SIZE)[0, 0].tolist()


def wide(*values: float, kind: type = np.uint8) -> Pixels:
    """An image whose first row begins with these numbers, and goes on with the last."""
    return grey(*values, *[values[-1]] * (SIZE - len(values)), kind=kind)
