"""What lies in a user's folder, and what is said of what is no image."""

import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers.pair_files import RED, SIZE, noise, plain, save
from PIL import Image

from pipeline.data.own import decode, survey


def only_reason(folder: Path, name: str) -> str:
    """What is said of the file `name`, when nothing else is left out."""
    found = survey.survey(folder)
    assert len(found.images) == 10
    (said,) = found.left_out
    assert said.startswith(f"{name}: ")
    assert "\n" not in said
    return said.removeprefix(f"{name}: ")


def encoded(key: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(noise(SIZE, SIZE, 0)).save(file, key)
    return file.getvalue()


def test_images_are_found_at_any_depth_in_the_order_of_their_paths_with_their_sizes(tmp_path: Path) -> None:
    for i, name in enumerate(["b.png", "B/1.png", "B/a/x.jpg", "a/2.TIF", "a.gif"]):
        save(tmp_path / name, plain(RED, 10 + i, 20 + i))
    found = survey.survey(tmp_path)
    assert found.left_out == []
    assert [(each.path.as_posix(), each.width, each.height) for each in found.images] == [
        ("a.gif", 24, 14),
        ("b.png", 20, 10),
        ("B/1.png", 21, 11),
        ("B/a/x.jpg", 22, 12),
        ("a/2.TIF", 23, 13),
    ]


@pytest.mark.parametrize("key", decode.FORMATS)
def test_an_image_cut_short_in_its_head_is_left_out(folder: Path, key: str) -> None:
    (folder / "x.png").write_bytes(encoded(key)[:7])
    assert only_reason(folder, "x.png").startswith("cannot be read")


ALLOWED = ".bmp, .gif, .jfif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp"
NO_IMAGES = [b"", b"<html>not here</html>", b"\x89PNG\r\n\x1a\n", bytes(1000), encoded("TGA"), encoded("ICO")]


@pytest.mark.parametrize("content", NO_IMAGES)
def test_what_is_no_image_of_a_known_format_inside_is_left_out_whatever_it_is_called(
    folder: Path, content: bytes
) -> None:
    (folder / "x.jpg").write_bytes(content)
    assert only_reason(folder, "x.jpg") == "cannot be read as BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP"


@pytest.mark.parametrize("name", ["drawing.svg", "x.png.part", "film.mp4", "two\nlines.txt"])
def test_files_that_are_no_images_are_named_in_one_line(folder: Path, name: str) -> None:
    (folder / name).write_bytes(encoded("PNG"))
    assert only_reason(folder, name.replace("\n", " ")) == f"not an image; allowed are {ALLOWED}"


def test_a_file_without_an_extension_is_what_it_holds(folder: Path) -> None:
    (folder / "0.png").rename(folder / "0")
    (folder / "README").write_text("mine")
    assert only_reason(folder, "README") == f"not an image; allowed are {ALLOWED}"


def test_hidden_files_and_folders_are_ignored(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"of a Mac")
    (folder / "._0.png").write_bytes(b"of a Mac")
    save(folder / ".git/10.png", noise(SIZE, 2 * SIZE, 0))
    assert survey.survey(folder).left_out == []
    assert len(survey.survey(folder).images) == 10


def test_links_to_files_are_followed_and_links_to_nothing_and_pipes_are_named(folder: Path) -> None:
    (folder / "0.png").rename(folder.parent / "elsewhere.png")
    (folder / "0.png").symlink_to(folder.parent / "elsewhere.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")
    found = survey.survey(folder)
    assert len(found.images) == 10
    assert found.left_out == [
        "gone.png: a link to nothing",
        "loop.png: a link to nothing",
        "pipe.png: not a file",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_name_that_is_not_utf_8_is_left_out_and_told_in_utf_8(folder: Path) -> None:
    (folder / "0.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    found = survey.survey(folder)
    assert len(found.images) == 9
    assert found.left_out == [r"caf\xe9.png: its name is not UTF-8"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no other encoding of names")
def test_names_are_read_as_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    """So that a data set has the same bytes everywhere, and nothing is left out for its name."""
    name = "häns/日本.png"
    save(tmp_path / name, plain(RED))
    code = f"""
import sys
from pathlib import Path
from pipeline.data.own import layouts, survey
found = survey.survey(Path({str(tmp_path)!r}))
assert sys.getfilesystemencoding() != "utf-8"
print(ascii((found.left_out, [item.key for item in layouts.images(found.images).items])))
"""
    plain_c = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | plain_c, check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == ascii(([], ["häns/日本"]))


@pytest.mark.parametrize(("height", "width", "left_out"), [(7, 8, True), (8, 7, True), (8, 8, False)])
def test_an_image_of_8_pixels_is_enough_and_one_of_7_is_not(
    tmp_path: Path, height: int, width: int, left_out: bool
) -> None:
    save(tmp_path / "x.png", plain(RED, height, width))
    expected = [f"x.png: {width} x {height} pixels: must be 8 x 8 at least"] if left_out else []
    assert survey.survey(tmp_path).left_out == expected


def test_a_decompression_bomb_is_left_out_and_a_large_photograph_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow warns of more pixels than its limit, 89 million, and raises an error at twice as many."""
    for i in range(10):
        save(folder / f"{i}.png", plain(RED, SIZE, 2 * SIZE))
    save(folder / "x.png", plain(RED, SIZE, 4 * SIZE))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2 * SIZE * SIZE - 1)
    assert only_reason(folder, "x.png").startswith(f"cannot be read: Image size ({4 * SIZE * SIZE} pixels) ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_left_out(folder: Path) -> None:
    save(folder / "x.png", plain(RED))
    (folder / "x.png").chmod(0)
    assert only_reason(folder, "x.png") == "cannot be read: Permission denied"


def test_pillows_warnings_are_not_told_and_the_filters_are_as_they_were(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many files, read by threads that take turns as often as they can."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # says that five entries follow, and none does
    for i in range(200):
        save(folder / f"{i}.jpg", plain(RED, 8, 8), exif=exif)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    interval, before = sys.getswitchinterval(), list(warnings.filters)
    sys.setswitchinterval(1e-6)
    try:
        found = survey.survey(folder)
    finally:
        sys.setswitchinterval(interval)
    assert (len(found.images), found.left_out) == (210, [])
    assert warnings.filters == before


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert survey.survey(tmp_path) == ([], [])


def test_the_head_of_a_large_image_is_all_that_is_read(tmp_path: Path) -> None:
    save(tmp_path / "x.bmp", np.zeros((600, 600, 3), np.uint8))
    content = (tmp_path / "x.bmp").read_bytes()
    (tmp_path / "x.bmp").write_bytes(content[:2000])
    assert survey.survey(tmp_path).images == [(Path("x.bmp"), 600, 600)]
