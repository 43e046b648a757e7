"""The user's own pairs of images, A and B: a condition, and the image that belongs to it.

A folder holds them in one of two layouts. Either images that show the two side by side, A|B, as the sets of
pix2pix come (Isola et al. 2017, arXiv:1611.07004): A is the left half, B the right. Or two
folders, A and B, with files of equal names, whose extensions and sizes may differ. Where there are folders A
and B, they count. What cannot be used is left out and named; hidden files are ignored.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.runtime.errors import InputError

MIN_PAIRS = 10
MIN_SIDE = 8  # pixels, of each half
EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # whatever a file is called
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")  # of 8 bits a channel
CONTENTS = (
    f"{MIN_PAIRS} images at least that show A|B side by side (A the condition, B the image),"
    " or folders A and B with images of equal names"
)

Parts = dict[str, tuple[Path, np.ndarray]]  # name -> a file, and its parts, (P, 3, S, S) uint8


@dataclass(frozen=True)
class Pairs:
    conditions: np.ndarray  # (N, 3, S, S) uint8
    images: np.ndarray  # (N, 3, S, S) uint8
    names: list[str]  # of the files, without extension, sorted
    left_out: list[str]  # "name: reason" of each file that cannot be used


def load(folder: Path, size: int) -> Pairs:
    """The pairs in `folder`, each image made S = `size` pixels wide and high, whatever shape it has.

    Raises:
        InputError: there is no such folder, or fewer than MIN_PAIRS pairs in it can be used.
    """
    key = f"drawings.folder = {str(folder)!r}"
    if not folder.is_dir():
        raise InputError(f"{key}: not a folder; it must hold {CONTENTS}")
    two = (folder / "A").is_dir() and (folder / "B").is_dir()
    found, left_out = from_two_folders(folder, size) if two else read_all(folder, folder, size, num_parts=2)
    if len(found) < MIN_PAIRS:
        first = f" (the first: {left_out[0]})" if left_out else ""
        counts = f"pairs found: {len(found)}, files left out: {len(left_out)}{first}"
        raise InputError(f"{key}: {counts}; it must hold {CONTENTS}")
    names = sorted(found)
    conditions, images = (np.stack([found[name][1][part] for name in names]) for part in (0, 1))
    return Pairs(conditions, images, names, left_out)


def from_two_folders(folder: Path, size: int) -> tuple[Parts, list[str]]:
    """An image in A and one of the same name in B are a pair; one without the other is left out."""
    (a, left_out), (b, more) = (read_all(folder / side, folder, size, num_parts=1) for side in "AB")
    left_out += more
    for mine, others, side in ((a, b, "B"), (b, a, "A")):
        reason = f"{side} holds no image of this name that can be used"
        left_out += [line(path, folder, reason) for name, (path, _) in mine.items() if name not in others]
    strays = [path for path in visible(folder) if path.name not in ("A", "B")]
    left_out += [line(path, folder, "in neither A nor B") for path in strays]
    both = {name: (path, np.concatenate([x, b[name][1]])) for name, (path, x) in a.items() if name in b}
    return both, left_out


def visible(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, by name."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def line(path: Path, root: Path, reason: str) -> str:
    """What is said of a file that is left out."""
    return " ".join(f"{path.relative_to(root).as_posix()}: {reason}".split())


def read_all(folder: Path, root: Path, size: int, num_parts: int) -> tuple[Parts, list[str]]:
    """The images in a folder, cut as by `read`, one of each name; and what is left out, named from `root`."""
    found: Parts = {}
    left_out: list[str] = []
    for path in visible(folder):
        try:
            if path.stem in found and path.suffix.lower() in EXTENSIONS:
                raise InputError(f"{found[path.stem][0].name} has the same name")
            found[path.stem] = path, read(path, size, num_parts)
        except InputError as error:
            left_out.append(line(path, root, str(error)))
    return found, left_out


def read(path: Path, size: int, num_parts: int) -> np.ndarray:
    """An image cut into equal parts from left to right, each resized, (P, 3, S, S) uint8.

    By Lanczos: when it reduces, Pillow widens the filter with the factor, so that thin lines fade and do not
    break (Parmar et al. 2022, arXiv:2104.11222); when it enlarges, it makes no steps. An image of that size
    already stays as it is. The parts are cut first, so that neither reaches into the other.

    Raises:
        InputError: it is no image, damaged, too small, or its width cannot be cut; the message is the reason.
    """
    if not path.is_file():
        raise InputError("not a file")
    if path.suffix.lower() not in EXTENSIONS:
        raise InputError(f"not an image; allowed are {', '.join(EXTENSIONS)}")
    image = decode(path)
    width, height = image.width // num_parts, image.height
    if image.width % num_parts:
        raise InputError(f"{image.width} pixels wide: must be even, to hold A|B side by side")
    if min(width, height) < MIN_SIDE:
        each = "each half " if num_parts == 2 else ""
        raise InputError(f"{each}{width} x {height} pixels: must be {MIN_SIDE} x {MIN_SIDE} at least")
    boxes = [(part * width, 0, (part + 1) * width, height) for part in range(num_parts)]
    parts = [image.crop(box).resize((size, size), Image.Resampling.LANCZOS) for box in boxes]
    return np.stack([np.asarray(part).transpose(2, 0, 1) for part in parts])


def decode(path: Path) -> Image.Image:
    """The first image in an image file, upright as its EXIF says, in RGB, on white where transparent.

    Raises:
        InputError: it cannot be read, or Pillow takes its size for an attack.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oddities that Pillow can read all the same
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as opened:
                return on_white(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError as error:  # whose own message names a path
        raise InputError(f"cannot be read as {', '.join(FORMATS)}") from error
    except Exception as error:  # of any kind: decoders raise what a damaged file happens to lead them to
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot be read: {reason}") from error


def on_white(image: Image.Image) -> Image.Image:
    """The image in RGB; grey of 16 bits is rounded to 8.

    Raises:
        ValueError: its pixels are of another kind, such as floats, whose range is unknown.
    """
    if image.mode.startswith("I;16"):
        image = Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    if image.mode not in MODES:
        raise ValueError(f"pixels of Pillow's mode {image.mode}; 8 or 16 bits a channel are allowed")
    opaque = Image.new("RGBA", image.size, "white")
    opaque.alpha_composite(image.convert("RGBA"))
    return opaque.convert("RGB")
