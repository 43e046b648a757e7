"""An image file -> its pixels as numbers, upright, colours in sRGB."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from pipeline.runtime.errors import InputError

EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # whatever a file is called
LOSSY = ("JPEG", "WEBP")
NUMBERS = ("1", "L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # Pillow's modes of one channel
COLOURS = ("LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
ORIENTATION = 0x0112

T = TypeVar("T")


class Pixels(NamedTuple):
    values: np.ndarray  # (H, W) of one channel, in the file's own numbers, or (H, W, 3) uint8
    alpha: np.ndarray | None  # (H, W) uint8, where not all is opaque
    exact: bool  # whether the file's format keeps every value


@contextmanager
def quietly() -> Iterator[None]:
    """Of oddities that Pillow can read all the same it does not warn; a size that it takes for an attack is
    an error. Around threads, not in each: they have Python's filters of warnings in common.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def size(path: Path) -> tuple[int, int]:
    """Width and height, upright, from the file's head; an InputError as of `pixels`."""

    def of(image: Image.Image) -> tuple[int, int]:
        width, height = image.size
        if isinstance(image, TiffImageFile):  # whose size Pillow gives as it is turned, or not yet
            width, height = (int(image.tag_v2[tag]) for tag in (IMAGEWIDTH, IMAGELENGTH))
        exif = Image.Image.getexif(image)  # that of PNG files would read all of the file first
        turned = exif.get(ORIENTATION) in TURNED
        return (height, width) if turned else (width, height)

    return opened(path, of)


def pixels(path: Path) -> Pixels:
    """The first image in an image file, as its EXIF and its colour profile say.

    Raises:
        InputError: it cannot be read, or Pillow takes its size for an attack; the message is the reason.
    """
    return opened(path, lambda image: of_image(ImageOps.exif_transpose(image), image.format not in LOSSY))


def opened(path: Path, use: Callable[[Image.Image], T]) -> T:
    """What `use` makes of an opened image; `quietly` is for those who call it."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return use(image)
    except UnidentifiedImageError as error:  # whose own message names a path
        raise InputError(f"cannot be read as {', '.join(FORMATS)}") from error
    except Exception as error:  # of any kind: decoders raise what a damaged file happens to lead them to
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot be read: {reason}") from error


def of_image(image: Image.Image, exact: bool) -> Pixels:
    """The pixels of an opened image; a ValueError if they are of an unknown kind."""
    if image.mode in NUMBERS and "transparency" not in image.info:
        image = in_srgb(image) if image.mode == "L" else image
        values = np.asarray(image)
        return Pixels(values.astype(np.uint8) * 255 if image.mode == "1" else values, None, exact)
    if image.mode not in (*NUMBERS, *COLOURS):
        raise ValueError(f"pixels of Pillow's mode {image.mode}, which is not known here")
    rgba = in_srgb(image).convert("RGBA")
    alpha = np.asarray(rgba)[:, :, 3]
    return Pixels(np.asarray(rgba)[:, :, :3], None if alpha.min() == 255 else alpha, exact)


def in_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB, if it says in which colours it is; one whose profile is damaged stays as it is."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("L", "RGB", "RGBA", "CMYK"):
        return image
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(found).lower():
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, found, ImageCms.createProfile("sRGB"), outputMode=mode)
        assert converted is not None  # as it is not done in place
        return converted.convert("L") if image.mode == "L" else converted  # there is no sRGB of one channel
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
