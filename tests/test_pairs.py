"""The user's images: pairs found, read, made one size; and what is said of those that cannot be used."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from pipeline import pairs
from pipeline.errors import InputError

SIZE = 16
WHITE, RED, GREEN, BLUE = (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)


def noise(height, width, seed, channels=3):
    """An image that shows at each pixel where it is moved or mirrored."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def plain(colour, height=SIZE, width=SIZE):
    return np.full((height, width, 3), colour, np.uint8)


def beside(a, b):
    return np.concatenate([a, b], axis=1)


def channels_first(pixels):
    return pixels.transpose(2, 0, 1)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Ten good pairs side by side, 0.png to 9.png."""
    for i in range(10):
        save(tmp_path / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    return tmp_path


@pytest.fixture
def two(tmp_path):
    """The same in two folders."""
    for i in range(10):
        pixels = noise(SIZE, 2 * SIZE, i)
        save(tmp_path / "A" / f"{i}.png", pixels[:, :SIZE])
        save(tmp_path / "B" / f"{i}.png", pixels[:, SIZE:])
    return tmp_path


def refusal(folder):
    with pytest.raises(InputError) as caught:
        pairs.load(folder, SIZE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def given_and_picture(folder, name, size=SIZE):
    """A pair's halves as (S, S, 3)."""
    found = pairs.load(folder, size)
    row = found.names.index(name)
    return found.given[row].transpose(1, 2, 0), found.pictures[row].transpose(1, 2, 0)


# The two layouts.


def test_the_left_half_is_given_and_the_right_half_is_the_picture(folder):
    found = pairs.load(folder, SIZE)
    assert found.names == [str(i) for i in range(10)]
    assert found.rejected == []
    assert found.given.dtype == found.pictures.dtype == np.uint8
    for i in range(10):
        pixels = noise(SIZE, 2 * SIZE, i)
        assert np.array_equal(found.given[i], channels_first(pixels[:, :SIZE]))
        assert np.array_equal(found.pictures[i], channels_first(pixels[:, SIZE:]))


def test_two_folders_give_what_the_same_images_side_by_side_give(two, tmp_path_factory):
    joined = tmp_path_factory.mktemp("joined")
    for i in range(10):
        save(joined / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    one, other = pairs.load(joined, SIZE), pairs.load(two, SIZE)
    assert np.array_equal(one.given, other.given)
    assert np.array_equal(one.pictures, other.pictures)
    assert one.names == other.names
    assert other.rejected == []


def test_two_folders_count_before_what_lies_beside_them_and_that_is_named(two):
    save(two / "10.png", noise(SIZE, 2 * SIZE, 10))
    (two / "C").mkdir()
    (two / ".hidden").mkdir()
    found = pairs.load(two, SIZE)
    assert found.names == [str(i) for i in range(10)]
    assert found.rejected == ["10.png: in neither A nor B", "C: in neither A nor B"]


def test_one_folder_of_the_two_makes_no_pairs_by_itself(folder):
    save(folder / "A" / "x.png", noise(SIZE, SIZE, 0))
    found = pairs.load(folder, SIZE)
    assert len(found.names) == 10
    assert found.rejected == ["A: not a file"]


def test_partners_may_differ_in_size_and_kind_of_file(two):
    (two / "B/3.png").unlink()
    save(two / "B/3.BMP", plain(RED, 50, 21))
    given, picture = given_and_picture(two, "3")
    assert np.array_equal(given, noise(SIZE, 2 * SIZE, 3)[:, :SIZE])
    assert np.array_equal(picture, plain(RED))


def test_pairs_come_in_the_order_of_their_names_whatever_that_of_their_files(folder):
    for i in range(10):
        (folder / f"{i}.png").rename(folder / f"name{i}")
    for i, name in enumerate(["b", "B", "a-1", "a", "10", "9", "é", "a.b", "_", "z"]):
        (folder / f"name{i}").rename(folder / f"{name}.png")
    found = pairs.load(folder, SIZE)
    assert found.names == ["10", "9", "B", "_", "a", "a-1", "a.b", "b", "z", "é"]
    for name, seed in (("10", 4), ("é", 6), ("a.b", 7), ("b", 0)):
        expected = channels_first(noise(SIZE, 2 * SIZE, seed)[:, :SIZE])
        assert np.array_equal(found.given[found.names.index(name)], expected)


# Images of all kinds.


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.png", {}),
        ("x.PNG", {}),
        ("x.bmp", {}),
        ("x.tif", {}),
        ("x.tiff", {"compression": "tiff_lzw"}),
        ("x.webp", {"lossless": True}),
        ("x.jpg", {"format": "PNG"}),
    ],
)
def test_files_that_keep_every_pixel_give_every_pixel(folder, name, options):
    pixels = noise(SIZE, 2 * SIZE, 99)
    save(folder / name, pixels, **options)
    assert np.array_equal(beside(*given_and_picture(folder, "x")), pixels)


@pytest.mark.parametrize("name", ["x.jpg", "x.jpeg", "x.webp", "x.gif"])
def test_files_that_do_not_keep_every_pixel_give_nearly_the_colours(folder, name):
    save(folder / name, beside(plain((30, 160, 90)), plain((200, 60, 20))))
    given, picture = given_and_picture(folder, "x")
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(given[inner] - np.array([30.0, 160, 90])).max() <= 6
    assert np.abs(picture[inner] - np.array([200.0, 60, 20])).max() <= 6


def test_grey_becomes_equal_red_green_and_blue(folder):
    pixels = noise(SIZE, 2 * SIZE, 5, channels=1)
    save(folder / "x.png", pixels[..., 0])
    assert np.array_equal(beside(*given_and_picture(folder, "x")), pixels.repeat(3, axis=2))


def test_black_and_white_becomes_0_and_255(folder):
    bits = noise(SIZE, 2 * SIZE, 5, channels=1)[..., 0] > 127
    save(folder / "x.png", bits)
    found = beside(*given_and_picture(folder, "x"))
    assert np.array_equal(found, np.where(bits, 255, 0)[..., None].repeat(3, axis=2))


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_grey_of_16_bits_is_rounded_to_8_and_not_cut_off(folder, name):
    levels = np.array([0, 128, 129, 255, 257, 32767, 32768, 65535], np.uint16)
    expected = [0, 0, 1, 1, 1, 127, 128, 255]  # level / 257: 0, 0.498, 0.502, 0.99, 1, 127.498, 127.502, 255
    save(folder / name, np.tile(levels, (SIZE, 2 * SIZE // 8)))
    found = beside(*given_and_picture(folder, "x"))
    assert np.array_equal(found[3, :, 1], np.tile(expected, 2 * SIZE // 8))


def test_a_palette_is_looked_up(folder):
    colours = np.array([[9, 8, 7], [200, 100, 0], [0, 40, 255]], np.uint8)
    numbers = noise(SIZE, 2 * SIZE, 5, channels=1)[..., 0] % 3
    image = Image.fromarray(numbers).convert("P")
    image.putpalette(colours.tobytes())
    image.putdata(numbers.ravel().tolist())
    save(folder / "x.png", image)
    assert np.array_equal(beside(*given_and_picture(folder, "x")), colours[numbers])


def test_what_is_transparent_is_seen_on_white(folder):
    """Opacity 0, 51, 204 and 255 of red over white: green and blue are 255 (1 - opacity / 255)."""
    pixels = np.empty((SIZE, 2 * SIZE, 4), np.uint8)
    pixels[..., :3] = RED
    pixels[..., 3] = np.tile([0, 51, 204, 255], SIZE // 2)
    save(folder / "x.png", pixels)
    found = beside(*given_and_picture(folder, "x"))
    assert np.array_equal(found[0, :4], [(255, 255, 255), (255, 204, 204), (255, 51, 51), (255, 0, 0)])


def test_a_transparent_colour_of_a_palette_or_of_grey_is_white(folder):
    numbers = np.tile(np.array([0, 1], np.uint8), (SIZE, SIZE))
    image = Image.fromarray(numbers).convert("P")
    image.putpalette(bytes([10, 20, 30, 40, 50, 60]))
    image.putdata(numbers.ravel().tolist())
    save(folder / "x.png", image, transparency=0)
    save(folder / "y.gif", image, transparency=0)
    save(folder / "z.png", numbers * 70, transparency=0)
    for name, second in (("x", (40, 50, 60)), ("y", (40, 50, 60)), ("z", (70, 70, 70))):
        given, picture = given_and_picture(folder, name)
        assert np.array_equal(given[0, :2], [WHITE, second])
        assert np.array_equal(picture[-1, -2:], [WHITE, second])


@pytest.mark.parametrize(("name", "key"), [("x.gif", "GIF"), ("x.tif", "TIFF"), ("x.png", "PNG")])
def test_of_several_frames_the_first_is_taken(folder, name, key):
    first, second = (Image.fromarray(beside(plain(a), plain(b))) for a, b in ((RED, BLUE), (GREEN, GREEN)))
    save(folder / name, first, format=key, save_all=True, append_images=[second])
    given, picture = given_and_picture(folder, "x")
    assert np.array_equal(given, plain(RED))
    assert np.array_equal(picture, plain(BLUE))


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
    assert np.array_equal(beside(*given_and_picture(folder, "x")), pixels)


# One size.


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 40), (64, 16), (15, 17), (200, 90)])
def test_flat_colours_stay_exact_at_any_size_and_do_not_reach_over_the_border(folder, height, width):
    left, right = (250, 3, 128), (0, 255, 17)
    save(folder / "x.png", beside(plain(left, height, width), plain(right, height, width)))
    given, picture = given_and_picture(folder, "x")
    assert np.array_equal(given, plain(left))
    assert np.array_equal(picture, plain(right))


def test_reducing_averages_over_the_pixels_rather_than_picking_some(folder):
    """One black line in eight, of one pixel: all reduced rows mix it with the rest alike."""
    striped = plain(WHITE, 8 * SIZE, 8 * SIZE)
    striped[3::8] = 0
    save(folder / "x.png", beside(striped, striped.transpose(1, 0, 2)))
    given, picture = given_and_picture(folder, "x")
    assert given.mean() == pytest.approx(255 * 7 / 8, abs=1)
    assert np.ptp(given[2:-2]) <= 1
    assert np.array_equal(picture, given.transpose(1, 0, 2))


def test_an_image_that_is_not_square_is_stretched_to_a_square(folder):
    """The upper half red, the lower green, whatever the shape; Lanczos blurs near their border alone."""
    tall = plain(GREEN, 80, 40)
    tall[:40] = RED
    save(folder / "x.png", beside(tall, plain(BLUE, 80, 40)))
    given, _ = given_and_picture(folder, "x")
    assert np.array_equal(given[: SIZE // 2 - 3], plain(RED)[: SIZE // 2 - 3])
    assert np.array_equal(given[SIZE // 2 + 3 :], plain(GREEN)[SIZE // 2 + 3 :])
    assert np.array_equal(given, given[:, :1].repeat(SIZE, axis=1))


@pytest.mark.parametrize("size", [8, 24])
def test_all_images_have_the_size_asked_for(folder, size):
    found = pairs.load(folder, size)
    assert found.given.shape == found.pictures.shape == (10, 3, size, size)


def test_the_same_files_give_the_same_bytes_again(folder):
    save(folder / "x.jpg", noise(70, 90, 3))
    one, other = pairs.load(folder, SIZE), pairs.load(folder, SIZE)
    assert one.names == other.names
    assert one.given.tobytes() == other.given.tobytes()
    assert one.pictures.tobytes() == other.pictures.tobytes()


# What is left out.


def encoded(pixels, key, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, key, **options)
    return file.getvalue()


def only_reason(folder, name):
    """What is said of the file `name`, when nothing else is left out."""
    found = pairs.load(folder, SIZE)
    assert found.names == [str(i) for i in range(10)]
    (said,) = found.rejected
    assert said.startswith(f"{name}: ")
    return said.removeprefix(f"{name}: ")


@pytest.mark.parametrize("key", pairs.FORMATS)
@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_truncated_image_is_left_out(folder, key, share):
    content = encoded(noise(SIZE, 2 * SIZE, 0), key)
    (folder / "x.png").write_bytes(content[: int(share * len(content))])
    assert only_reason(folder, "x.png").startswith("cannot be read")


@pytest.mark.parametrize("content", [b"", b"x", b"<html>not here</html>", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_is_no_image_inside_is_left_out(folder, content):
    (folder / "x.jpg").write_bytes(content)
    assert only_reason(folder, "x.jpg") == "cannot be read as BMP, GIF, JPEG, PNG, TIFF, WEBP"


def test_an_image_of_another_format_is_left_out_whatever_it_is_called(folder):
    (folder / "x.png").write_bytes(encoded(noise(SIZE, 2 * SIZE, 0), "PPM"))
    assert only_reason(folder, "x.png") == "cannot be read as BMP, GIF, JPEG, PNG, TIFF, WEBP"


def test_what_is_said_of_damage_does_not_name_a_place_on_this_machine(folder):
    (folder / "x.png").write_bytes(encoded(noise(SIZE, 2 * SIZE, 0), "PNG")[:300])
    (folder / "y.png").write_bytes(b"no image")
    (folder / "z.png").symlink_to(folder / "nowhere")
    said = pairs.load(folder, SIZE).rejected
    assert [line.partition(":")[0] for line in said] == ["x.png", "y.png", "z.png"]
    assert not [line for line in said if str(folder) in line or "0x" in line]


def test_an_odd_width_is_left_out(folder):
    save(folder / "x.png", plain(RED, 20, 33))
    assert only_reason(folder, "x.png") == "33 pixels wide: must be even, to hold A|B side by side"


def test_an_odd_width_is_right_in_two_folders(two):
    save(two / "A/3.png", plain(RED, 20, 33))
    assert np.array_equal(given_and_picture(two, "3")[0], plain(RED))


@pytest.mark.parametrize(("height", "width"), [(7, 40), (40, 14), (1, 2)])
def test_a_half_of_fewer_than_8_pixels_is_left_out(folder, height, width):
    save(folder / "x.png", plain(RED, height, width))
    expected = f"each half {width // 2} x {height} pixels: must be 8 x 8 at least"
    assert only_reason(folder, "x.png") == expected


def test_an_image_of_8_pixels_is_enough_and_one_of_7_is_not(two):
    save(two / "A/3.png", plain(RED, 8, 8))
    assert pairs.load(two, SIZE).rejected == []
    save(two / "A/10.png", plain(RED, 8, 8))
    save(two / "B/10.png", plain(RED, 8, 7))
    found = pairs.load(two, SIZE)
    assert len(found.names) == 10
    assert found.rejected[0] == "B/10.png: 7 x 8 pixels: must be 8 x 8 at least"


@pytest.mark.parametrize("limit", [2 * SIZE * SIZE - 1, SIZE * SIZE - 1])
def test_a_decompression_bomb_is_left_out_from_pillows_warning_on(folder, monkeypatch, limit):
    """Pillow warns of more pixels than its limit and raises an error at twice as many."""
    for i in range(10):
        save(folder / f"{i}.png", plain(RED, 8, 16))
    save(folder / "x.png", plain(RED, SIZE, 2 * SIZE))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    expected = f"cannot be read: Image size ({2 * SIZE * SIZE} pixels) exceeds limit of "
    assert only_reason(folder, "x.png").startswith(expected)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied", "/home/me/x.png"), "Permission denied"),
        (SyntaxError("broken\nchunk"), "broken chunk"),
        (EOFError(), "EOFError"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_whatever_the_decoder_raises_is_told_in_one_line_without_a_path(folder, monkeypatch, error, reason):
    def fail(path, formats):
        if path.name == "x.png":
            raise error
        return opens(path, formats=formats)

    opens = Image.open
    save(folder / "x.png", plain(RED, SIZE, 2 * SIZE))
    monkeypatch.setattr(Image, "open", fail)
    assert only_reason(folder, "x.png") == f"cannot be read: {reason}"


def test_a_damaged_exif_is_no_reason_to_leave_out_an_image_that_can_be_read(folder):
    """It says that five entries follow, and none does; of that Pillow warns, and warnings are errors here."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"
    save(folder / "x.jpg", plain(RED, SIZE, 2 * SIZE), exif=exif)
    with pytest.warns(UserWarning, match="EXIF"), Image.open(folder / "x.jpg") as opened:
        opened.getexif()
    found = pairs.load(folder, SIZE)
    assert (len(found.names), found.rejected) == (11, [])


def test_the_callers_warnings_are_as_they_were(folder):
    before = list(warnings.filters)
    pairs.load(folder, SIZE)
    assert warnings.filters == before


def test_pixels_of_a_range_that_nobody_knows_are_left_out(folder):
    save(folder / "x.tif", Image.fromarray(np.full((SIZE, 2 * SIZE), 0.5, np.float32)))
    expected = "cannot be read: pixels of Pillow's mode F; 8 or 16 bits a channel are allowed"
    assert only_reason(folder, "x.tif") == expected


@pytest.mark.parametrize(
    "name", ["notes.txt", "README", "Thumbs.db", "drawing.svg", "x.png.part", "film.mp4"]
)
def test_files_that_are_no_images_are_named(folder, name):
    (folder / name).write_bytes(encoded(noise(SIZE, 2 * SIZE, 0), "PNG"))
    expected = "not an image; allowed are .bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp"
    assert only_reason(folder, name) == expected


def test_hidden_files_are_ignored(folder):
    (folder / ".DS_Store").write_bytes(b"of a Mac")
    (folder / "._0.png").write_bytes(b"of a Mac")
    (folder / ".git").mkdir()
    assert pairs.load(folder, SIZE).rejected == []


def test_of_two_files_of_one_name_the_second_is_left_out(folder):
    save(folder / "3.tif", plain(RED, SIZE, 2 * SIZE))
    save(folder / "3.bmp", plain(RED, SIZE, 2 * SIZE))
    found = pairs.load(folder, SIZE)
    assert found.rejected == ["3.png: 3.bmp has the same name", "3.tif: 3.bmp has the same name"]
    assert np.array_equal(given_and_picture(folder, "3")[0], plain(RED))


def test_a_text_beside_an_image_of_its_name_is_no_second_image(folder):
    (folder / "3.txt").write_text("a caption")
    assert only_reason(folder, "3.txt").startswith("not an image")


def test_an_image_without_a_partner_is_left_out_on_either_side(two):
    save(two / "A/only.png", noise(SIZE, SIZE, 0))
    save(two / "B/alone.jpg", noise(SIZE, SIZE, 0))
    found = pairs.load(two, SIZE)
    assert found.names == [str(i) for i in range(10)]
    assert found.rejected == [
        "A/only.png: B holds no image of this name that can be used",
        "B/alone.jpg: A holds no image of this name that can be used",
    ]


def test_a_damaged_partner_is_named_before_the_image_that_it_leaves_alone(two):
    save(two / "A/x.png", noise(SIZE, SIZE, 0))
    (two / "B/x.png").write_bytes(b"no image")
    assert pairs.load(two, SIZE).rejected == [
        "B/x.png: cannot be read as BMP, GIF, JPEG, PNG, TIFF, WEBP",
        "A/x.png: B holds no image of this name that can be used",
    ]


def test_a_name_of_several_lines_is_told_in_one(folder):
    (folder / "two\nlines.txt").write_text("text")
    assert only_reason(folder, "two lines.txt").startswith("not an image")


# Too little.

CONTENTS = (
    "it must hold 10 images at least that show A|B side by side (A is given, B the picture),"
    " or folders A and B with images of equal names"
)


def test_ten_pairs_are_enough_and_nine_are_refused_with_the_counts_and_the_first_reason(folder):
    assert len(pairs.load(folder, SIZE).names) == pairs.MIN_PAIRS == 10
    save(folder / "4.png", plain(RED, 20, 33))
    (folder / "notes.txt").write_text("mine")
    reason = "4.png: 33 pixels wide: must be even, to hold A|B side by side"
    counts = f"pairs found: 9, files left out: 2 (the first: {reason})"
    assert refusal(folder) == f"drawings.folder = {str(folder)!r}: {counts}; {CONTENTS}"


def test_an_empty_folder_is_refused_with_what_it_must_hold(tmp_path):
    expected = f"drawings.folder = {str(tmp_path)!r}: pairs found: 0, files left out: 0; {CONTENTS}"
    assert refusal(tmp_path) == expected


def test_two_folders_of_which_one_is_empty_are_refused(two):
    for path in (two / "B").iterdir():
        path.unlink()
    reason = "A/0.png: B holds no image of this name that can be used"
    assert f"pairs found: 0, files left out: 10 (the first: {reason}); " in refusal(two)


def test_folders_for_training_and_testing_are_not_searched_but_named(folder):
    (folder / "train").mkdir()
    for path in list(folder.glob("*.png")):
        path.rename(folder / "train" / path.name)
    assert "pairs found: 0, files left out: 1 (the first: train: not a file); " in refusal(folder)


@pytest.mark.parametrize("name", ["nowhere", "0.png"])
def test_what_is_no_folder_is_refused_with_what_it_must_hold(folder, name):
    assert refusal(folder / name) == f"drawings.folder = {str(folder / name)!r}: not a folder; {CONTENTS}"
