"""An image file -> its pixels as numbers, upright, colours in sRGB."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from pipeline.runtime.errors import InputError

EXTENSIONS = (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # whatever a file is called
LOSSY = ("JPEG", "WEBP")
NUMBERS = ("1", "L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # Pillow's modes of one channel
COLOURS = ("LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
GREYS = ("L", "LA", "La")
SEVERAL = ("GIF", "PNG", "TIFF", "WEBP")  # formats whose files may hold several images
ROUNDING = 2  # levels of 255 by which sRGB may differ from sRGB
TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
ORIENTATION = 0x0112

T = TypeVar("T")


class Pixels(NamedTuple):
    values: np.ndarray  # (H, W) of one channel, in the file's own numbers, or (H, W, 3) uint8
    alpha: np.ndarray | None  # (H, W) uint8, where not all is opaque
    exact: bool  # whether the file's format keeps every value
    palette: np.ndarray | None = None  # (256, 3) uint8, the colours of values that are its indices
    coarse: bool = False  # whether these are the upper 8 of 16 bits a channel, all that Pillow reads
    num_images: int = 1  # in the file; these are the first one's


@contextmanager
def quietly() -> Iterator[None]:
    """Of oddities that Pillow can read all the same it does not warn, nor of large photographs; twice as many
    pixels are an error. Around threads, not in each: they have Python's filters of warnings in common.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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

    def of(image: Image.Image) -> Pixels:
        coarse = any(";16" in str(tile.args) for tile in getattr(image, "tile", ()))
        num_images = getattr(image, "n_frames", 1) if image.format in SEVERAL else 1
        found = of_image(ImageOps.exif_transpose(image), image.format not in LOSSY)
        return found._replace(coarse=coarse and found.values.ndim == 3, num_images=num_images)

    return opened(path, of)


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
    profile = image.info.get("icc_profile")
    if "transparency" not in image.info:
        if image.mode in NUMBERS:
            return Pixels(np.asarray(in_srgb(image, profile) if image.mode == "L" else image), None, exact)
        if image.mode == "P":
            return Pixels(
                np.asarray(image), None, exact, palette=np.asarray(in_srgb(palette(image), profile))[0]
            )
    if image.mode not in (*NUMBERS, *COLOURS):
        raise ValueError(f"pixels of Pillow's mode {image.mode}, which is not known here")
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba)[:, :, 3]
    opaque = image if image.mode == "CMYK" else rgba.convert("L" if image.mode in GREYS else "RGB")
    colours = in_srgb(opaque, profile).convert("RGB")
    return Pixels(np.asarray(colours), None if alpha.min() == 255 else alpha, exact)


def palette(image: Image.Image) -> Image.Image:
    """The colours of all indices of an image that has a palette, in one row."""
    indices = Image.frombytes("P", (256, 1), bytes(range(256)))
    indices.putpalette(image.getpalette() or [])
    return indices.convert("RGB")


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of these colours in sRGB; as it is, where its profile changes nothing or is damaged."""
    if not profile:
        return image
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, found, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    assert converted is not None  # as it is not done in place
    if image.mode == "CMYK":
        return converted
    converted = converted.convert(image.mode)  # there is no sRGB of one channel
    largest = np.max(ImageChops.difference(image, converted).getextrema())
    return converted if largest > ROUNDING else image


def cut(found: Pixels, num_parts: int) -> list[Pixels]:
    """Equal parts from left to right."""
    width = found.values.shape[1] // num_parts
    parts = [np.s_[:, part * width : (part + 1) * width] for part in range(num_parts)]
    return [
        found._replace(values=found.values[part], alpha=None if found.alpha is None else found.alpha[part])
        for part in parts
    ]
