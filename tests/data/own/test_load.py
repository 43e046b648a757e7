"""A user's folder becomes a data set: what is in it, and what is left out and named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pair_files import (
    RED,
    SIZE,
    WHITE,
    beside,
    by_name,
    condition_and_image,
    in_two_folders,
    label_pairs,
    noise,
    plain,
    prepared,
    save,
    side_by_side,
)
from PIL import Image
from pydantic import ValidationError

from pipeline.data.own import layouts, looked
from pipeline.data.prepared import SPLITS
from pipeline.data.sets import pairs
from pipeline.runtime.errors import InputError


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
    assert len(by_name(prepared(folder), "names")) == looked.FEWEST == 10
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


def test_a_layout_without_items_is_refused_by_the_name_of_the_folder() -> None:
    with pytest.raises(
        InputError, match=r"^mine: examples found: 0, files left out: 1 .the first: x: why.; it"
    ):
        looked.look(Path("mine"), layouts.Layout("", [], ["x: why"]), {})
