"""The user's images: pairs found, read, made one size."""

import numpy as np
import pytest
from helpers.pair_files import BLUE, GREEN, RED, SIZE, WHITE, beside, condition_and_image, noise, plain, save
from PIL import Image

from pipeline.data import pairs


def channels_first(pixels):
    return pixels.transpose(2, 0, 1)


# The two layouts.


def test_the_left_half_is_the_condition_and_the_right_half_the_image(folder):
    found = pairs.load(folder, SIZE)
    assert found.names == [str(i) for i in range(10)]
    assert found.left_out == []
    assert found.conditions.dtype == found.images.dtype == np.uint8
    for i in range(10):
        pixels = noise(SIZE, 2 * SIZE, i)
        assert np.array_equal(found.conditions[i], channels_first(pixels[:, :SIZE]))
        assert np.array_equal(found.images[i], channels_first(pixels[:, SIZE:]))


def test_two_folders_give_what_the_same_images_side_by_side_give(two, tmp_path_factory):
    joined = tmp_path_factory.mktemp("joined")
    for i in range(10):
        save(joined / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    one, other = pairs.load(joined, SIZE), pairs.load(two, SIZE)
    assert np.array_equal(one.conditions, other.conditions)
    assert np.array_equal(one.images, other.images)
    assert one.names == other.names
    assert other.left_out == []


def test_two_folders_count_before_what_lies_beside_them_and_that_is_named(two):
    save(two / "10.png", noise(SIZE, 2 * SIZE, 10))
    (two / "C").mkdir()
    (two / ".hidden").mkdir()
    found = pairs.load(two, SIZE)
    assert found.names == [str(i) for i in range(10)]
    assert found.left_out == ["10.png: in neither A nor B", "C: in neither A nor B"]


def test_one_folder_of_the_two_makes_no_pairs_by_itself(folder):
    save(folder / "A" / "x.png", noise(SIZE, SIZE, 0))
    found = pairs.load(folder, SIZE)
    assert len(found.names) == 10
    assert found.left_out == ["A: not a file"]


def test_partners_may_differ_in_size_and_kind_of_file(two):
    (two / "B/3.png").unlink()
    save(two / "B/3.BMP", plain(RED, 50, 21))
    condition, image = condition_and_image(two, "3")
    assert np.array_equal(condition, noise(SIZE, 2 * SIZE, 3)[:, :SIZE])
    assert np.array_equal(image, plain(RED))


def test_pairs_come_in_the_order_of_their_names_whatever_that_of_their_files(folder):
    for i in range(10):
        (folder / f"{i}.png").rename(folder / f"name{i}")
    for i, name in enumerate(["b", "B", "a-1", "a", "10", "9", "é", "a.b", "_", "z"]):
        (folder / f"name{i}").rename(folder / f"{name}.png")
    found = pairs.load(folder, SIZE)
    assert found.names == ["10", "9", "B", "_", "a", "a-1", "a.b", "b", "z", "é"]
    for name, seed in (("10", 4), ("é", 6), ("a.b", 7), ("b", 0)):
        expected = channels_first(noise(SIZE, 2 * SIZE, seed)[:, :SIZE])
        assert np.array_equal(found.conditions[found.names.index(name)], expected)


# Images of all kinds.


@pytest.mark.parametrize(
    ("name", "options"),
    [(f"x.{extension}", {}) for extension in ("png", "PNG", "bmp", "tif")]
    + [("x.tiff", {"compression": "tiff_lzw"}), ("x.webp", {"lossless": True}), ("x.jpg", {"format": "PNG"})],
)
def test_files_that_keep_every_pixel_give_every_pixel(folder, name, options):
    pixels = noise(SIZE, 2 * SIZE, 99)
    save(folder / name, pixels, **options)
    assert np.array_equal(beside(*condition_and_image(folder, "x")), pixels)


@pytest.mark.parametrize("name", ["x.jpg", "x.jpeg", "x.webp", "x.gif"])
def test_files_that_do_not_keep_every_pixel_give_nearly_the_colours(folder, name):
    save(folder / name, beside(plain((30, 160, 90)), plain((200, 60, 20))))
    condition, image = condition_and_image(folder, "x")
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(condition[inner] - np.array([30.0, 160, 90])).max() <= 6
    assert np.abs(image[inner] - np.array([200.0, 60, 20])).max() <= 6


def test_grey_becomes_equal_red_green_and_blue_and_black_and_white_0_and_255(folder):
    grey = noise(SIZE, 2 * SIZE, 5, channels=1)[..., 0]
    save(folder / "x.png", grey)
    save(folder / "y.png", grey > 127)
    for name, expected in (("x", grey), ("y", np.where(grey > 127, 255, 0))):
        found = beside(*condition_and_image(folder, name))
        assert np.array_equal(found, expected[..., None].repeat(3, axis=2))


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_grey_of_16_bits_is_rounded_to_8_and_not_cut_off(folder, name):
    levels = np.array([0, 128, 129, 255, 257, 32767, 32768, 65535], np.uint16)
    expected = [0, 0, 1, 1, 1, 127, 128, 255]  # level / 257: 0, 0.498, 0.502, 0.99, 1, 127.498, 127.502, 255
    save(folder / name, np.tile(levels, (SIZE, 2 * SIZE // 8)))
    found = beside(*condition_and_image(folder, "x"))
    assert np.array_equal(found[3, :, 1], np.tile(expected, 2 * SIZE // 8))


def test_what_is_transparent_is_seen_on_white(folder):
    """Opacity 0, 51, 204 and 255 of red over white: green and blue are 255 (1 - opacity / 255)."""
    pixels = np.empty((SIZE, 2 * SIZE, 4), np.uint8)
    pixels[..., :3] = RED
    pixels[..., 3] = np.tile([0, 51, 204, 255], SIZE // 2)
    save(folder / "x.png", pixels)
    found = beside(*condition_and_image(folder, "x"))
    assert np.array_equal(found[0, :4], [(255, 255, 255), (255, 204, 204), (255, 51, 51), (255, 0, 0)])


def test_a_palette_is_looked_up_and_a_transparent_colour_of_it_or_of_grey_is_white(folder):
    numbers = np.tile(np.array([0, 1], np.uint8), (SIZE, SIZE))
    image = Image.fromarray(numbers).convert("P")
    image.putpalette(bytes([10, 20, 30, 40, 50, 60]))
    image.putdata(numbers.ravel().tolist())
    save(folder / "x.png", image, transparency=0)
    save(folder / "y.gif", image, transparency=0)
    save(folder / "z.png", numbers * 70, transparency=0)
    for name, second in (("x", (40, 50, 60)), ("y", (40, 50, 60)), ("z", (70, 70, 70))):
        condition, image = condition_and_image(folder, name)
        assert np.array_equal(condition[0, :2], [WHITE, second])
        assert np.array_equal(image[-1, -2:], [WHITE, second])


@pytest.mark.parametrize(("name", "key"), [("x.gif", "GIF"), ("x.tif", "TIFF"), ("x.png", "PNG")])
def test_of_several_frames_the_first_is_taken(folder, name, key):
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
def test_an_image_is_turned_upright_before_it_is_cut(folder, orientation, extension):
    pixels = noise(SIZE, 2 * SIZE, 7)
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(folder / f"x.{extension}", np.ascontiguousarray(UPRIGHT[orientation](pixels)), exif=exif)
    assert np.array_equal(beside(*condition_and_image(folder, "x")), pixels)


# One size.


@pytest.mark.parametrize(("height", "width"), [(8, 40), (15, 17), (200, 90)])
def test_flat_colours_stay_exact_at_any_size_and_do_not_reach_over_the_border(folder, height, width):
    left, right = (250, 3, 128), (0, 255, 17)
    save(folder / "x.png", beside(plain(left, height, width), plain(right, height, width)))
    condition, image = condition_and_image(folder, "x")
    assert np.array_equal(condition, plain(left))
    assert np.array_equal(image, plain(right))


def test_reducing_averages_over_the_pixels_rather_than_picking_some(folder):
    """One black line in eight, of one pixel: all reduced rows mix it with the rest alike."""
    striped = plain(WHITE, 8 * SIZE, 8 * SIZE)
    striped[3::8] = 0
    save(folder / "x.png", beside(striped, striped.transpose(1, 0, 2)))
    condition, image = condition_and_image(folder, "x")
    assert condition.mean() == pytest.approx(255 * 7 / 8, abs=1)
    assert np.ptp(condition[2:-2]) <= 1
    assert np.array_equal(image, condition.transpose(1, 0, 2))


def test_an_image_that_is_not_square_is_stretched_to_a_square(folder):
    """The upper half red, the lower green, whatever the shape; Lanczos blurs near their border alone."""
    tall = plain(GREEN, 80, 40)
    tall[:40] = RED
    save(folder / "x.png", beside(tall, plain(BLUE, 80, 40)))
    condition, _ = condition_and_image(folder, "x")
    assert np.array_equal(condition[: SIZE // 2 - 3], plain(RED)[: SIZE // 2 - 3])
    assert np.array_equal(condition[SIZE // 2 + 3 :], plain(GREEN)[SIZE // 2 + 3 :])
    assert np.array_equal(condition, condition[:, :1].repeat(SIZE, axis=1))


def test_all_images_have_the_size_asked_for(folder):
    found = pairs.load(folder, 24)
    assert found.conditions.shape == found.images.shape == (10, 3, 24, 24)
