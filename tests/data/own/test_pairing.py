"""Which files belong together, in the layouts in which pairs are commonly published."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.data.own import layouts, pairing
from pipeline.data.own.layouts import Layout
from pipeline.data.own.survey import Found
from pipeline.runtime.errors import InputError


def found(*paths: str, width: int = 16, height: int = 16) -> list[Found]:
    return [Found(Path(path), width, height) for path in paths]


def pairs(*paths: str, layout: pairing.Name = "auto", a: str = "", b: str = "") -> Layout:
    return pairing.pairs(found(*paths), layout, a, b, seam)


def seam(_: Sequence[Found]) -> bool:
    return True


def seamless(_: Sequence[Found]) -> bool:
    return False


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
        ("masks/{}.png", "imgs/{}.png"),
        ("input/{}.png", "output/{}.png"),
        ("edges/{}.png", "photos/{}.png"),
        ("LR/{}x4.png", "HR/{}.png"),
        ("train_labels/{}_L.png", "train/{}.png"),
        ("train_masks/{}_mask.gif", "train/{}.jpg"),
        ("{}_segmentation.png", "{}.jpg"),
        ("A_{}.png", "B_{}.png"),
        ("mask_{}.png", "image_{}.png"),
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
        *((name, "train") for name in ("train", "Training", "trn", "train2017", "train_set", "1_train")),
        *((name, "validation") for name in ("val", "valid", "validation", "dev", "val2017")),
        *((name, "test") for name in ("test", "testing", "tst", "test_set", "2_test", "Eval", "holdout")),
    ],
)
def test_what_folders_call_training_validation_and_test_is_that(folder: str, split: str) -> None:
    """Wherever it stands; a name that only begins so is none."""
    for path in (f"{folder}/{{}}/1.png", f"{{}}/{folder}/1.png"):
        assert list(splits(pairs(path.format("A"), path.format("B"))).values()) == [split], path
    assert splits(layouts.images(found(f"more/{folder}/1.png"))) == {f"more/{folder}/1": split}
    for other in (f"{folder}s", f"{folder}_tubes", f"my{folder}"):
        assert splits(layouts.images(found(f"{other}/1.png"))) == {f"{other}/1": None}
    layout = layouts.classes(found(f"{folder}/cats/1.png", f"{folder}/dogs/1.png"))
    assert set(splits(layout).values()) == {split}


@pytest.mark.parametrize(("word", "split"), [("train", "train"), ("val", "validation"), ("test", "test")])
def test_a_folder_may_be_called_by_split_and_role(word: str, split: str) -> None:
    for path in (f"{word}_{{}}/1.png", f"{word}{{}}/1.png"):
        assert list(splits(pairs(path.format("A"), path.format("B"))).values()) == [split], path


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
    layout = pairing.pairs(found("1.png", "train/2.png", width=64, height=32), "auto", "", "", seam)
    assert layout.cut == 2
    assert partners(layout) == {"1": ("1.png",), "train/2": ("train/2.png",)}
    assert splits(layout) == {"1": None, "train/2": "train"}


def test_one_folder_of_the_two_makes_no_pairs_by_itself() -> None:
    layout = pairing.pairs(found("1.png", "A/2.png", width=32, height=16), "auto", "", "", seam)
    assert (layout.cut, len(layout.items)) == (2, 2)


def test_square_images_are_cut_only_if_that_is_said_and_refused_with_that_advice() -> None:
    with pytest.raises(InputError) as caught:
        pairs("1.png", "more/2.png", "more/3.png")
    shapes = "images found: 2 in 'more', 1 in it, 3 of them 16 x 16 pixels: no pairs are found in them"
    advice = "A|B side by side are twice as wide as high; say layout: side_by_side to cut each in two halves"
    assert str(caught.value) == f"{shapes}; {advice}"
    assert pairs("1.png", "more/2.png", layout="side_by_side").cut == 2


def test_without_a_seam_they_are_not_cut_unasked() -> None:
    """As panoramas, or three parts side by side."""
    wide = found("1.png", "2.png", width=64, height=32)
    with pytest.raises(pairing.Unclear, match=r"without a seam in the middle: .* say layout: side_by_side$"):
        pairing.pairs(wide, "auto", "", "", seamless)
    assert pairing.pairs(wide, "side_by_side", "", "", seamless).cut == 2


@pytest.mark.parametrize("num", [2, 12])
def test_a_few_images_of_another_shape_are_left_out_and_many_are_asked_about(num: int) -> None:
    files = [*found(*map(str, range(num)), width=32), *found("cover.png", width=33)]
    if num == 2:
        with pytest.raises(InputError, match="2 of them 32 x 16 pixels: no pairs"):
            pairing.pairs(files, "auto", "", "", seam)
        return
    layout = pairing.pairs(files, "auto", "", "", seam)
    assert (layout.cut, len(layout.items)) == (2, 12)
    assert layout.left_out == ["cover.png: 33 x 16 pixels: not twice as wide as high, as most are"]


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (33, 20, "33 pixels wide: must be even, to hold A|B side by side"),
        (14, 40, "each half 7 x 40 pixels: must be 8 x 8 at least"),
    ],
)
def test_what_cannot_be_cut_is_left_out(width: int, height: int, reason: str) -> None:
    files = [*found("1.png", width=16, height=8), *found("x.png", width=width, height=height)]
    layout = pairing.pairs(files, "side_by_side", "", "", seam)
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


def test_one_of_two_names_stands_for_what_has_it_and_the_other_side_has_none() -> None:
    expected = [("1_gt.png", "1.jpg"), ("2_gt.png", "2.jpg")]
    files = [path for pair in expected for path in pair]
    assert list(partners(pairs(*files, a="gt")).values()) == expected
    assert list(partners(pairs(*files, b="gt")).values()) == [pair[::-1] for pair in expected]


def test_extensions_are_names_too() -> None:
    files = [f"base/cmp_{i}.{extension}" for i in range(3) for extension in ("jpg", "png")]
    with pytest.raises(pairing.Unclear, match="say a: jpg and b: png, or the other way round"):
        pairs(*files)
    assert list(partners(pairs(*files, a="png", b="jpg")).values()) == [
        (f"base/cmp_{i}.png", f"base/cmp_{i}.jpg") for i in range(3)
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_a_folder_that_is_named_is_meant_though_it_is_called_as_a_split(turned: bool) -> None:
    files = [f"{folder}/{i}.png" for i in range(3) for folder in ("train", "trainannot")]
    with pytest.raises(pairing.Unclear, match="say a: train and b: trainannot, or the other way round"):
        pairs(*files)
    a, b = ("trainannot", "train") if turned else ("train", "trainannot")
    layout = pairs(*files, a=a, b=b)
    assert list(partners(layout).values()) == [(f"{a}/{i}.png", f"{b}/{i}.png") for i in range(3)]
    assert layout.left_out == []


def test_one_name_for_both_is_refused() -> None:
    with pytest.raises(InputError, match=r"^a and b are both 'A': must differ$"):
        pairs("A/1.png", "B/1.png", a="A", b="a")


def test_a_name_that_nothing_has_is_refused_with_what_was_found() -> None:
    with pytest.raises(InputError) as caught:
        pairs("A/1.png", "B/1.png", a="zebra", b="b")
    assert str(caught.value) == (
        "images found: 1 in 'A', 1 in 'B'; no folder, ending or extension is called 'zebra'"
    )


@pytest.mark.parametrize(("a", "b"), [("A/1.png", "B/001.png"), ("A/IMG_1.JPG", "B/img_1.png")])
@pytest.mark.parametrize("layout", ["auto", "two_folders"])
def test_two_folders_without_a_name_in_common_are_refused_with_an_example(
    a: str, b: str, layout: pairing.Name
) -> None:
    with pytest.raises(pairing.Unclear, match=f"A and B have no names in common, such as {a} and {b}$"):
        pairs(a, b, a.replace("1", "2"), b.replace("1", "2"), layout=layout)


def test_an_ending_is_not_taken_off_where_names_match_with_it() -> None:
    layout = pairs("A/1x4.png", "A/2x4.png", "B/1x4.png", "B/2.png")
    assert partners(layout) == {"1x4": ("A/1x4.png", "B/1x4.png")}


def test_of_many_folders_some_are_named() -> None:
    with pytest.raises(
        InputError, match=r"^images found: 1 in '0', .* 1 in '3' and 3 more folders, 7 of them"
    ):
        pairs(*(f"{i}/{i}.png" for i in range(7)))
