"""Raw drawings become a data set, split."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import emoji_files
from helpers.emoji_files import HANDS, NAMES, TONES, drawing, svg
from helpers.emoji_files import settings as drawing_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.data import captions, openmoji
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.data.sets import drawings
from pipeline.data.sets.drawings import FIELDS, NO_TONE
from pipeline.runtime.errors import InputError


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), shares=st.sampled_from([(0.1, 0.1), (0.2, 0.3), (0.1, 0.8)]))
def test_variants_of_a_drawing_are_never_in_two_splits_and_none_is_left_out(
    emoji_folder: Path, seed: int, shares: tuple[float, float]
) -> None:
    changes = {"validation_share": shares[0], "test_share": shares[1]}
    data = drawings.prepare(emoji_folder, drawing_settings(seed=seed, **changes), emoji_folder)
    names = {split: data.splits[split]["names"].tolist() for split in SPLITS}
    bases = {split: {openmoji.base(name) for name in names[split]} for split in SPLITS}
    assert sorted(name for part in names.values() for name in part) == sorted(NAMES)
    assert sum(map(len, bases.values())) == 16  # no base drawing twice
    assert len(bases["validation"]) == round(16 * shares[0])
    assert len(bases["test"]) == round(16 * shares[1])
    assert data.left_out == []


def rows(data: DataSet, *fields: str) -> Iterator[tuple[str, ...]]:
    """The split of each drawing and these fields of it."""
    for split in SPLITS:
        for values in zip(*(data.splits[split][field].tolist() for field in fields), strict=True):
            yield split, *values


def test_bases_that_share_an_image_go_where_the_first_of_them_goes() -> None:
    """3 and 1 share one, 1 and 2 another; 0 stands alone."""
    images = np.array([5, 6, 6, 7, 7, 8], np.uint8)[:, None, None, None]
    assert drawings.alike(images, np.array([0, 3, 1, 1, 2, 2])).tolist() == [0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_no_image_is_in_two_splits_whatever_its_name(tmp_path: Path, seed: int) -> None:
    emoji_files.write(tmp_path)
    for name, twin in (("1F34F", "1F34E"), ("E000", "2764"), ("1F600", "2764")):
        (tmp_path / "svg" / f"{name}.svg").write_bytes(emoji_files.drawing(twin))
    data = drawings.prepare(tmp_path, drawing_settings(seed=seed), tmp_path)
    images = [{image.tobytes() for image in data.splits[split]["images"]} for split in SPLITS]
    assert sum(map(len, images)) == len(set.union(*images)) == len(NAMES) - 3


def test_the_split_depends_on_the_seed_alone(emoji_folder: Path, prepared: DataSet) -> None:
    torch.manual_seed(3)
    other = drawings.prepare(emoji_folder, drawing_settings(seed=1), emoji_folder)
    again = drawings.prepare(emoji_folder, drawing_settings(), emoji_folder)
    for split in SPLITS:
        assert tuple(again.splits[split]) == FIELDS
        for field in FIELDS:
            assert np.array_equal(again.splits[split][field], prepared.splits[split][field])
    assert again.facts == prepared.facts
    assert other.splits["test"]["names"].tolist() != prepared.splits["test"]["names"].tolist()


def test_each_row_is_of_the_drawing_it_names_and_each_base_has_a_number(prepared: DataSet) -> None:
    bases = {(openmoji.base(name), number) for _, name, number in rows(prepared, "names", "bases")}
    assert len(bases) == len({base for base, _ in bases}) == len({number for _, number in bases}) == 16
    for part in prepared.splits.values():
        assert len({len(values) for values in part.values()}) == 1
        for i, name in enumerate(part["names"].tolist()):
            rendered = openmoji.render(drawing(name), 16)
            assert np.array_equal(part["images"][i], rendered.image)
            assert np.array_equal(part["sketches"][i], rendered.sketch)
            assert np.array_equal(part["layers"][i], rendered.layers)
            assert part["captions"][i] == openmoji.caption(name)
            first, *tone = name.split("-")
            expected = 1 + TONES.index(tone[0]) if tone else 0 if first in HANDS else NO_TONE
            assert part["tones"][i] == expected


def test_a_word_is_known_if_two_captions_in_training_have_it(prepared: DataSet) -> None:
    trained = [set(caption.split()) for caption in prepared.splits["train"]["captions"].tolist()]
    numbers: dict[str, int] = {}
    unknown = set()
    for split, caption, row in rows(prepared, "captions", "tokens"):
        words = captions.words(caption)
        assert row[len(words) :] == [0] * (12 - len(words))
        for word, number in zip(words, row, strict=False):
            if sum(word in caption for caption in trained) >= 2:
                assert number == numbers.setdefault(word, number)
            else:
                assert number == 1
                unknown.add((split, word))
    assert sorted(numbers.values()) == list(range(2, prepared.facts["num_words"]))
    assert {split for split, _ in unknown} == set(SPLITS)
    assert prepared.facts["source"] == "openmoji"


def test_a_six_toned_drawing_whose_lines_differ_is_refused(emoji_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "svg").mkdir()
    for path in (emoji_folder / "svg").iterdir():
        (tmp_path / "svg" / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "svg/270A-1F3FD.svg"
    path.write_bytes(path.read_bytes().replace(b'y="14"', b'y="13"'))
    with pytest.raises(InputError, match=r"the six tones of 270A differ in their line layer$"):
        drawings.prepare(tmp_path, drawing_settings(), tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an SVG file"),
        (svg(("line", ""), ("shade", "")), "layer 'shade': unknown"),
        (svg(("color", "")), "a drawing without a layer named line"),
        (b'<?xml version="1.0" encoding="latin-1"?>\n<!-- \xe9 -->' + svg(("line", "")), "utf-8"),
    ],
)
def test_a_damaged_drawing_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "svg").mkdir()
    (tmp_path / "svg/1F600.svg").write_bytes(content)
    with pytest.raises(InputError) as caught:
        drawings.prepare(tmp_path, drawing_settings(), tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/svg/1F600.svg: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_drawings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"^{tmp_path}: no SVG files in its folder svg$"):
        drawings.prepare(tmp_path, drawing_settings(), tmp_path)


@pytest.mark.parametrize(("validation", "test"), [(0.02, 0.3), (0.3, 0.02), (0.48, 0.49)])
def test_a_share_that_leaves_a_split_empty_is_refused(
    emoji_folder: Path, validation: float, test: float
) -> None:
    shares = {"validation_share": validation, "test_share": test}
    expected = f"^validation_share = {validation}, test_share = {test}: of 16 base drawings a split"
    with pytest.raises(InputError, match=expected):
        drawings.prepare(emoji_folder, drawing_settings(**shares), emoji_folder)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validation_share": 0.5, "test_share": 0.5}, "test_share = 1.0: must be below 1"),
        ({"validation_share": 0.0, "test_share": 0.0}, "validation_share [+] test_share = 0.0"),
        ({"image_size": 20}, "image_size = 20: must be a multiple of 8, 16 at least"),
        ({"image_size": 8}, "image_size = 8: must be a multiple of 8, 16 at least"),
        ({"source": "opensvg"}, "source\n.*allowed are auto, folder, mirror, wheel"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        drawing_settings(**changes)
