"""Which class an image is of, and which are examples by themselves."""

from pathlib import Path

import pytest

from pipeline.data.own import layouts
from pipeline.data.own.layouts import Layout
from pipeline.data.own.survey import Found
from pipeline.runtime.errors import InputError


def found(*paths: str) -> list[Found]:
    return [Found(Path(path), 16, 16) for path in paths]


def partners(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The files of each example, by its key."""
    return {item.key: tuple(path.as_posix() for path in item.files) for item in layout.items}


def splits(layout: Layout) -> dict[str, str | None]:
    return {item.key: item.split for item in layout.items}


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


def test_train_may_be_a_class_beside_others() -> None:
    layout = layouts.classes(found("train/1.png", "bus/1.png", "car/1.png"))
    assert labels(layout) == {"train/1": "train", "bus/1": "bus", "car/1": "car"}
    assert set(splits(layout).values()) == {None}
    layout = layouts.classes(found("train/1.png", "bus/1.png", "car/1.png", "test/1.png"))
    assert layout.left_out == ["test/1.png: in no class's folder"]


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
