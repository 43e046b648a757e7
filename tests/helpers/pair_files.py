"""The user's images for the tests: what they show, and folders of ten good pairs."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from pipeline.data.prepared import DataSet
from pipeline.data.sets import pairs

SIZE = 16
WHITE, RED, GREEN, BLUE = (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)
Colour = tuple[int, int, int]


def noise(height: int, width: int, seed: int, channels: int = 3) -> np.ndarray:
    """An image that shows at each pixel where it is moved or mirrored."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def plain(colour: Colour, height: int = SIZE, width: int = SIZE) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def beside(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, b], axis=1)


def save(path: Path, pixels: np.ndarray | Image.Image, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)


def side_by_side(folder: Path, num: int = 10) -> Path:
    """Good pairs side by side, 0.png and so on; returns the folder."""
    for i in range(num):
        save(folder / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    return folder


def in_two_folders(folder: Path, num: int = 10) -> Path:
    """The same in two folders."""
    for i in range(num):
        pixels = noise(SIZE, 2 * SIZE, i)
        save(folder / "A" / f"{i}.png", pixels[:, :SIZE])
        save(folder / "B" / f"{i}.png", pixels[:, SIZE:])
    return folder


def prepared(folder: Path, size: int = SIZE, **settings: Any) -> DataSet:
    """The data set of a folder of pairs."""
    return prepared_as(pairs, folder, image_size=size, **settings)


def prepared_as(kind: Any, folder: Path, **changes: Any) -> DataSet:
    """The data set of a folder, of another kind; its arrays stay mapped when their files are gone."""
    given = {"kind": "mine", "folder": str(folder), "image_size": SIZE}
    with TemporaryDirectory() as work:
        return kind.prepare(Path("elsewhere"), kind.Settings(**(given | changes)), Path(work))


def by_name(data: DataSet, field: str) -> dict[str, np.ndarray]:
    """A field of all images of a data set, by the names of their files."""
    return {
        name: row
        for arrays in data.splits.values()
        for name, row in zip(arrays["names"].tolist(), arrays[field], strict=True)
    }


def condition_and_image(folder: Path, name: str, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A pair's halves as (S, S, 3)."""
    data = prepared(folder, size)
    a, b = (by_name(data, field)[name].transpose(1, 2, 0) for field in ("a", "images"))
    return a, b


def label_pairs(folder: Path, num: int = 10) -> Path:
    """Maps of the numbers 0, 2 and 255, and photographs."""
    for i in range(num):
        source = np.random.default_rng(i)
        save(folder / f"masks/{i}.png", source.choice([0, 2, 255], (20, 20)).astype(np.uint8))
        save(folder / f"images/{i}.jpg", noise(20, 20, i))
    return folder
