"""Files of all kinds -> pixels, upright, in sRGB."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pair_files import BLUE, GREEN, RED, SIZE, WHITE, beside, condition_and_image, noise, plain, save
from PIL import Image, ImageCms

from pipeline.data.own import decode
from pipeline.runtime.errors import InputError


@pytest.mark.parametrize(
    ("name", "options"),
    [(f"x.{extension}", {}) for extension in ("png", "PNG", "bmp", "tif", "ppm")]
    + [("x.tiff", {"compression": "tiff_lzw"}), ("x.webp", {"lossless": True}), ("x.jpg", {"format": "PNG"})],
)
def test_files_that_keep_every_pixel_give_every_pixel(
    folder: Path, name: str, options: dict[str, Any]
) -> None:
    pixels = noise(SIZE, 2 * SIZE, 99)
    save(folder / name, pixels, **options)
    assert np.array_equal(beside(*condition_and_image(folder, "x")), pixels)


@pytest.mark.parametrize("name", ["x.jpg", "x.jpeg", "x.webp", "x.gif"])
def test_files_that_do_not_keep_every_pixel_give_nearly_the_colours(folder: Path, name: str) -> None:
    save(folder / name, beside(plain((30, 160, 90)), plain((200, 60, 20))))
    condition, image = condition_and_image(folder, "x")
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(condition[inner] - np.array([30.0, 160, 90])).max() <= 6
    assert np.abs(image[inner] - np.array([200.0, 60, 20])).max() <= 6


@pytest.mark.parametrize(("name", "exact"), [("x.png", True), ("x.bmp", True), ("x.jpg", False)])
def test_a_file_says_whether_its_format_keeps_every_value(tmp_path: Path, name: str, exact: bool) -> None:
    save(tmp_path / name, noise(SIZE, SIZE, 0))
    assert decode.pixels(tmp_path / name).exact == exact
    assert not decode.pixels(saved(tmp_path / "called.png", noise(SIZE, SIZE, 0), format="WEBP")).exact


def saved(path: Path, pixels: np.ndarray | Image.Image, **options: Any) -> Path:
    save(path, pixels, **options)
    return path


def test_grey_becomes_equal_red_green_and_blue_and_black_and_white_0_and_255(folder: Path) -> None:
    grey = noise(SIZE, 2 * SIZE, 5, channels=1)[..., 0]
    save(folder / "x.png", grey)
    save(folder / "y.png", grey > 127)
    save(folder / "z.pgm", grey)
    for name, expected in (("x", grey), ("y", np.where(grey > 127, 255, 0)), ("z", grey)):
        found = beside(*condition_and_image(folder, name))
        assert np.array_equal(found, expected[..., None].repeat(3, axis=2))


@pytest.mark.parametrize(
    ("name", "kind"), [("x.png", np.uint16), ("x.tif", np.uint16), ("y.tif", np.int32), ("z.tif", np.float32)]
)
def test_numbers_of_more_than_8_bits_stay_what_they_are(tmp_path: Path, name: str, kind: type) -> None:
    levels = np.array([0, 1, 255, 256, 4095, 65535]).astype(kind)
    found = decode.pixels(saved(tmp_path / name, np.tile(levels, (9, 2))))
    assert found.values[3].tolist() == [0, 1, 255, 256, 4095, 65535] * 2


def test_what_is_transparent_is_seen_on_white(folder: Path) -> None:
    """Opacity 0, 51, 204 and 255 of red over white: green and blue are 255 (1 - opacity / 255)."""
    pixels = np.empty((SIZE, 2 * SIZE, 4), np.uint8)
    pixels[..., :3] = RED
    pixels[..., 3] = np.tile([0, 51, 204, 255], SIZE // 2)
    save(folder / "x.png", pixels)
    found = beside(*condition_and_image(folder, "x"))
    assert np.array_equal(found[0, :4], [(255, 255, 255), (255, 204, 204), (255, 51, 51), (255, 0, 0)])


def test_where_all_is_opaque_there_is_no_alpha(tmp_path: Path) -> None:
    pixels = noise(SIZE, SIZE, 0, channels=4)
    assert decode.pixels(saved(tmp_path / "x.png", pixels)).alpha is not None
    pixels[..., 3] = 255
    found = decode.pixels(saved(tmp_path / "y.png", pixels))
    assert found.alpha is None
    assert np.array_equal(found.values, pixels[..., :3])


def test_a_palette_is_looked_up_and_a_transparent_colour_of_it_or_of_grey_is_white(folder: Path) -> None:
    numbers = np.tile(np.array([0, 1], np.uint8), (SIZE, SIZE))
    image = Image.fromarray(numbers).convert("P")
    image.putpalette(bytes([10, 20, 30, 40, 50, 60]))
    image.putdata(numbers.ravel().tolist())
    save(folder / "x.png", image, transparency=0)
    save(folder / "y.gif", image, transparency=0)
    save(folder / "z.png", numbers * 70, transparency=0)
    for name, second in (("x", (40, 50, 60)), ("y", (40, 50, 60)), ("z", (70, 70, 70))):
        condition, found = condition_and_image(folder, name)
        assert np.array_equal(condition[0, :2], [WHITE, second])
        assert np.array_equal(found[-1, -2:], [WHITE, second])


def test_an_opaque_palette_keeps_its_indices(tmp_path: Path) -> None:
    """Two of them may have one colour."""
    numbers = np.tile(np.array([0, 1, 2, 1], np.uint8), (SIZE, 4))
    image = Image.fromarray(numbers).convert("P")
    image.putdata(numbers.ravel().tolist())
    image.putpalette([*RED, *BLUE, *RED])
    found = decode.pixels(saved(tmp_path / "x.png", image))
    assert np.array_equal(found.values, numbers)
    assert found.palette is not None
    assert found.palette[:3].tolist() == [list(RED), list(BLUE), list(RED)]


def png_of_16_bits(path: Path, pixels: np.ndarray) -> Path:
    """A file as Pillow cannot write it: grey, grey and alpha, or colours of 16 bits a channel."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


@pytest.mark.parametrize(("channels", "coarse"), [(1, False), (2, True), (3, True), (4, True)])
def test_of_16_bits_a_channel_it_is_said_where_only_8_are_read(
    tmp_path: Path, channels: int, coarse: bool
) -> None:
    pixels = noise(SIZE, SIZE, 0, channels).astype(np.uint16) * 16
    found = decode.pixels(png_of_16_bits(tmp_path / "x.png", pixels))
    assert found.coarse == coarse
    assert found.values.max() == (pixels[..., : channels if channels < 4 else 3].max() if not coarse else 15)
    assert not decode.pixels(saved(tmp_path / "y.png", noise(SIZE, SIZE, 0))).coarse


@pytest.mark.parametrize(("name", "num"), [("x.gif", 3), ("x.tif", 3), ("x.png", 1), ("x.jpg", 1)])
def test_a_file_says_how_many_images_it_holds(tmp_path: Path, name: str, num: int) -> None:
    first, *more = (Image.fromarray(noise(SIZE, SIZE, i)) for i in range(3))
    options = {"save_all": True, "append_images": more} if num > 1 else {}
    assert decode.pixels(saved(tmp_path / name, first, **options)).num_images == num


@pytest.mark.parametrize(("name", "key"), [("x.gif", "GIF"), ("x.tif", "TIFF"), ("x.png", "PNG")])
def test_of_several_frames_the_first_is_taken(folder: Path, name: str, key: str) -> None:
    first, second = (Image.fromarray(beside(plain(a), plain(b))) for a, b in ((RED, BLUE), (GREEN, GREEN)))
    save(folder / name, first, format=key, save_all=True, append_images=[second])
    condition, image = condition_and_image(folder, "x")
    assert np.array_equal(condition, plain(RED))
    assert np.array_equal(image, plain(BLUE))


UPRIGHT = {  # orientation -> how a camera that notes it has stored the upright image (TIFF 6.0, page 36)
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x),
    7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
    8: lambda x: np.rot90(x, -1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_an_image_is_turned_upright_before_it_is_cut(folder: Path, orientation: int, extension: str) -> None:
    pixels = noise(SIZE, 2 * SIZE, 7)
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(folder / f"x.{extension}", np.ascontiguousarray(UPRIGHT[orientation](pixels)), exif=exif)
    assert decode.size(folder / f"x.{extension}") == (2 * SIZE, SIZE)
    assert np.array_equal(beside(*condition_and_image(folder, "x")), pixels)


# Colours.

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exchanged() -> bytes:
    """sRGB's profile with another name, and with the primaries red and green exchanged."""
    name, other = ("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    assert name in SRGB
    profile = SRGB.replace(name, other)
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


@pytest.mark.parametrize("key", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_an_image_of_another_colour_profile_is_converted_to_srgb(tmp_path: Path, key: str) -> None:
    found = decode.pixels(saved(tmp_path / "x.png", plain(RED), format=key, icc_profile=exchanged()))
    assert np.abs(found.values.astype(int) - plain(GREEN)).max() <= 6


@pytest.mark.parametrize("opaque", [True, False])
def test_the_colours_of_a_palette_are_converted_too(tmp_path: Path, opaque: bool) -> None:
    image = Image.new("P", (SIZE, SIZE))
    image.putpalette([*RED, *BLUE])
    options = {} if opaque else {"transparency": 1}
    found = decode.pixels(saved(tmp_path / "x.png", image, icc_profile=exchanged(), **options))
    colours = found.values if found.palette is None else found.palette[found.values]
    assert np.abs(colours.astype(int) - plain(GREEN)).max() <= 2


def test_a_profile_is_believed_by_its_curves_and_not_by_its_name(tmp_path: Path) -> None:
    """Of linear light, though it calls itself sRGB: 128 of 255 is 188 in sRGB's curve (IEC 61966-2-1)."""
    profile = bytearray(SRGB)
    offset, size = next(
        struct.unpack_from(">II", profile, at + 4)
        for at in range(132, 132 + 12 * struct.unpack_from(">I", profile, 128)[0], 12)
        if profile[at : at + 4] == b"rTRC"
    )
    profile[offset : offset + size] = (b"curv" + bytes(8)).ljust(size, b"\0")
    found = decode.pixels(saved(tmp_path / "x.png", plain((128, 128, 128)), icc_profile=bytes(profile)))
    assert np.abs(found.values.astype(int) - 188).max() <= 1


def test_a_conversion_keeps_what_is_transparent(tmp_path: Path) -> None:
    pixels = np.concatenate([plain(RED), np.full((SIZE, SIZE, 1), 77, np.uint8)], 2)
    found = decode.pixels(saved(tmp_path / "x.png", pixels, icc_profile=exchanged()))
    assert np.abs(found.values.astype(int) - plain(GREEN)).max() <= 2
    assert found.alpha is not None
    assert set(found.alpha.flat) == {77}


@pytest.mark.parametrize(
    "profile", [SRGB, b"no profile", exchanged()[:200]], ids=["sRGB", "no profile", "cut off"]
)
def test_srgb_and_damaged_profiles_change_no_pixel(tmp_path: Path, profile: bytes) -> None:
    pixels = noise(SIZE, SIZE, 0)
    found = decode.pixels(saved(tmp_path / "x.png", pixels, icc_profile=profile))
    assert np.array_equal(found.values, pixels)


# What cannot be read.


@pytest.mark.parametrize("key", decode.FORMATS)
@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_truncated_image_is_refused(tmp_path: Path, key: str, share: float) -> None:
    file = io.BytesIO()
    Image.fromarray(noise(SIZE, SIZE, 0)).save(file, key)
    (tmp_path / "x.png").write_bytes(file.getvalue()[: int(share * len(file.getvalue()))])
    with pytest.raises(InputError, match=r"^cannot be read"):
        decode.pixels(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied", "/home/me/x.png"), "Permission denied"),
        (SyntaxError("broken\nchunk"), "broken\nchunk"),
        (EOFError(), "EOFError"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_whatever_the_decoder_raises_is_a_reason_without_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(InputError) as caught:
        decode.size(tmp_path / "x.png")
    assert str(caught.value) == f"cannot be read: {reason}"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_exif_is_no_reason_to_refuse_an_image(tmp_path: Path) -> None:
    """It says that five entries follow, and none does."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"
    path = saved(tmp_path / "x.jpg", plain(RED), exif=exif)
    with pytest.warns(UserWarning, match="EXIF"):
        decode.size(path)
    with warnings.catch_warnings(record=True) as told, decode.quietly():
        assert decode.size(path) == (SIZE, SIZE)
        assert decode.pixels(path).values.shape == (SIZE, SIZE, 3)
    assert told == []
