"""Files like OpenMoji's, small: named layers, skin tones, lines that tell the drawing."""

from pathlib import Path

from pipeline.data.sets import drawings
from pipeline.runtime.randomness import derive

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


def drawing(name: str) -> bytes:
    """Lines that tell the base drawing, and a colour that tells the tone."""
    base = name.split("-")[0]
    place = [*OTHERS, *HANDS].index(base)
    colour = f"#{derive(0, name) % 2**24:06x}"
    layer = "skin" if base in HANDS else "color"
    return svg((layer, box(1, 9, 1, 15, colour)), ("line", box(10, 11, 0, 1 + place / 2) + box(14, 15, 3, 9)))


def write(folder: Path) -> None:
    """Four hands in six tones and twelve other drawings, no two alike."""
    (folder / "svg").mkdir()
    for name in NAMES:
        (folder / "svg" / f"{name}.svg").write_bytes(drawing(name))


def settings(**changes: object) -> drawings.Settings:
    given = {"kind": "drawings", "folder": "", "image_size": 16, "validation_share": 0.2, "test_share": 0.3}
    return drawings.Settings(**(given | changes))
