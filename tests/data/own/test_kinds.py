"""The user's images in other kinds of sets than pairs: by class, or by themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pair_files import (
    BLUE,
    GREEN,
    RED,
    SIZE,
    by_name,
    label_pairs,
    noise,
    prepared_as,
    save,
    side_by_side,
)

from pipeline.data.sets import images, labelled, pairs
from pipeline.runtime.errors import InputError


def classes(folder: Path, **num: int) -> Path:
    """A folder of so many images for each class, of one colour at the top."""
    colours = dict(zip(num, (RED, GREEN, BLUE), strict=False))
    for label, count in num.items():
        for i in range(count):
            pixels = noise(SIZE, SIZE, hash_of(label, i))
            pixels[:4] = colours[label]
            save(folder / label / f"{i}.png", pixels)
    return folder


def hash_of(label: str, i: int) -> int:
    return 1000 * len(label) + i


def test_each_image_of_a_class_has_the_number_of_its_folder_in_the_order_of_names(tmp_path: Path) -> None:
    data = prepared_as(labelled, classes(tmp_path, mice=20, dogs_=20, rabbit=20))
    assert data.facts == {"source": "own", "num_classes": 3, "classes": ["dogs_", "mice", "rabbit"]}
    colours = {0: GREEN, 1: RED, 2: BLUE}
    for arrays in data.splits.values():
        assert arrays["classes"].tolist() == [0, 1, 2]
        for image, label, name in zip(arrays["images"], arrays["labels"], arrays["names"], strict=True):
            assert image[:, 0, 0].tolist() == list(colours[int(label)])
            assert name.startswith(data.facts["classes"][label])
    assert data.said == [
        "3 classes: dogs_ (20), mice (20), rabbit (20)",
        "images: pictures",
        "splits: train 42, validation 9 (at random), test 9 (at random)",
    ]


def test_there_may_be_more_classes_than_a_byte_can_count(tmp_path: Path) -> None:
    for i in range(900):
        save(tmp_path / f"{i // 3:03}/{i % 3}.pgm", noise(8, 8, i, 1)[..., 0])
    data = prepared_as(labelled, tmp_path)
    assert data.facts["num_classes"] == 300
    for arrays in data.splits.values():
        assert arrays["labels"].tolist() == list(range(300))
        assert [name[:3] for name in arrays["names"]] == [f"{label:03}" for label in range(300)]


@pytest.mark.parametrize(("seed", "few"), [(0, 3), (1, 3), (0, 4)])
def test_each_class_of_three_images_is_in_each_split(tmp_path: Path, seed: int, few: int) -> None:
    data = prepared_as(labelled, classes(tmp_path, cat=20, mouse=few), seed=seed)
    sizes = {split: np.bincount(arrays["labels"]).tolist() for split, arrays in data.splits.items()}
    assert sizes == {"train": [14, few - 2], "validation": [3, 1], "test": [3, 1]}


def test_a_class_of_less_than_three_images_is_refused_by_its_name(tmp_path: Path) -> None:
    """It would leave an accuracy without a denominator."""
    classes(tmp_path, cat=20, mouse=2)
    with pytest.raises(InputError) as caught:
        prepared_as(labelled, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: the train split has no image of mouse (2); each class must have one in each split"
    )


def test_a_class_that_the_folder_for_testing_does_not_have_is_refused(tmp_path: Path) -> None:
    classes(tmp_path / "train", cat=20, mouse=20)
    classes(tmp_path / "test", tiger=9)
    with pytest.raises(InputError, match=r": the train split has no image of tiger [(]9[)]; each class"):
        prepared_as(labelled, tmp_path)


def test_images_by_themselves_are_a_data_set_without_a(tmp_path: Path) -> None:
    for i in range(10):
        save(tmp_path / f"some/{i}.png", noise(SIZE, SIZE, i))
    data = prepared_as(images, tmp_path)
    assert {tuple(sorted(arrays)) for arrays in data.splits.values()} == {("bases", "images", "names")}
    for name, image in by_name(data, "images").items():
        expected = noise(SIZE, SIZE, int(name.removeprefix("some/"))).transpose(2, 0, 1)
        assert np.array_equal(image, expected)


@pytest.mark.parametrize("kind", [pairs, images, labelled])
def test_a_set_knows_what_its_kind_says_and_no_more(tmp_path: Path, kind: Any) -> None:
    folder = {pairs: label_pairs, images: side_by_side}.get(kind, lambda place: classes(place, a=9, bc=9))
    for arrays in prepared_as(kind, folder(tmp_path)).splits.values():
        assert set(arrays) <= set(kind.FIELDS)


def test_what_was_downloaded_is_read_where_it_was_put(tmp_path: Path) -> None:
    given = {"kind": "pairs", "folder": "", "source": "url", "url": "http://here", "sha256": "0"}
    data = pairs.prepare(side_by_side(tmp_path / "mine"), pairs.Settings(**given, image_size=SIZE), tmp_path)
    assert len(by_name(data, "names")) == 10
