"""OpenMoji's drawings: an SVG file -> its image, its line layer and a map of its layers.

OpenMoji 17 (https://openmoji.org, CC BY-SA 4.0) names the layers of its drawings. People and hands come in
six skin tones, whose files differ in nothing but colours: their line layers are the same text.
"""

import io
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from pipeline.runtime.errors import InputError

TONES = ("", "1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF")  # yellow, then from light to dark: U+1F3FB ...
NEUTRAL_STYLE = "FE0F"  # the code point that asks for an image, which only some names have
LAYERS = ("background", "line", "skin", "hair", "other")
KIND_OF_LAYER = {
    "line": "line",
    "line-supplement": "line",
    "skin": "skin",
    "skin-shadow": "skin",
    "hair": "hair",
    "color": "other",
    "color-foreground": "other",
}
SVG = "http://www.w3.org/2000/svg"


class Rendered(NamedTuple):
    image: np.ndarray  # (3, S, S) uint8, on white
    sketch: np.ndarray  # (1, S, S) uint8: the line layer, black on white
    layers: np.ndarray  # (S, S) uint8: the kind of the uppermost layer, a number in LAYERS


def base(name: str) -> str:
    """The name without its tones: the same for all variants of a drawing."""
    return "-".join(part for part in name.split("-") if part not in TONES and part != NEUTRAL_STYLE)


def six_tones(names: Iterable[str]) -> dict[str, list[str]]:
    """Base drawings that come in exactly six tones -> their names, yellow first, then from light to dark."""
    variants: dict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for name in names:
        variants[base(name)][tuple(part for part in name.split("-") if part in TONES)] = name
    one_each = [(tone,) if tone else () for tone in TONES]
    whole = {drawing: found for drawing, found in variants.items() if found.keys() == set(one_each)}
    return {drawing: [found[tone] for tone in one_each] for drawing, found in whole.items()}


def line_layer(svg: bytes) -> str:
    """The text of the file from its line layer on; an InputError if it has none."""
    text = svg.decode()
    if (start := text.find('<g id="line"')) < 0:
        raise InputError("a drawing without a layer named line")
    return text[start:]


def caption(name: str) -> str:
    """The Unicode short name (CLDR) in lower case, less its tone words; "" for OpenMoji's own drawings."""
    from emoji import EMOJI_DATA

    text = "".join(chr(int(part, 16)) for part in name.split("-") if part not in TONES)
    for form in (text, text + "\ufe0f", text.replace("\ufe0f", "")):
        if form in EMOJI_DATA:
            return str(EMOJI_DATA[form]["en"]).strip(":").replace("_", " ").lower()
    return ""


def render(svg: bytes, size: int) -> Rendered:
    """The drawing at `size` pixels a side.

    Raises:
        InputError: it is no drawing, or has other layers than those of KIND_OF_LAYER.
    """
    ET.register_namespace("", SVG)
    try:
        root = ET.fromstring(svg)
    except (ET.ParseError, LookupError, ValueError) as error:  # the latter two: of a strange encoding
        raise InputError(f"not an SVG file: {error}") from error
    if root.tag != f"{{{SVG}}}svg":
        raise InputError(f"not an SVG file: its root is {root.tag}")
    layers = list(root)
    if strange := [layer.get("id") for layer in layers if layer.get("id") not in KIND_OF_LAYER]:
        raise InputError(f"layer {strange[0]!r}: unknown; allowed are {', '.join(KIND_OF_LAYER)}")
    image = on_white(rasterise(root, size))
    kinds, sketch = np.zeros((size, size), np.uint8), np.full((1, size, size), 255, np.uint8)
    for layer in layers:
        if not len(layer):
            continue
        root[:] = [layer]
        pixels = rasterise(root, size)
        kinds[pixels[3] > 127] = LAYERS.index(KIND_OF_LAYER[layer.attrib["id"]])
        if layer.get("id") == "line":
            sketch = 255 - pixels[3:]  # whatever a line's colour: black
    return Rendered(image, sketch, kinds)


def rasterise(root: ET.Element, size: int) -> np.ndarray:
    """The image of an SVG, (4, size, size) uint8: red, green, blue, opacity."""
    import resvg_py
    from PIL import Image

    png = resvg_py.svg_to_bytes(
        svg_string=ET.tostring(root, encoding="unicode"), width=size, height=size, skip_system_fonts=True
    )
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGBA")).transpose(2, 0, 1)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """(4, S, S) -> (3, S, S), both uint8."""
    opacity = pixels[3:].astype(np.float32) / 255
    return (pixels[:3] * opacity + 255 * (1 - opacity)).round().astype(np.uint8)
