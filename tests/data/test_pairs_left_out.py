"""What is said of the user's images that cannot be used, and of folders that hold too few."""

import io
import warnings

import numpy as np
import pytest
from helpers.pair_files import RED, SIZE, condition_and_image, in_two_folders, noise, plain, save
from PIL import Image

from pipeline.data import pairs
from pipeline.runtime.errors import InputError


def refusal(folder):
    with pytest.raises(InputError) as caught:
        pairs.load(folder, SIZE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def encoded(pixels, key, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, key, **options)
    return file.getvalue()


def only_reason(folder, name):
    """What is said of the file `name`, when nothing else is left out."""
    found = pairs.load(folder, SIZE)
    assert found.names == [str(i) for i in range(10)]
    (said,) = found.left_out
    assert said.startswith(f"{name}: ")
    return said.removeprefix(f"{name}: ")


@pytest.mark.parametrize("key", pairs.FORMATS)
@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_truncated_image_is_left_out(folder, key, share):
    content = encoded(noise(SIZE, 2 * SIZE, 0), key)
    (folder / "x.png").write_bytes(content[: int(share * len(content))])
    assert only_reason(folder, "x.png").startswith("cannot be read")


NO_IMAGES = [b"", b"<html>not here</html>", b"\x89PNG\r\n\x1a\n", bytes(1000)]


@pytest.mark.parametrize("content", [*NO_IMAGES, encoded(noise(SIZE, 2 * SIZE, 0), "PPM")])
def test_what_is_no_image_of_a_known_format_inside_is_left_out_whatever_it_is_called(folder, content):
    (folder / "x.jpg").write_bytes(content)
    assert only_reason(folder, "x.jpg") == "cannot be read as BMP, GIF, JPEG, PNG, TIFF, WEBP"


def test_an_odd_width_is_left_out_and_is_right_in_two_folders(folder, tmp_path_factory):
    save(folder / "x.png", plain(RED, 20, 33))
    assert only_reason(folder, "x.png") == "33 pixels wide: must be even, to hold A|B side by side"
    two = in_two_folders(tmp_path_factory.mktemp("two"))
    save(two / "A/3.png", plain(RED, 20, 33))
    assert np.array_equal(condition_and_image(two, "3")[0], plain(RED))


@pytest.mark.parametrize(("height", "width"), [(7, 40), (40, 14)])
def test_a_half_of_fewer_than_8_pixels_is_left_out(folder, height, width):
    save(folder / "x.png", plain(RED, height, width))
    expected = f"each half {width // 2} x {height} pixels: must be 8 x 8 at least"
    assert only_reason(folder, "x.png") == expected


def test_an_image_of_8_pixels_is_enough_and_one_of_7_is_not(two):
    save(two / "A/3.png", plain(RED, 8, 8))
    assert pairs.load(two, SIZE).left_out == []
    save(two / "A/10.png", plain(RED, 8, 8))
    save(two / "B/10.png", plain(RED, 8, 7))
    found = pairs.load(two, SIZE)
    assert len(found.names) == 10
    assert found.left_out[0] == "B/10.png: 7 x 8 pixels: must be 8 x 8 at least"


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


def test_a_damaged_exif_is_no_reason_to_leave_out_an_image_and_warnings_are_as_they_were(folder):
    """It says that five entries follow, and none does; of that Pillow warns, and warnings are errors here."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"
    save(folder / "x.jpg", plain(RED, SIZE, 2 * SIZE), exif=exif)
    with pytest.warns(UserWarning, match="EXIF"), Image.open(folder / "x.jpg") as opened:
        opened.getexif()
    before = list(warnings.filters)
    found = pairs.load(folder, SIZE)
    assert (len(found.names), found.left_out) == (11, [])
    assert warnings.filters == before


def test_pixels_of_a_range_that_nobody_knows_are_left_out(folder):
    save(folder / "x.tif", Image.fromarray(np.full((SIZE, 2 * SIZE), 0.5, np.float32)))
    expected = "cannot be read: pixels of Pillow's mode F; 8 or 16 bits a channel are allowed"
    assert only_reason(folder, "x.tif") == expected


@pytest.mark.parametrize("name", ["README", "drawing.svg", "x.png.part", "film.mp4", "two\nlines.txt"])
def test_files_that_are_no_images_are_named_in_one_line(folder, name):
    (folder / name).write_bytes(encoded(noise(SIZE, 2 * SIZE, 0), "PNG"))
    expected = "not an image; allowed are .bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp"
    assert only_reason(folder, name.replace("\n", " ")) == expected


def test_hidden_files_are_ignored(folder):
    (folder / ".DS_Store").write_bytes(b"of a Mac")
    (folder / "._0.png").write_bytes(b"of a Mac")
    (folder / ".git").mkdir()
    assert pairs.load(folder, SIZE).left_out == []


def test_of_two_images_of_one_name_the_second_is_left_out_and_a_text_is_none(folder):
    save(folder / "3.tif", plain(RED, SIZE, 2 * SIZE))
    save(folder / "3.bmp", plain(RED, SIZE, 2 * SIZE))
    (folder / "3.txt").write_text("a caption")
    *same, text = pairs.load(folder, SIZE).left_out
    assert same == ["3.png: 3.bmp has the same name", "3.tif: 3.bmp has the same name"]
    assert text.startswith("3.txt: not an image")
    assert np.array_equal(condition_and_image(folder, "3")[0], plain(RED))


def test_an_image_without_a_partner_is_left_out_on_either_side(two):
    save(two / "A/only.png", noise(SIZE, SIZE, 0))
    save(two / "B/alone.jpg", noise(SIZE, SIZE, 0))
    found = pairs.load(two, SIZE)
    assert found.names == [str(i) for i in range(10)]
    assert found.left_out == [
        "A/only.png: B holds no image of this name that can be used",
        "B/alone.jpg: A holds no image of this name that can be used",
    ]


def test_a_damaged_partner_is_named_before_the_image_that_it_leaves_alone(two):
    save(two / "A/x.png", noise(SIZE, SIZE, 0))
    (two / "B/x.png").write_bytes(b"no image")
    assert pairs.load(two, SIZE).left_out == [
        "B/x.png: cannot be read as BMP, GIF, JPEG, PNG, TIFF, WEBP",
        "A/x.png: B holds no image of this name that can be used",
    ]


# Too little.

CONTENTS = (
    "it must hold 10 images at least that show A|B side by side (A the condition, B the image),"
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


@pytest.mark.parametrize("name", ["nowhere", "0.png"])
def test_what_is_no_folder_is_refused_with_what_it_must_hold(folder, name):
    assert refusal(folder / name) == f"drawings.folder = {str(folder / name)!r}: not a folder; {CONTENTS}"
