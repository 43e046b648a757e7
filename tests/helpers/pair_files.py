"""The user's images for the tests: what they show, and folders of ten good pairs."""

import numpy as np
from PIL import Image

from pipeline.data import pairs

SIZE = 16
WHITE, RED, GREEN, BLUE = (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)


def noise(height, width, seed, channels=3):
    """An image that shows at each pixel where it is moved or mirrored."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def plain(colour, height=SIZE, width=SIZE):
    return np.full((height, width, 3), colour, np.uint8)


def beside(a, b):
    return np.concatenate([a, b], axis=1)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)


def side_by_side(folder):
    """Ten good pairs side by side, 0.png to 9.png; returns the folder."""
    for i in range(10):
        save(folder / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    return folder


def in_two_folders(folder):
    """The same in two folders."""
    for i in range(10):
        pixels = noise(SIZE, 2 * SIZE, i)
        save(folder / "A" / f"{i}.png", pixels[:, :SIZE])
        save(folder / "B" / f"{i}.png", pixels[:, SIZE:])
    return folder


def condition_and_image(folder, name, size=SIZE):
    """A pair's halves as (S, S, 3)."""
    found = pairs.load(folder, size)
    row = found.names.index(name)
    return found.conditions[row].transpose(1, 2, 0), found.images[row].transpose(1, 2, 0)
