"""Which files belong together, in the layouts in which pairs and classes are commonly published."""

from pathlib import Path

import pytest

from pipeline.data.own import layouts
from pipeline.data.own.layouts import Layout
from pipeline.data.own.survey import Found
from pipeline.runtime.errors import InputError


def found(*paths: str, width: int = 16, height: int = 16) -> list[Found]:
    return [Found(Path(path), width, height) for path in paths]


def pairs(*paths: str, layout: layouts.Name = "auto", a: str = "", b: str = "") -> Layout:
    return layouts.pairs(found(*paths), layout, a, b)


def partners(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The files of each example, by its key."""
    return {item.key: tuple(path.as_posix() for path in item.files) for item in layout.items}


def splits(layout: Layout) -> dict[str, str | None]:
    return {item.key: item.split for item in layout.items}


# Pairs.


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("A/{}.png", "B/{}.png"),
        ("a/{}.png", "b/{}.jpg"),
        ("trainA/{}.png", "trainB/{}.png"),
        ("train_A/{}.png", "train_B/{}.png"),
        ("A/train/{}.png", "B/train/{}.png"),
        ("train/A/{}.png", "train/B/{}.png"),
        ("inputs/{}.png", "targets/{}.png"),
        ("source/{}.png", "target/{}.png"),
        ("Conditions/{}.png", "Images/{}.png"),
        ("sketches/{}.png", "photos/{}.png"),
        ("edges/{}.png", "images/{}.png"),
        ("masks/{}.png", "images/{}.png"),
        ("labels/{}.png", "images/{}.png"),
        ("annotations/training/{}.png", "images/training/{}.jpg"),
        ("segmentations/{}.png", "images/{}.png"),
        ("{}_A.png", "{}_B.png"),
        ("{}-mask.png", "{}-image.png"),
        ("set/{}.input.png", "set/{}.target.png"),
        ("gtFine/train/aachen/{}_gtFine_labelIds.png", "leftImg8bit/train/aachen/{}_leftImg8bit.png"),
    ],
)
def test_files_whose_folders_or_endings_are_called_as_pairs_are_belong_together(a: str, b: str) -> None:
    names = ("0", "x_1", "two")
    layout = pairs(*(side.format(name) for name in names for side in (b, a)))
    assert layout.left_out == []
    assert layout.cut == 1
    assert sorted(partners(layout).values()) == sorted((a.format(name), b.format(name)) for name in names)
    assert len({item.key for item in layout.items}) == 3


@pytest.mark.parametrize("name", ["1_b", "1_image", "1-a", "x.b", "label_image"])
def test_where_folders_say_all_an_ending_is_part_of_the_name(name: str) -> None:
    for a, b in (("A", "B"), ("labels", "images")):
        files = [f"{side}/{each}.png" for side in (a, b) for each in (name, "2")]
        assert partners(pairs(*files)) == {
            each: (f"{a}/{each}.png", f"{b}/{each}.png") for each in sorted((name, "2"))
        }


def test_of_several_maps_of_a_photograph_that_of_labels_is_taken() -> None:
    maps = ("color", "instanceIds", "labelIds")
    photo, of_it = "leftImg8bit/val/ulm/1_leftImg8bit.png", "gtFine/val/ulm/1_gtFine_{}.png"
    layout = pairs(photo, *(of_it.format(name) for name in maps))
    assert list(partners(layout).values()) == [(of_it.format("labelIds"), photo)]
    same = f"{of_it.format('labelIds')} has the same name"
    assert sorted(layout.left_out) == [
        f"{of_it.format('color')}: {same}",
        f"{of_it.format('instanceIds')}: {same}",
    ]


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        *(("train", "train"), ("Training", "train"), ("test", "test"), ("testing", "test")),
        *((name, "validation") for name in ("val", "valid", "validation", "dev")),
    ],
)
def test_what_folders_call_training_validation_and_test_is_that(folder: str, split: str) -> None:
    """Wherever it stands; a name that only begins so is none."""
    for path in (
        f"{folder}/{{}}/1.png",
        f"{{}}/{folder}/1.png",
        f"{folder}_{{}}/1.png",
        f"{folder}{{}}/1.png",
    ):
        assert list(splits(pairs(path.format("A"), path.format("B"))).values()) == [split], path
    assert splits(layouts.images(found(f"more/{folder}/1.png"))) == {f"more/{folder}/1": split}
    assert splits(layouts.images(found(f"{folder}s/1.png"))) == {f"{folder}s/1": None}
    layout = layouts.classes(found(f"{folder}/cats/1.png", f"{folder}/dogs/1.png"))
    assert set(splits(layout).values()) == {split}


def test_pairs_of_one_name_in_two_splits_are_two() -> None:
    layout = pairs("train/A/1.png", "train/B/1.png", "test/A/1.png", "test/B/1.png")
    assert {item.split: item.files[0].as_posix() for item in layout.items} == {
        "train": "train/A/1.png",
        "test": "test/A/1.png",
    }


def test_two_folders_count_before_what_lies_beside_them_and_that_is_named() -> None:
    layout = pairs("A/1.png", "B/1.png", "10.png", "C/1.png")
    assert partners(layout) == {"1": ("A/1.png", "B/1.png")}
    assert layout.left_out == ["10.png: neither a nor b", "C/1.png: neither a nor b"]


def test_an_image_without_a_partner_is_left_out_on_either_side() -> None:
    layout = pairs("A/1.png", "B/1.png", "A/only.png", "B/alone.jpg", "B/sub/1.png")
    assert partners(layout) == {"1": ("A/1.png", "B/1.png")}
    assert layout.left_out == [
        "A/only.png: no b of this name",
        "B/alone.jpg: no a of this name",
        "B/sub/1.png: no a of this name",
    ]


def test_of_two_images_of_one_name_the_second_is_left_out() -> None:
    layout = pairs("A/1.bmp", "A/1.png", "B/1.png")
    assert partners(layout) == {"1": ("A/1.bmp", "B/1.png")}
    assert layout.left_out == ["A/1.png: A/1.bmp has the same name"]
    whole = layouts.images(found("3.bmp", "3.png", "3.tif", "x/3.png"))
    assert partners(whole) == {"3": ("3.bmp",), "x/3": ("x/3.png",)}
    assert whole.left_out == ["3.png: 3.bmp has the same name", "3.tif: 3.bmp has the same name"]


def test_the_user_says_what_is_a_and_what_is_b() -> None:
    files = ("paintings/1.png", "photos/1.png", "A/1.png", "B/1.png")
    layout = pairs(*files, a="Photos", b="paintings")
    assert partners(layout) == {"1": ("photos/1.png", "paintings/1.png")}
    assert layout.left_out == ["A/1.png: neither photo nor painting", "B/1.png: neither photo nor painting"]
    assert list(partners(pairs("1_low.png", "1_high.png", a="low", b="high")).values()) == [
        ("1_low.png", "1_high.png")
    ]


def test_items_come_in_the_order_of_their_names_whatever_that_of_their_files() -> None:
    names = ["b", "B", "a-1", "a", "10", "9", "é", "a.b", "_", "z"]
    expected = ["10", "9", "B", "_", "a", "a-1", "a.b", "b", "z", "é"]
    assert list(partners(layouts.images(found(*(f"{name}.png" for name in names))))) == expected
    files = [f"{side}/{name}.png" for name in names for side in "AB"]
    assert list(partners(pairs(*files))) == expected


# Side by side.


def test_images_twice_as_wide_as_high_are_cut_in_two_halves() -> None:
    layout = layouts.pairs(found("1.png", "train/2.png", width=64, height=32), "auto", "", "")
    assert layout.cut == 2
    assert partners(layout) == {"1": ("1.png",), "train/2": ("train/2.png",)}
    assert splits(layout) == {"1": None, "train/2": "train"}


def test_one_folder_of_the_two_makes_no_pairs_by_itself() -> None:
    layout = layouts.pairs(found("1.png", "A/2.png", width=32, height=16), "auto", "", "")
    assert (layout.cut, len(layout.items)) == (2, 2)


def test_square_images_are_cut_only_if_that_is_said_and_refused_with_that_advice() -> None:
    with pytest.raises(InputError) as caught:
        pairs("1.png", "more/2.png", "more/3.png")
    shapes = "images found: 2 in 'more', 1 in it, 3 of them 16 x 16 pixels: no pairs are found in them"
    advice = "A|B side by side are twice as wide as high; say layout: side_by_side to cut each in two halves"
    assert str(caught.value) == f"{shapes}; {advice}"
    assert pairs("1.png", "more/2.png", layout="side_by_side").cut == 2


def test_a_single_image_of_another_shape_is_enough_to_ask() -> None:
    with pytest.raises(InputError, match="2 of them 32 x 16 pixels: no pairs"):
        layouts.pairs([*found("1.png", "2.png", width=32), *found("3.png", width=33)], "auto", "", "")


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (33, 20, "33 pixels wide: must be even, to hold A|B side by side"),
        (14, 40, "each half 7 x 40 pixels: must be 8 x 8 at least"),
    ],
)
def test_what_cannot_be_cut_is_left_out(width: int, height: int, reason: str) -> None:
    files = [*found("1.png", width=16, height=8), *found("x.png", width=width, height=height)]
    layout = layouts.pairs(files, "side_by_side", "", "")
    assert partners(layout) == {"1": ("1.png",)}
    assert layout.left_out == [f"x.png: {reason}"]


# What nobody can tell.


def test_two_folders_of_other_names_with_files_of_equal_names_are_refused_with_the_question() -> None:
    files = [f"{side}/{i}.png" for i in range(3) for side in ("paintings", "photos")]
    with pytest.raises(InputError) as caught:
        pairs(*files, "more/x.png")
    question = "which are the conditions, which the images?"
    assert str(caught.value) == (
        f"images found: 3 in 'paintings', 3 in 'photos', 1 in 'more': {question}"
        " say a: paintings and b: photos, or the other way round"
    )


def test_two_folders_that_are_asked_for_and_not_there_are_refused_with_what_was_found() -> None:
    with pytest.raises(
        InputError, match=r"^images found: 1 in 'x'; none are called A and B, .* say a: FOLDER"
    ):
        pairs("x/1.png", layout="two_folders")


@pytest.mark.parametrize(("a", "b"), [("photos", ""), ("", "photos")])
def test_one_of_two_names_is_refused(a: str, b: str) -> None:
    with pytest.raises(InputError, match=r"^a and b: both must be named, or neither$"):
        pairs("photos/1.png", a=a, b=b)


def test_of_many_folders_some_are_named() -> None:
    with pytest.raises(
        InputError, match=r"^images found: 1 in '0', .* 1 in '3' and 3 more folders, 7 of them"
    ):
        pairs(*(f"{i}/{i}.png" for i in range(7)))


# Classes.


def labels(layout: Layout) -> dict[str, str | None]:
    return {item.key: item.label for item in layout.items}


def test_every_folder_is_a_class_with_all_that_is_below_it() -> None:
    layout = layouts.classes(found("cats/1.png", "cats/more/1.png", "dogs/1.png", "test/dogs/2.png", "x.png"))
    assert labels(layout) == {
        "cats/1": "cats",
        "cats/more/1": "cats",
        "dogs/1": "dogs",
        "test/dogs/2": "dogs",
    }
    assert splits(layout)["test/dogs/2"] == "test"
    assert layout.words == "2 classes: cats (2), dogs (2)"
    assert layout.left_out == ["x.png: in no class's folder"]


def test_folders_in_which_all_classes_lie_are_none() -> None:
    """As archives have them."""
    layout = layouts.classes(
        found("pets/v1/train/cats/1.png", "pets/v1/test/dogs/1.png", "pets/v1/README.png")
    )
    assert set(labels(layout).values()) == {"cats", "dogs"}
    assert layout.left_out == ["pets/v1/README.png: in no class's folder"]


@pytest.mark.parametrize(
    "files", [(), ("1.png", "2.png"), ("cats/1.png", "cats/2.png"), ("train/cats/1.png",)]
)
def test_less_than_two_classes_are_refused(files: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"^images found: .*; it must hold a folder a class, two at least$"):
        layouts.classes(found(*files))


# Images.


def test_every_image_is_an_example_by_itself() -> None:
    layout = layouts.images(found("1.png", "val/1.png", "a/b/1.jpg"))
    assert partners(layout) == {"1": ("1.png",), "a/b/1": ("a/b/1.jpg",), "val/1": ("val/1.png",)}
    assert splits(layout) == {"1": None, "a/b/1": None, "val/1": "validation"}
    assert layout.left_out == []
