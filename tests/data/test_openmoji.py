"""OpenMoji's files: rendered, and what their names tell."""

import numpy as np
import pytest
from helpers.emoji_files import HANDS, TONES, box, svg

from pipeline.data import captions, openmoji
from pipeline.runtime.errors import InputError

BACKGROUND, LINE, SKIN, HAIR, OTHER = range(5)
KINDS = {"color": OTHER, "color-foreground": OTHER, "skin": SKIN, "skin-shadow": SKIN, "hair": HAIR}
KINDS |= {"line": LINE, "line-supplement": LINE}


def upsampled(pixels: np.ndarray, size: int) -> np.ndarray:
    """(16, 16) -> (size, size)."""
    return np.kron(pixels, np.ones((size // 16, size // 16), pixels.dtype))


# An SVG file becomes an image, a sketch and a map of layers.


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize(("layer", "kind"), KINDS.items())
def test_a_layer_is_of_its_kind_where_it_is_and_background_elsewhere(
    layer: str, kind: int, size: int
) -> None:
    expected = np.zeros((16, 16), np.uint8)
    expected[2:5, 3:9] = kind
    found = openmoji.render(svg((layer, box(2, 5, 3, 9, "#f00"))), size)
    assert np.array_equal(found.layers, upsampled(expected, size))
    assert (found.image[0] == 255).all()
    assert np.array_equal(found.image[1] == 0, found.layers > 0)


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
    kinds = [openmoji.LAYERS.index(openmoji.KIND_OF_LAYER[name]) for name in order]
    row = [kinds[0]] * 4 + [kinds[1]] * 4 + [kinds[2]] * 8
    assert openmoji.render(svg(*layers), 16).layers.tolist() == [row] * 16


def test_a_layer_counts_where_it_is_more_than_half_opaque() -> None:
    faint = svg(("skin", box(0, 16, 0, 8)), ("color", box(0, 8, 0, 16, opacity=0.45)))
    kinds = openmoji.render(faint, 16).layers
    assert (kinds[:, :8] == SKIN).all()
    assert (kinds[:, 8:] == BACKGROUND).all()
    strong = svg(("skin", box(0, 16, 0, 8)), ("color", box(0, 8, 0, 16, opacity=0.55)))
    kinds = openmoji.render(strong, 16).layers
    assert (kinds[:8] == OTHER).all()
    assert (kinds[8:, :8] == SKIN).all()


@pytest.mark.parametrize("colour", ["#000", "#fff", "#f00", "#12d0a3"])
def test_a_sketch_is_black_on_white_whatever_its_lines_colour(colour: str) -> None:
    found = openmoji.render(svg(("color", box(0, 16, 0, 16, "#0f0")), ("line", box(6, 8, 1, 15, colour))), 16)
    expected = np.full((1, 16, 16), 255)
    expected[:, 6:8, 1:15] = 0
    assert np.array_equal(found.sketch, expected)


@pytest.mark.parametrize("layer", sorted(openmoji.KIND_OF_LAYER.keys() - {"line"}))
def test_a_sketch_is_of_the_line_layer_alone(layer: str) -> None:
    line = ("line", box(3, 5, 0, 16))
    alone = openmoji.render(svg(line), 16).sketch
    for layers in ((line, (layer, box(0, 16, 0, 9))), ((layer, box(0, 16, 0, 9)), line)):
        assert np.array_equal(openmoji.render(svg(*layers), 16).sketch, alone)
    assert (openmoji.render(svg((layer, box(0, 16, 0, 9))), 16).sketch == 255).all()


def test_a_faint_line_is_grey_in_the_sketch() -> None:
    sketch = openmoji.render(svg(("line", box(0, 16, 0, 8, "#fff", 0.4))), 16).sketch
    assert sketch[0, 0, [0, 8]].tolist() == [255 - round(0.4 * 255), 255]


def test_an_image_is_its_layers_over_one_another_on_white() -> None:
    red, blue = ("color", box(0, 16, 0, 8, "#ff0000")), ("hair", box(0, 8, 0, 16, "#0000ff", 0.6))
    x = openmoji.render(svg(red, blue), 16).image
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
    assert (found.image == 255).all()
    assert (found.sketch == 255).all()
    assert (found.layers == BACKGROUND).all()


def test_a_drawing_with_an_unknown_layer_is_refused_by_its_name() -> None:
    allowed = "line, line-supplement, skin, skin-shadow, hair, color, color-foreground"
    with pytest.raises(InputError, match=f"^layer 'colour': unknown; allowed are {allowed}$"):
        openmoji.render(svg(("line", ""), ("colour", box(0, 1, 0, 1))), 16)


NO_DRAWINGS = [b"", b"a drawing", b"<svg", svg(("line", box(0, 1, 0, 1)))[:-9], b"<html/>", bytes(50)]
NO_DRAWINGS += [b'<?xml version="1.0" encoding="klingon"?><svg/>', b"\xff\xfe<\x00"]
NO_DRAWINGS += [b'<?xml version="1.0" encoding="utf-7"?><svg/>']


@pytest.mark.parametrize("content", NO_DRAWINGS)
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


@pytest.mark.parametrize("missing", [0, 1, 5])
def test_a_drawing_that_lacks_a_tone_or_has_more_than_six_has_not_six(missing: int) -> None:
    names = ["1F91D", *(f"1F91D-{tone}" for tone in TONES)]
    assert openmoji.six_tones(names) == {"1F91D": names}
    assert openmoji.six_tones([name for i, name in enumerate(names) if i != missing]) == {}
    assert openmoji.six_tones([*names, "1F91D-1F3FB-1F3FC"]) == {}


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
