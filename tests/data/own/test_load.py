"""A user's folder becomes a data set: split, with nothing in two splits that is alike, and what is left out
named.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pair_files import (
    BLUE,
    GREEN,
    RED,
    SIZE,
    WHITE,
    beside,
    by_name,
    condition_and_image,
    in_two_folders,
    noise,
    plain,
    prepared,
    save,
    side_by_side,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from pipeline.data.own import layouts, load
from pipeline.data.own.layouts import Item, Layout
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.data.sets import images, labelled, pairs
from pipeline.runtime.errors import InputError

ORDER = SPLITS.index


def names(data: DataSet) -> dict[str, list[str]]:
    return {split: data.splits[split]["names"].tolist() for split in SPLITS}


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        prepared(folder, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Pairs.


def test_the_left_half_is_a_and_the_right_half_the_image(folder: Path) -> None:
    data = prepared(folder)
    assert data.left_out == []
    assert data.facts == {"source": "own"}
    a, b = by_name(data, "a"), by_name(data, "images")
    assert sorted(a) == sorted(b) == [str(i) for i in range(10)]
    for i in range(10):
        pixels = noise(SIZE, 2 * SIZE, i).transpose(2, 0, 1)
        assert np.array_equal(a[str(i)], pixels[:, :, :SIZE])
        assert np.array_equal(b[str(i)], pixels[:, :, SIZE:])
    for arrays in data.splits.values():
        assert arrays["a"].dtype == arrays["images"].dtype == np.uint8
        assert arrays.keys() == {"images", "a", "names", "bases"}
        assert arrays["names"].tolist() == sorted(arrays["names"].tolist())


def test_two_folders_give_what_the_same_images_side_by_side_give(tmp_path: Path) -> None:
    one, other = (
        prepared(write(tmp_path / str(i))) for i, write in enumerate((side_by_side, in_two_folders))
    )
    for split in SPLITS:
        for name, array in one.splits[split].items():
            assert np.array_equal(array, other.splits[split][name]), name


def test_partners_may_differ_in_size_and_kind_of_file(two: Path) -> None:
    (two / "B/3.png").unlink()
    save(two / "B/3.BMP", plain(RED, 50, 21))
    a, image = condition_and_image(two, "3")
    assert np.array_equal(a, noise(SIZE, 2 * SIZE, 3)[:, :SIZE])
    assert np.array_equal(image, plain(RED))


def test_flat_colours_do_not_reach_over_the_border_of_two_halves(folder: Path) -> None:
    save(folder / "x.png", beside(plain((250, 3, 128), 60, 60), plain((0, 255, 17), 60, 60)))
    a, image = condition_and_image(folder, "x")
    assert np.array_equal(a, plain((250, 3, 128)))
    assert np.array_equal(image, plain((0, 255, 17)))


def test_an_odd_width_is_left_out_and_is_right_in_two_folders(folder: Path, tmp_path_factory: Any) -> None:
    save(folder / "x.png", plain(RED, 20, 33))
    expected = "x.png: 33 pixels wide: must be even, to hold A|B side by side"
    assert prepared(folder, layout="side_by_side").left_out == [expected]
    two = in_two_folders(tmp_path_factory.mktemp("two"))
    save(two / "A/3.png", plain(RED, 20, 33))
    assert np.array_equal(condition_and_image(two, "3")[0], plain(RED))


def test_all_images_have_the_size_asked_for(folder: Path) -> None:
    for arrays in prepared(folder, 24).splits.values():
        assert arrays["a"].shape[1:] == arrays["images"].shape[1:] == (3, 24, 24)


def label_pairs(folder: Path, num: int = 10) -> Path:
    """Maps of the numbers 0, 2 and 255, and photographs."""
    for i in range(num):
        source = np.random.default_rng(i)
        save(folder / f"masks/{i}.png", source.choice([0, 2, 255], (20, 20)).astype(np.uint8))
        save(folder / f"images/{i}.jpg", noise(20, 20, i))
    return folder


def test_maps_of_labels_are_stored_with_their_colours(tmp_path: Path) -> None:
    data = prepared(label_pairs(tmp_path))
    for arrays in data.splits.values():
        maps, colours = arrays["a_labels"], arrays["a_colours"]
        assert (maps.shape[1:], maps.dtype, colours.shape) == ((SIZE, SIZE), np.uint8, (3, 3))
        assert set(maps.flat) == {0, 1, 2}
        assert np.array_equal(arrays["a"], colours[maps].transpose(0, 3, 1, 2))
        assert "images_labels" not in arrays
    assert data.said[:3] == [
        "A is mask, B is image",
        "A: maps of 3 labels (0, 2, 255), resized by the nearest",
        "B: pictures",
    ]


def test_what_is_said_of_the_values_counts(tmp_path: Path) -> None:
    data = prepared(label_pairs(tmp_path), a_values="picture")
    assert data.splits["train"].keys() == {"images", "a", "names", "bases"}
    assert refusal(tmp_path, b_values="labels").startswith(f"{tmp_path}: images: labels: the files have more")


def test_files_of_several_images_are_told(two: Path) -> None:
    more = [Image.fromarray(noise(SIZE, SIZE, i)) for i in range(2)]
    for name in ("0", "1"):
        (two / f"A/{name}.png").unlink()
        save(two / f"A/{name}.tif", noise(SIZE, SIZE, 9), save_all=True, append_images=more)
    data = prepared(two)
    assert "2 are of files that hold several images: the first is taken" in data.said


def test_numbers_that_nobody_can_tell_are_asked_about_by_the_key_of_their_side(tmp_path: Path) -> None:
    for i in range(10):
        ids = np.random.default_rng(i).integers(0, 151, (10, 10), np.uint8)
        save(tmp_path / f"A/{i}.png", noise(20, 20, i))
        save(tmp_path / f"B/{i}.png", np.kron(ids, np.ones((5, 5), np.uint8)))
    assert refusal(tmp_path) == (
        f"{tmp_path}: images: maps of {num_values(tmp_path / 'B')} labels, which are a channel each; "
        "say b_values: labels or b_values: picture"
    )
    maps = prepared(tmp_path, b_values="labels").splits["train"]
    assert len(maps["images_colours"]) == num_values(tmp_path / "B") > 64


def num_values(folder: Path) -> int:
    """How many numbers occur in the files of a folder."""
    return len({value for path in folder.iterdir() for value in np.asarray(Image.open(path)).flat})


# Splits.


@settings(max_examples=30, deadline=None)
@given(
    groups=st.lists(st.integers(0, 5), min_size=10, max_size=30),
    given_splits=st.lists(st.sampled_from([None, None, "train", "validation", "test"]), min_size=30),
    seed=st.integers(0, 100),
)
def test_what_is_alike_is_in_one_split_and_what_folders_say_is_kept(
    groups: list[int], given_splits: list[str | None], seed: int
) -> None:
    keys = [f"{i:02}" for i in range(len(groups))]
    items = [Item(key, (Path(key),), split) for key, split in zip(keys, given_splits, strict=False)]
    looked = load.Looked(Path("mine"), Layout("", items, []), items, {}, np.array(groups), {}, [])
    chosen_by = pairs.Settings(kind="pairs", folder="", seed=seed)
    highest = [
        max(
            (item.split or "train" for item, each in zip(items, groups, strict=True) if each == group),
            key=ORDER,
        )
        for group in set(groups)
    ]
    if highest.count("train") <= len({"validation", "test"} - {*highest}):
        with pytest.raises(InputError, match=f"^mine: {len(groups)} examples leave no "):
            load.split(looked, chosen_by)
        return
    chosen, left_out = load.split(looked, chosen_by)
    assert set(chosen) - {""} == set(SPLITS)
    for group in set(groups):
        assert len({*chosen[np.array(groups) == group]} - {""}) == 1
    for item, split in zip(items, chosen, strict=True):
        assert item.split in (None, "train") or split in (item.split, "")
        assert (split == "") == any(line.startswith(f"{item.key}: ") for line in left_out)
    for split in ("validation", "test"):
        sources = {item.split for item, found in zip(items, chosen, strict=True) if found == split}
        assert sources == {split} or split not in sources


def test_shares_are_of_what_is_alike_and_the_seed_alone_chooses(tmp_path: Path) -> None:
    folder = side_by_side(tmp_path, 40)
    data, again, other = (prepared(folder, seed=seed) for seed in (0, 0, 1))
    assert {split: len(found) for split, found in names(data).items()} == {
        "train": 28,
        "validation": 6,
        "test": 6,
    }
    assert names(data) == names(again) != names(other)
    assert sorted(data.splits["train"]["bases"]) != sorted(other.splits["train"]["bases"])


@pytest.mark.parametrize("seed", range(4))
def test_copies_and_several_answers_to_one_condition_go_where_the_first_goes(
    tmp_path: Path, seed: int
) -> None:
    folder = in_two_folders(tmp_path, 12)
    for i in range(3):  # 20, 21, 22 have A of 0; B of 22 is that of 5
        save(folder / f"A/{20 + i}.bmp", noise(SIZE, 2 * SIZE, 0)[:, :SIZE])
        save(folder / f"B/{20 + i}.png", noise(SIZE, SIZE, 50 + i))
    save(folder / "B/22.png", noise(SIZE, 2 * SIZE, 5)[:, SIZE:])
    data = prepared(folder, seed=seed)
    assert data.left_out == []
    (split,) = {name for name, found in names(data).items() if {"0", "5", "20", "21", "22"} & {*found}}
    assert {"0", "5", "20", "21", "22"} <= {*names(data)[split]}
    bases = by_name(data, "bases")
    assert len({bases[name].item() for name in ("0", "5", "20", "21", "22")}) == 1
    assert len({base.item() for base in bases.values()}) == 11
    assert data.said[-2] == "4 share an image with another, and go into one split with it"


def test_the_same_image_as_a_and_as_b_of_another_pair_or_blank_makes_nothing_alike(tmp_path: Path) -> None:
    folder = in_two_folders(tmp_path, 12)
    save(folder / "A/0.png", noise(SIZE, 2 * SIZE, 1)[:, SIZE:])
    for i in (2, 3, 4):
        save(folder / f"A/{i}.png", plain(WHITE))
    data = prepared(folder)
    assert len({base.item() for base in by_name(data, "bases").values()}) == 12
    assert "A: 3 of 12 are blank, of one value all over: 2, 3, 4" in data.said


def test_folders_called_train_and_test_stay_that_and_validation_is_taken_from_training(
    tmp_path: Path,
) -> None:
    for i in range(20):
        save(tmp_path / ("test" if i < 4 else "train") / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    found = names(prepared(tmp_path, validation_share=0.25))
    assert found["test"] == [f"test/{i}" for i in range(4)]
    assert len(found["validation"]) == 4
    assert all(name.startswith("train/") for name in (*found["train"], *found["validation"]))


def test_a_training_image_that_shows_the_same_as_one_for_testing_is_left_out(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / "train" / f"{i}.png", noise(SIZE, 2 * SIZE, i))
        save(tmp_path / "test" / f"{i}.png", noise(SIZE, 2 * SIZE, 100 + i))
    save(tmp_path / "test/copy.png", noise(SIZE, 2 * SIZE, 3))
    data = prepared(tmp_path)
    assert data.left_out == ["train/3.png: shows the same as an image of the test split"]
    assert "test/copy" in names(data)["test"]
    assert sum(map(len, names(data).values())) == 24


def test_a_folder_whose_examples_are_all_alike_leaves_no_split(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / f"{i}.png", noise(SIZE, 2 * SIZE, 0))
    assert refusal(tmp_path) == f"{tmp_path}: 12 examples leave no train split; there must be more"


# What is left out.


def test_what_cannot_be_used_is_left_out_and_named(two: Path) -> None:
    content = (two / "A/3.png").read_bytes()
    save(two / "A/x.png", noise(SIZE, SIZE, 0))
    (two / "B/x.png").write_bytes(b"no image")
    (two / "notes.txt").write_text("mine")
    save(two / "C/x.png", noise(SIZE, SIZE, 1))
    save(two / "A/10.png", noise(SIZE, SIZE, 2))
    save(two / "B/10.png", noise(SIZE, SIZE, 3))
    (two / "A/10.png").write_bytes(content[: len(content) // 2])  # its head is whole
    data = prepared(two)
    assert sorted(by_name(data, "names")) == [str(i) for i in range(10)]
    reasons = dict(line.split(": ", 1) for line in data.left_out)
    assert list(reasons) == ["notes.txt", "B/x.png", "C/x.png", "A/x.png", "A/10.png"]
    assert len(data.left_out) == 5
    assert reasons["A/x.png"] == "no b of this name"
    assert reasons["C/x.png"] == "neither a nor b"
    assert reasons["A/10.png"].startswith("cannot be read: ")


def test_ten_examples_are_enough_and_nine_are_refused_with_the_counts_and_the_first_reason(
    folder: Path,
) -> None:
    assert len(by_name(prepared(folder), "names")) == load.FEWEST == 10
    content = (folder / "4.png").read_bytes()
    (folder / "4.png").write_bytes(content[: len(content) // 2])
    counts = "examples found: 9, files left out: 1 (the first: 4.png: cannot be read: "
    message = refusal(folder)
    assert message.startswith(f"{folder}: {counts}")
    assert message.endswith("; it must hold 10 at least")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    expected = f"{tmp_path}: examples found: 0, files left out: 0; it must hold 10 at least"
    assert refusal(tmp_path) == expected


@pytest.mark.parametrize("colour", [(0, 0, 0), WHITE])
def test_a_side_that_is_blank_in_all_pairs_is_refused(two: Path, colour: tuple[int, int, int]) -> None:
    """As masks are that were saved as another kind of file than they are."""
    for i in range(10):
        save(two / f"A/{i}.png", plain(colour))
    assert refusal(two) == f"{two}: a: all 10 images are blank, of one value all over"


def test_more_than_3_blank_images_are_counted(two: Path) -> None:
    for i in range(5):
        save(two / f"B/{i}.png", plain(WHITE))
    assert prepared(two).said[1:] == [
        "A: pictures",
        "B: pictures",
        "B: 5 of 10 are blank, of one value all over: 0, 1, 2, ...",
        "splits: train 6, validation 2 (at random), test 2 (at random)",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validation_share": 0.5, "test_share": 0.5}, "test_share = 1.0: must be below 1"),
        ({"validation_share": 0.0, "test_share": 0.0}, "validation_share [+] test_share = 0.0"),
        ({"image_size": 20}, "image_size = 20: must be a multiple of 8, 16 at least"),
        ({"image_size": 8}, "image_size = 8: must be a multiple of 8, 16 at least"),
        ({"source": "url", "url": "http://here"}, "source = 'url': url and sha256 must be given"),
        ({"source": "wheel"}, "'folder' or 'url'"),
        ({"layout": "side by side"}, "'auto', 'side_by_side' or 'two_folders'"),
        ({"direction": "ba"}, "direction: is said by a task's condition, ab or ba"),
        ({"a_values": "label"}, "'auto', 'picture' or 'labels'"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        pairs.Settings(**({"kind": "pairs", "folder": ""} | changes))


# Of other kinds.


def prepared_as(kind: Any, folder: Path, **changes: Any) -> DataSet:
    given = {"kind": "mine", "folder": str(folder), "image_size": SIZE}
    return kind.prepare(Path("elsewhere"), kind.Settings(**(given | changes)))


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
    data = pairs.prepare(side_by_side(tmp_path), pairs.Settings(**given, image_size=SIZE))
    assert len(by_name(data, "names")) == 10


def test_a_layout_without_items_is_refused_by_the_name_of_the_folder() -> None:
    with pytest.raises(
        InputError, match=r"^mine: examples found: 0, files left out: 1 .the first: x: why.; it"
    ):
        load.look(Path("mine"), layouts.Layout("", [], ["x: why"]), {})
