"""Drawings: SVG files rendered, named, split; the user's pairs in their place; the archive read back."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from pipeline import captions, drawing_preparation, drawings, openmoji
from pipeline.digits import SPLITS
from pipeline.drawings import FIELDS, NO_TONE
from pipeline.errors import InputError
from pipeline.randomness import derive

torch.set_num_threads(1)

BACKGROUND, LINE, SKIN, HAIR, OTHER = range(5)
TONES = ("1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF")
HANDS = ("1F44B", "1F44D", "1F590", "270A")  # waving hand, thumbs up, hand with fingers splayed, raised fist
OTHERS = ["1F34E", "1F34F", "1F697", "1F68C", "1F692", "2764", "1F499", "1F49A", "1F600", "1F603"]
OTHERS += ["E000", "1F5D1"]
NAMES = [*OTHERS, *HANDS, *(f"{hand}-{tone}" for hand in HANDS for tone in TONES)]


def svg(*layers: tuple[str, str]) -> bytes:
    """A file of named layers, 16 units wide."""
    inside = "".join(f'<g id="{name}">{content}</g>' for name, content in layers)
    return f'<svg id="emoji" viewBox="0 0 16 16" xmlns="http://www.w3.org/2000/svg">{inside}</svg>'.encode()


def box(
    top: float, bottom: float, left: float, right: float, colour: str = "#000", opacity: float = 1
) -> str:
    place = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
    return f'<rect {place} fill="{colour}" fill-opacity="{opacity}"/>'


def enlarged(pixels: np.ndarray, size: int) -> np.ndarray:
    """(16, 16) -> (size, size)."""
    return np.kron(pixels, np.ones((size // 16, size // 16), pixels.dtype))


# An SVG file becomes a picture, a sketch and a map of kinds.


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("color", OTHER),
        ("color-foreground", OTHER),
        ("skin", SKIN),
        ("skin-shadow", SKIN),
        ("hair", HAIR),
        ("line", LINE),
        ("line-supplement", LINE),
    ],
)
def test_a_layer_is_of_its_kind_where_it_is_and_background_elsewhere(
    layer: str, kind: int, size: int
) -> None:
    expected = np.zeros((16, 16), np.uint8)
    expected[2:5, 3:9] = kind
    found = openmoji.render(svg((layer, box(2, 5, 3, 9, "#f00"))), size)
    assert np.array_equal(found.kinds, enlarged(expected, size))
    assert (found.picture[0] == 255).all()
    assert np.array_equal(found.picture[1] == 0, found.kinds > 0)


def test_there_are_five_kinds_and_every_known_layer_is_of_one() -> None:
    assert openmoji.KINDS == ("background", "line", "skin", "hair", "other")
    assert len(openmoji.LAYER_KINDS) == 7
    assert set(openmoji.LAYER_KINDS.values()) == set(openmoji.KINDS[1:])


def test_a_rendered_drawing_is_of_bytes_channels_first() -> None:
    found = openmoji.render(svg(("line", box(0, 1, 0, 1))), 32)
    assert [part.shape for part in found] == [(3, 32, 32), (1, 32, 32), (32, 32)]
    assert {part.dtype for part in found} == {np.dtype(np.uint8)}


@pytest.mark.parametrize(
    "order", [("color", "skin", "line"), ("line", "hair", "color"), ("skin", "line", "skin")]
)
def test_of_several_layers_the_last_in_the_file_is_seen(order: tuple[str, ...]) -> None:
    """Three boxes, each beginning where the one before has still half to go."""
    layers = [(name, box(0, 16, 4 * i, 4 * i + 8)) for i, name in enumerate(order)]
    kinds = [openmoji.KINDS.index(openmoji.LAYER_KINDS[name]) for name in order]
    row = [kinds[0]] * 4 + [kinds[1]] * 4 + [kinds[2]] * 8
    assert openmoji.render(svg(*layers), 16).kinds.tolist() == [row] * 16


def test_a_layer_counts_where_it_is_more_than_half_opaque() -> None:
    faint = svg(("skin", box(0, 16, 0, 8)), ("color", box(0, 8, 0, 16, opacity=0.45)))
    kinds = openmoji.render(faint, 16).kinds
    assert (kinds[:, :8] == SKIN).all()
    assert (kinds[:, 8:] == BACKGROUND).all()
    strong = svg(("skin", box(0, 16, 0, 8)), ("color", box(0, 8, 0, 16, opacity=0.55)))
    kinds = openmoji.render(strong, 16).kinds
    assert (kinds[:8] == OTHER).all()
    assert (kinds[8:, :8] == SKIN).all()


def test_a_pixel_half_in_a_layer_is_of_its_kind_if_the_greater_half_is() -> None:
    found = openmoji.render(svg(("line", box(0, 16, 0, 2.25) + box(0, 16, 8, 10.75))), 16)
    assert found.kinds[0].tolist() == [LINE] * 2 + [BACKGROUND] * 6 + [LINE] * 3 + [BACKGROUND] * 5
    assert found.sketch[0, 0, [2, 10]].tolist() == pytest.approx([255 * 0.75, 255 * 0.25], abs=3)


@pytest.mark.parametrize("colour", ["#000", "#fff", "#f00", "#12d0a3"])
def test_a_sketch_is_black_on_white_whatever_its_lines_colour(colour: str) -> None:
    found = openmoji.render(svg(("color", box(0, 16, 0, 16, "#0f0")), ("line", box(6, 8, 1, 15, colour))), 16)
    expected = np.full((1, 16, 16), 255)
    expected[:, 6:8, 1:15] = 0
    assert np.array_equal(found.sketch, expected)


@pytest.mark.parametrize("layer", sorted(openmoji.LAYER_KINDS.keys() - {"line"}))
def test_a_sketch_is_of_the_line_layer_alone(layer: str) -> None:
    line = ("line", box(3, 5, 0, 16))
    alone = openmoji.render(svg(line), 16).sketch
    for layers in ((line, (layer, box(0, 16, 0, 9))), ((layer, box(0, 16, 0, 9)), line)):
        assert np.array_equal(openmoji.render(svg(*layers), 16).sketch, alone)
    assert (openmoji.render(svg((layer, box(0, 16, 0, 9))), 16).sketch == 255).all()


def test_a_faint_line_is_grey_in_the_sketch() -> None:
    sketch = openmoji.render(svg(("line", box(0, 16, 0, 8, "#fff", 0.4))), 16).sketch
    assert sketch[0, 0, [0, 8]].tolist() == [255 - round(0.4 * 255), 255]


def test_a_picture_is_its_layers_over_one_another_on_white() -> None:
    red, blue = ("color", box(0, 16, 0, 8, "#ff0000")), ("hair", box(0, 8, 0, 16, "#0000ff", 0.6))
    x = openmoji.render(svg(red, blue), 16).picture
    assert x[:, 15, 0].tolist() == [255, 0, 0]
    assert x[:, 15, 15].tolist() == [255, 255, 255]
    assert x[:, 0, 0].tolist() == pytest.approx([0.4 * 255, 0, 0.6 * 255], abs=1)
    assert x[:, 0, 15].tolist() == pytest.approx([0.4 * 255, 0.4 * 255, 255], abs=1)


def test_on_white_mixes_by_opacity() -> None:
    pixels = np.array([[10, 10, 10], [200, 200, 200], [0, 0, 0], [255, 0, 51]], np.uint8)[:, None]
    assert openmoji.on_white(pixels)[:, 0].T.tolist() == [[10, 200, 0], [255] * 3, [206, 244, 204]]


@pytest.mark.parametrize("layers", [(), (("line", ""),), (("color", ""), ("hair", ""), ("line", ""))])
def test_a_drawing_of_nothing_is_white_and_all_background(layers: tuple[tuple[str, str], ...]) -> None:
    found = openmoji.render(svg(*layers), 16)
    assert (found.picture == 255).all()
    assert (found.sketch == 255).all()
    assert (found.kinds == BACKGROUND).all()


def test_a_drawing_with_an_unknown_layer_is_refused_by_its_name() -> None:
    allowed = "line, line-supplement, skin, skin-shadow, hair, color, color-foreground"
    with pytest.raises(InputError, match=f"^layer 'colour': unknown; allowed are {allowed}$"):
        openmoji.render(svg(("line", ""), ("colour", box(0, 1, 0, 1))), 16)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a drawing",
        b"<svg",
        svg(("line", box(0, 1, 0, 1)))[:-9],
        b"<html/>",
        bytes(50),
        b"\xff\xfe<\x00",
        b'<?xml version="1.0" encoding="klingon"?><svg/>',
        b'<?xml version="1.0" encoding="utf-7"?><svg/>',
    ],
)
def test_what_is_no_drawing_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^not an SVG file: ") as caught:
        openmoji.render(content, 16)
    assert "\n" not in str(caught.value)


def test_the_line_layer_is_the_files_text_from_there_on() -> None:
    line = ("line", box(1, 2, 3, 4))
    found = openmoji.line_layer(svg(("color", box(0, 1, 0, 1)), ("line-supplement", ""), line))
    assert found.startswith(f'<g id="line">{line[1]}</g>')
    assert found == openmoji.line_layer(svg(("skin", box(0, 9, 0, 9, "#123")), line))
    assert found != openmoji.line_layer(svg(("line", box(1, 2, 3, 5))))


@pytest.mark.parametrize("layers", [(), (("color", ""), ("line-supplement", ""))])
def test_a_drawing_without_a_line_layer_is_refused(layers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InputError, match=r"^a drawing without a layer named line$"):
        openmoji.line_layer(svg(*layers))


# Names: bases, tones, captions.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1F468", "1F468"),
        ("1F468-1F3FB", "1F468"),
        ("1F468-1F3FF-200D-1F33E", "1F468-200D-1F33E"),
        ("1F9D1-1F3FB-200D-1F91D-200D-1F9D1-1F3FE", "1F9D1-200D-1F91D-200D-1F9D1"),
        ("26F9-FE0F-200D-2642-FE0F", "26F9-200D-2642"),
        ("26F9-1F3FC-200D-2642-FE0F", "26F9-200D-2642"),
        ("0023-FE0F-20E3", "0023-20E3"),
    ],
)
def test_the_base_of_a_name_is_the_name_less_its_tones_and_style(name: str, expected: str) -> None:
    assert openmoji.base(name) == expected


def test_six_tones_are_in_order_however_the_names_come() -> None:
    wave = ["1F44B", *(f"1F44B-{tone}" for tone in TONES)]
    ball = ["26F9-FE0F-200D-2642-FE0F", *(f"26F9-{tone}-200D-2642-FE0F" for tone in TONES)]
    assert openmoji.six_tones([*reversed(ball), "1F600", *wave[3:], *wave[:3]]) == {
        "1F44B": wave,
        "26F9-200D-2642": ball,
    }


@pytest.mark.parametrize("missing", range(6))
def test_a_drawing_that_lacks_a_tone_has_not_six(missing: int) -> None:
    names = ["1F44B", *(f"1F44B-{tone}" for tone in TONES)]
    assert openmoji.six_tones([name for i, name in enumerate(names) if i != missing]) == {}


def test_a_drawing_in_more_than_six_tones_has_not_exactly_six() -> None:
    names = ["1F91D", *(f"1F91D-{tone}" for tone in TONES)]
    assert openmoji.six_tones([*names, "1F91D-1F3FB-1F3FC"]) == {}
    assert openmoji.six_tones(names) == {"1F91D": names}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1F468", "man"),
        ("1F468-1F3FD-200D-1F33E", "man farmer"),
        ("1F469-200D-1F33E", "woman farmer"),
        ("1F44B-1F3FF", "waving hand"),
        ("2764", "red heart"),  # in Unicode's list with FE0F alone
        ("2764-FE0F", "red heart"),
        ("26F9-1F3FB-200D-2642-FE0F", "man bouncing ball"),
        ("1F1FA-1F1F8", "united states"),
        ("1F9D1-1F3FB-200D-1F91D-200D-1F9D1-1F3FC", "people holding hands"),
        ("E000", ""),
        ("E000-1F3FB", ""),
    ],
)
def test_a_caption_is_unicodes_name_in_lower_case(name: str, expected: str) -> None:
    assert openmoji.caption(name) == expected


@pytest.mark.parametrize("hand", [*HANDS, "1F468-200D-1F692", "1F9D6-200D-2640-FE0F"])
def test_a_caption_tells_no_tone(hand: str) -> None:
    first, *rest = hand.split("-")
    told = {openmoji.caption("-".join([first, *tone, *rest])) for tone in ([], *([tone] for tone in TONES))}
    assert len(told) == 1
    assert not set(captions.words(*told)) & {"tone", "light", "medium", "dark", "skin"}


# Captions become rows of numbers.


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("man farmer", ["man", "farmer"]),
        ("Flag: St. Lucia", ["flag", "st", "lucia"]),
        ("  1st_place-medal 22!", ["1st", "place", "medal", "22"]),
        ("Ærø", ["ærø"]),
        ("", []),
        ("#?", []),
    ],
)
def test_words_are_letters_and_digits_in_lower_case(caption: str, expected: list[str]) -> None:
    assert captions.words(caption) == expected


def test_the_vocabulary_is_the_words_of_two_captions_in_order() -> None:
    told = ["red apple", "green apple", "red car car", "car", "bus bus bus", ""]
    assert captions.vocabulary(told) == ["apple", "car", "red"]
    assert captions.vocabulary(told, num_needed=1) == ["apple", "bus", "car", "green", "red"]
    assert captions.num_words(["apple", "car", "red"]) == 5


def test_tokens_number_known_words_from_two_on_and_others_one() -> None:
    found = captions.tokens(["Red bus, red apple", "", "?"], ["apple", "car", "red"])
    assert found.dtype == np.int64
    assert found.tolist() == [[4, 1, 4, 2] + [0] * 8, [0] * 12, [0] * 12]


def test_what_comes_after_the_twelfth_word_is_cut_off() -> None:
    known = [f"w{i:02}" for i in range(20)]
    assert captions.tokens([" ".join(known)], known).tolist() == [list(range(2, 14))]


# Raw drawings become arrays, split.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hands in six tones and twelve other drawings, no two alike."""
    folder = tmp_path_factory.mktemp("drawings")
    (folder / "svg").mkdir()
    for name in NAMES:
        (folder / "svg" / f"{name}.svg").write_bytes(drawing(name))
    return folder


def drawing(name: str) -> bytes:
    """Lines that tell the base drawing, and a colour that tells the tone."""
    base = name.split("-")[0]
    place = [*OTHERS, *HANDS].index(base)
    colour = f"#{derive(0, name) % 2**24:06x}"
    layer = "skin" if base in HANDS else "color"
    return svg((layer, box(1, 9, 1, 15, colour)), ("line", box(10, 11, 0, 1 + place / 2) + box(14, 15, 3, 9)))


def params(**changes: object) -> drawing_preparation.Params:
    numbers = {"source": "openmoji", "folder": "-", "image_size": 16, "seed": 0}
    return drawing_preparation.Params(**(numbers | {"validation_share": 0.2, "test_share": 0.3} | changes))


@pytest.fixture(scope="module")
def prepared(folder: Path) -> dict[str, np.ndarray]:
    arrays, rejected = drawing_preparation.prepare(folder, params())
    assert rejected == []
    return arrays


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), shares=st.sampled_from([(0.1, 0.1), (0.2, 0.3), (0.1, 0.8)]))
def test_variants_of_a_drawing_are_never_in_two_splits_and_none_is_left_out(
    folder: Path, seed: int, shares: tuple[float, float]
) -> None:
    changes = {"validation_share": shares[0], "test_share": shares[1]}
    arrays, _ = drawing_preparation.prepare(folder, params(seed=seed, **changes))
    names = {split: arrays[f"{split}_names"].tolist() for split in SPLITS}
    bases = {split: {openmoji.base(name) for name in names[split]} for split in SPLITS}
    assert sorted(name for part in names.values() for name in part) == sorted(NAMES)
    assert sum(map(len, bases.values())) == 16  # no base drawing twice
    assert len(bases["validation"]) == round(16 * shares[0])
    assert len(bases["test"]) == round(16 * shares[1])


def test_the_split_depends_on_the_seed_alone(folder: Path, prepared: dict[str, np.ndarray]) -> None:
    torch.manual_seed(3)
    other, _ = drawing_preparation.prepare(folder, params(seed=1))
    again, _ = drawing_preparation.prepare(folder, params())
    assert again.keys() == prepared.keys()
    assert all(np.array_equal(again[name], prepared[name]) for name in prepared)
    assert other["test_names"].tolist() != prepared["test_names"].tolist()


def test_each_row_is_of_the_drawing_it_names(prepared: dict[str, np.ndarray]) -> None:
    for split in SPLITS:
        part = {field: prepared[f"{split}_{field}"] for field in FIELDS}
        assert len({len(values) for values in part.values()}) == 1
        for i, name in enumerate(part["names"].tolist()):
            rendered = openmoji.render(drawing(name), 16)
            assert np.array_equal(part["pictures"][i], rendered.picture)
            assert np.array_equal(part["sketches"][i], rendered.sketch)
            assert np.array_equal(part["kinds"][i], rendered.kinds)
            assert part["captions"][i] == openmoji.caption(name)
            first, *tone = name.split("-")
            expected = 1 + TONES.index(tone[0]) if tone else 0 if first in HANDS else NO_TONE
            assert part["tones"][i] == expected


def test_bases_have_one_number_each_over_all_splits(prepared: dict[str, np.ndarray]) -> None:
    pairs = {
        (openmoji.base(name), number)
        for split in SPLITS
        for name, number in zip(
            prepared[f"{split}_names"].tolist(), prepared[f"{split}_bases"].tolist(), strict=True
        )
    }
    assert len(pairs) == len({base for base, _ in pairs}) == len({number for _, number in pairs}) == 16


def test_a_word_is_known_if_two_captions_in_training_have_it(prepared: dict[str, np.ndarray]) -> None:
    trained = [set(caption.split()) for caption in prepared["train_captions"].tolist()]
    numbers: dict[str, int] = {}
    unknown = set()
    for split in SPLITS:
        for caption, row in zip(prepared[f"{split}_captions"], prepared[f"{split}_tokens"], strict=True):
            told = captions.words(caption)
            assert row[len(told) :].tolist() == [0] * (12 - len(told))
            for word, number in zip(told, row.tolist(), strict=False):
                if sum(word in caption for caption in trained) >= 2:
                    assert number == numbers.setdefault(word, number)
                else:
                    assert number == 1
                    unknown.add((split, word))
    assert sorted(numbers.values()) == list(range(2, int(prepared["num_words"])))
    assert {split for split, _ in unknown} == set(SPLITS)


def test_words_for_testing_teach_nothing(folder: Path) -> None:
    """Each hand's caption comes six times; it is unknown unless the hand is trained on."""
    for seed in range(6):
        arrays, _ = drawing_preparation.prepare(folder, params(seed=seed))
        for split in ("validation", "test"):
            for name, row in zip(arrays[f"{split}_names"], arrays[f"{split}_tokens"], strict=True):
                if name.startswith("1F44D"):  # thumbs up: words that no other drawing has
                    assert row.tolist() == [1, 1] + [0] * 10
        if any(name.startswith("1F44D") for name in arrays["train_names"]):
            row = arrays["train_tokens"][arrays["train_names"].tolist().index("1F44D")]
            assert min(row[:2]) > 1


def test_a_six_toned_drawing_whose_lines_differ_is_refused(folder: Path, tmp_path: Path) -> None:
    copy(folder, tmp_path)
    path = tmp_path / "svg/270A-1F3FD.svg"
    path.write_bytes(path.read_bytes().replace(b'y="14"', b'y="13"'))
    with pytest.raises(InputError, match=r"the six tones of 270A differ in their line layer$"):
        drawing_preparation.prepare(tmp_path, params())


def copy(folder: Path, to: Path) -> None:
    (to / "svg").mkdir()
    for path in (folder / "svg").iterdir():
        (to / "svg" / path.name).write_bytes(path.read_bytes())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an SVG file"),
        (b"\xff\xd8\xff", "not an SVG file"),
        (b'<?xml version="1.0" encoding="klingon"?><svg/>', "not an SVG file"),
        (svg(("line", ""), ("shade", "")), "layer 'shade': unknown"),
        (svg(("color", "")), "a drawing without a layer named line"),
        (b'<?xml version="1.0" encoding="latin-1"?>\n<!-- \xe9 -->' + svg(("line", "")), "utf-8"),
    ],
)
def test_a_damaged_drawing_is_named(folder: Path, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "svg").mkdir()
    (tmp_path / "svg/1F600.svg").write_bytes(content)
    with pytest.raises(InputError) as caught:
        drawing_preparation.prepare(tmp_path, params())
    assert str(caught.value).startswith(f"{tmp_path}/svg/1F600.svg: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_drawings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^drawings.folder = .*: no SVG files in its folder svg$"):
        drawing_preparation.prepare(tmp_path, params())


@pytest.mark.parametrize(("validation", "test"), [(0.02, 0.3), (0.3, 0.02), (0.48, 0.49)])
def test_a_share_that_leaves_a_split_empty_is_refused(validation: float, test: float) -> None:
    shares = {"validation_share": validation, "test_share": test}
    expected = f"^drawings.validation_share = {validation}, test_share = {test}: of 16 base drawings a split"
    with pytest.raises(InputError, match=expected):
        drawing_preparation.split(16, params(**shares))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"validation_share": 0.5, "test_share": 0.5},
            "validation_share [+] test_share = 1.0: must be below 1",
        ),
        ({"validation_share": 0.0, "test_share": 0.0}, "validation_share [+] test_share = 0.0"),
        ({"image_size": 20}, "image_size = 20: must be a multiple of 8, 16 at least"),
        ({"image_size": 8}, "image_size = 8: must be a multiple of 8, 16 at least"),
        ({"source": "opensvg"}, "allowed are folder, openmoji"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        params(**changes)


# The user's pairs in the place of OpenMoji.


@pytest.fixture(scope="module")
def pairs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pairs side by side: on the left one of five colours above another, on the right noise."""
    folder = tmp_path_factory.mktemp("pairs")
    for i in range(12):
        save_pair(folder / f"red_car-{i:02}.png", i)
    (folder / "notes.txt").write_text("mine")
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n")
    return folder


COLOURS = np.array([[250, 10, 10], [10, 250, 10], [10, 10, 250], [245, 245, 245], [5, 5, 5]], np.uint8)


def halves(i: int) -> tuple[np.ndarray, np.ndarray]:
    """The two halves, (16, 16, 3) each, and which colour is where on the left."""
    above, below = i % 5, (i + 1 + i // 5) % 5
    where = np.repeat([above, below], 8)[:, None].repeat(16, 1)
    return COLOURS[where], where


def save_pair(path: Path, i: int) -> None:
    noise = np.random.default_rng(i).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(np.concatenate([halves(i)[0], noise], 1)).save(path)


def test_the_users_pairs_give_the_same_arrays_as_drawings_do(
    pairs_folder: Path, prepared: dict[str, np.ndarray]
) -> None:
    arrays, _ = drawing_preparation.prepare(pairs_folder, params(source="folder"))
    assert arrays.keys() == prepared.keys()
    assert {name: array.ndim for name, array in arrays.items()} == {
        name: array.ndim for name, array in prepared.items()
    }
    for name in ("pictures", "sketches", "kinds", "tokens", "bases", "tones"):
        assert arrays[f"train_{name}"].dtype == prepared[f"train_{name}"].dtype
    assert len(arrays["test_names"]) == round(0.3 * 12)
    assert len(arrays["validation_names"]) == round(0.2 * 12)
    assert sorted(number for s in SPLITS for number in arrays[f"{s}_bases"].tolist()) == list(range(12))


def test_what_is_given_stands_for_the_sketch_and_the_name_for_the_caption(pairs_folder: Path) -> None:
    arrays, _ = drawing_preparation.prepare(pairs_folder, params(source="folder"))
    for split in SPLITS:
        for row, name in enumerate(arrays[f"{split}_names"].tolist()):
            i = int(name[-2:])
            pixels = np.asarray(Image.open(pairs_folder / f"{name}.png")).transpose(2, 0, 1)
            assert np.array_equal(arrays[f"{split}_sketches"][row], pixels[:, :, :16])
            assert np.array_equal(arrays[f"{split}_pictures"][row], pixels[:, :, 16:])
            assert arrays[f"{split}_captions"][row] == f"red car {i:02}"
            assert arrays[f"{split}_tones"][row] == NO_TONE
            car, red = 2, 3  # the two words of more than one caption, in alphabetical order
            assert arrays[f"{split}_tokens"][row].tolist() == [red, car, 1] + [0] * 9


def test_files_that_are_no_pairs_are_left_out_and_named(pairs_folder: Path) -> None:
    _, rejected = drawing_preparation.prepare(pairs_folder, params(source="folder"))
    assert [line.split(":")[0] for line in rejected] == ["notes.txt", "torn.png"]


def test_the_users_pairs_have_layers_by_colour(pairs_folder: Path) -> None:
    arrays, _ = drawing_preparation.prepare(pairs_folder, params(source="folder"))
    assert arrays["num_kinds"] == 5
    seen: dict[int, set[int]] = {}
    for split in SPLITS:
        for name, kinds in zip(arrays[f"{split}_names"].tolist(), arrays[f"{split}_kinds"], strict=True):
            for colour, kind in zip(halves(int(name[-2:]))[1].flat, kinds.flat, strict=True):
                seen.setdefault(colour, set()).add(int(kind))
    assert sorted(kind for kinds in seen.values() for kind in kinds) == list(range(5))


@pytest.mark.parametrize("seed", range(3))
def test_each_pixel_is_of_the_region_whose_colour_is_nearest(seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 16, 16, 3), np.uint8)
    found = drawing_preparation.regions(pixels.transpose(0, 3, 1, 2))
    assert (found.shape, found.dtype) == ((6, 16, 16), np.uint8)
    cut = Image.fromarray(pixels.reshape(96, 16, 3)).quantize(5, Image.Quantize.MEDIANCUT)
    colours = np.array(cut.getpalette()[:15]).reshape(5, 3)
    squared = np.square(pixels[..., None, :].astype(int) - colours).sum(-1)  # (N, S, S, 5)
    assert np.array_equal(
        np.take_along_axis(squared, found[..., None].astype(int), 3)[..., 0], squared.min(3)
    )
    assert set(found.flat) == set(range(5))


# The archive.


def test_what_was_prepared_is_loaded_as_tensors(prepared: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "drawings.npz", **prepared)
    loaded = drawings.load(tmp_path / "drawings.npz")
    for split in SPLITS:
        part = getattr(loaded, split)
        assert len(part) == len(prepared[f"{split}_names"])
        for name in ("pictures", "sketches", "kinds", "tokens", "bases", "tones"):
            assert np.array_equal(getattr(part, name).numpy(), prepared[f"{split}_{name}"])
        assert part.captions == tuple(prepared[f"{split}_captions"].tolist())
        assert part.names == tuple(prepared[f"{split}_names"].tolist())
        assert (part.pictures.dtype, part.tokens.dtype) == (torch.uint8, torch.int64)
        assert (part.num_kinds, part.num_words) == (5, int(prepared["num_words"]))


def test_six_toned_drawings_are_found_with_their_tones_in_order(
    prepared: dict[str, np.ndarray], tmp_path: Path
) -> None:
    np.savez(tmp_path / "drawings.npz", **prepared)
    loaded = drawings.load(tmp_path / "drawings.npz")
    found = []
    for part in (loaded.train, loaded.validation, loaded.test):
        rows = part.six_tones()
        assert rows.shape[1:] == (6,)
        for names in ([part.names[i] for i in row] for row in rows.tolist()):
            assert names[1:] == [f"{names[0]}-{tone}" for tone in TONES]
            found.append(names[0])
        assert all((part.sketches[row] == part.sketches[row[0]]).all() for row in rows)
    assert sorted(found) == sorted(HANDS)


def test_among_the_users_pairs_nothing_has_six_tones(pairs_folder: Path, tmp_path: Path) -> None:
    arrays, _ = drawing_preparation.prepare(pairs_folder, params(source="folder"))
    np.savez(tmp_path / "drawings.npz", **arrays)
    assert drawings.load(tmp_path / "drawings.npz").train.six_tones().shape == (0, 6)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        drawings.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not the prepared drawings (")
    assert message.endswith("; make them with: dvc repro prepare@drawings")
    assert "\n" not in message
    return message


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "drawings.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"some text", bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drawings.npz").write_bytes(content)
    refusal(tmp_path / "drawings.npz")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_archive_cut_short_is_refused(
    prepared: dict[str, np.ndarray], tmp_path: Path, share: float
) -> None:
    path = tmp_path / "drawings.npz"
    np.savez(path, **prepared)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refusal(path)


def test_an_archive_with_a_changed_byte_is_refused_or_gives_the_same(
    prepared: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """A zip file has bytes that do not matter, such as its members' dates."""
    path = tmp_path / "drawings.npz"
    few = {name: array[:1] if array.ndim else array for name, array in prepared.items()}
    np.savez(path, **few)
    content = path.read_bytes()
    expected = drawings.load(path)
    num_refused, step = 0, 97
    for place in range(0, len(content), step):
        path.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        try:
            found = drawings.load(path)
        except InputError:
            num_refused += 1
        else:
            assert torch.equal(found.train.pictures, expected.train.pictures)
            assert torch.equal(found.test.kinds, expected.test.kinds)
            assert found.validation.captions == expected.validation.captions
    assert num_refused > 0.7 * len(content) / step


@pytest.mark.parametrize(
    ("place", "value"),
    [(6, 255), (8, 1), (8, 0x20), (8, 0x40), (10, 8), (10, 9), (10, 12), (10, 14)],
    ids=["version", "password", "patch", "encryption", "deflate", "deflate64", "bzip2", "lzma"],
)
def test_an_archive_that_calls_itself_another_kind_of_zip_is_refused(
    prepared: dict[str, np.ndarray], tmp_path: Path, place: int, value: int
) -> None:
    path = tmp_path / "drawings.npz"
    np.savez(path, **prepared)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + place] = value  # in the first entry of its directory
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize("missing", ["num_kinds", "num_words", "train_pictures", "test_tones"])
def test_an_archive_that_lacks_an_array_is_refused_by_its_name(
    prepared: dict[str, np.ndarray], tmp_path: Path, missing: str
) -> None:
    np.savez(tmp_path / "drawings.npz", **{n: a for n, a in prepared.items() if n != missing})
    assert missing in refusal(tmp_path / "drawings.npz")


def test_pickled_objects_are_not_loaded(prepared: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "drawings.npz", **(prepared | {"train_names": np.array([print], object)}))
    assert "allow_pickle" in refusal(tmp_path / "drawings.npz")


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "drawings.npz", "wb") as file:
        np.save(file, np.zeros(3))
    refusal(tmp_path / "drawings.npz")
