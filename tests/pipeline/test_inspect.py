"""What a user is told of a folder before anything is trained."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.commands import call
from helpers.pair_files import SIZE, in_two_folders, noise, plain, save, side_by_side
from helpers.project import ROOT
from PIL import Image
from ruamel.yaml import YAML

from stages import sections

Told = Callable[[str], list[str]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Told:
    """What is said of a folder, with options, line by line."""
    monkeypatch.chdir(tmp_path)

    def told(arguments: str) -> list[str]:
        assert call(f"inspect {arguments}", monkeypatch) == 0
        lines = capfd.readouterr().out.splitlines()
        return [line for line in lines if not line.startswith("reading ")]

    return told


def classes(folder: Path) -> Path:
    """Images in folders called cats and dogs."""
    for i in range(12):
        save(folder / ("cats" if i % 3 else "dogs") / f"{i}.png", noise(SIZE, SIZE, i))
    return folder


def pictures(folder: Path) -> Path:
    """Images that nothing is said of."""
    for i in range(12):
        save(folder / f"{i}.jpg", noise(SIZE, SIZE + 2 * i, i))
    return folder


def test_of_pairs_it_is_told_how_they_lie_and_what_is_left_out(told: Told) -> None:
    in_two_folders(Path("mine"))
    save(Path("mine/A/x.png"), plain((1, 2, 3)))
    save(Path("mine/A/0.png"), plain((1, 2, 3)))
    Path("mine/notes.txt").write_text("mine")
    assert told("mine")[: -len(ENTRIES)] == [
        "mine: 21 images, 1 files left out",
        "sizes: 16 x 16",
        "kind: pairs, as it seems",
        "  A is a, B is b",
        "  A: pictures",
        "  A: 1 of 10 are blank, of one value all over: 0",
        "  B: pictures",
        "  splits: train 6, validation 2 (at random), test 2 (at random)",
        "left out: notes.txt: not an image; allowed are"
        " .bmp, .gif, .jfif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp",
        "left out: A/x.png: no b of this name",
    ]


ENTRIES = """
In params.yaml:

datasets:
  mine: {kind: pairs, source: folder, folder: mine}
tasks:
  mine: {data: mine, condition: ab}
regressions:
  mine: {}
cgans:
  mine: {}""".splitlines()


@pytest.mark.parametrize(
    ("write", "kind", "said"),
    [
        (side_by_side, "pairs", "A|B side by side"),
        (in_two_folders, "pairs", "A is a, B is b"),
        (classes, "labelled", "2 classes: cats (8), dogs (4)"),
        (pictures, "images", "every image by itself"),
    ],
)
def test_the_kind_is_guessed_and_what_is_to_be_written_is_valid(
    write: Callable[[Path], Path], kind: str, said: str, told: Told
) -> None:
    name = "my,set#1"
    lines = told(str(write(Path(name))))
    assert f"kind: {kind}, as it seems" in lines
    assert f"  {said}" in lines
    yaml = YAML()
    added = yaml.load("\n".join(lines[lines.index("In params.yaml:") + 1 :]))
    assert added["datasets"]["mine"]["folder"] == name
    content = yaml.load((ROOT / "params.yaml").read_text())
    for section, entries in added.items():
        content[section] |= entries
    yaml.dump(content, Path("params.yaml"))
    sections.check()


def test_a_kind_that_is_said_counts_before_a_guess(told: Told) -> None:
    lines = told(f"--kind images {side_by_side(Path('mine'))}")
    assert "kind: images" in lines
    assert "  every image by itself" in lines


def test_an_entrys_own_keys_count_and_it_is_not_told_to_be_written_again(told: Told) -> None:
    pictures(Path("mine"))
    entry = "{kind: pairs, folder: mine, layout: side_by_side, b_values: picture}"
    Path("params.yaml").write_text(f"datasets: {{here: {entry}}}")
    lines = told("--name here mine")
    assert lines[2:5] == ["kind: pairs", "  A|B side by side", "  A: pictures"]
    assert "In params.yaml:" not in lines


def test_many_sizes_and_many_files_that_are_left_out_are_counted(told: Told) -> None:
    pictures(Path("mine"))
    for i in range(13):
        Path(f"mine/{i}.txt").write_text("mine")
    lines = told("mine")
    assert lines[:2] == [
        "mine: 12 images, 13 files left out",
        "sizes: 16 x 16, 18 x 16, 20 x 16, 22 x 16 and 8 more",
    ]
    assert sum(line.startswith("left out: ") for line in lines) == 11
    assert "left out: 3 more" in lines


def test_links_to_nothing_pipes_and_names_that_are_not_utf_8_are_told(told: Told) -> None:
    pictures(Path("mine"))
    Path("mine/gone.png").symlink_to("nowhere")
    os.mkfifo("mine/pipe.png")
    Path("mine/0.jpg").rename(os.fsdecode(b"mine/caf\xe9.jpg"))
    lines = told("mine")
    first = next(line for line in lines if line.startswith("to be mended before anything is trained: "))
    assert "DVC cannot read" in first
    assert [line for line in lines if line.startswith("left out: ")] == [
        r"left out: caf\xe9.jpg: its name is not UTF-8",
        "left out: gone.png: a link to nothing",
        "left out: pipe.png: not a file",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("empty", "error: no images in it\n"),
        ("texts", "error: no images in it; left out, the first: 1.txt: not an image; allowed are"),
        ("few", "error: few: examples found: 9, files left out: 0; it must hold 10 at least\n"),
        ("--kind pairs square", "error: images found: 12 in it, 1 of them 16 x 16 pixels: no pairs"),
        ("--kind pear square", "kind = 'pear': allowed are images, labelled, pairs"),
        ("--name here square", "error: params.yaml: kind = 'faces': allowed are images, labelled, pairs\n"),
        ("--name there square", "section 'datasets.there.kind' is missing; datasets has: here\n"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("datasets: {here: {kind: faces, folder: mine}}")
    Path("empty").mkdir()
    Path("texts").mkdir()
    Path("texts/1.txt").write_text("mine")
    side_by_side(Path("few"), 9)
    pictures(Path("square"))
    assert call(f"inspect {arguments}", monkeypatch) == 2
    error = capfd.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def named_alike(folder: Path) -> Path:
    """Images of the same names in folders of unknown roles."""
    for i in range(12):
        for name in ("sat", "map"):
            save(folder / name / f"{i}.png", noise(SIZE, SIZE, hash_of(name, i)))
    return folder


def hash_of(name: str, i: int) -> int:
    return 100 * len(name) + ord(name[0]) * 7 + i


def three_named_alike(folder: Path) -> Path:
    for i in range(24):
        save(folder / "abc"[i % 3] / f"{i // 3}.png", noise(SIZE, SIZE, i))
    return folder


def smooth(folder: Path) -> Path:
    """Panoramas."""
    for i in range(12):
        image = Image.fromarray(noise(4, 4, i)).resize((2 * SIZE, SIZE), Image.Resampling.BICUBIC)
        save(folder / f"{i}.png", image)
    return folder


def of_a_camera(folder: Path) -> Path:
    for i in range(24):
        save(folder / f"DCIM/{100 + i % 2}CANON/IMG_{i}.jpg", noise(SIZE, SIZE, i))
    return folder


def by_month(folder: Path) -> Path:
    for i in range(24):
        save(folder / f"{2020 + i % 2}/{1 + i % 3:02}/{i}.jpg", noise(SIZE, SIZE, i))
    return folder


@pytest.mark.parametrize(
    ("write", "kind", "doubt"),
    [
        (named_alike, "labelled", "which are the conditions, which the images? say a: map and b: sat, or"),
        (three_named_alike, "labelled", "A is a, B is b: 8 pairs"),
        (smooth, "images", "without a seam in the middle: if they are A|B, say layout: side_by_side"),
        (of_a_camera, "images", ""),
        (by_month, "images", ""),
        (classes, "labelled", ""),
    ],
)
def test_what_accounts_for_most_files_is_guessed_and_what_may_be_pairs_is_asked(
    write: Callable[[Path], Path], kind: str, doubt: str, told: Told
) -> None:
    lines = told(str(write(Path("mine"))))
    assert f"kind: {kind}, as it seems" in lines
    asked = [line for line in lines if line.startswith("or pairs? ")]
    assert len(asked) == bool(doubt)
    assert all(doubt in line for line in asked)


def test_the_sizes_of_the_splits_are_told_and_whether_folders_say_them(told: Told) -> None:
    for i in range(20):
        save(Path("mine") / ("test2017" if i < 4 else "train2017") / f"{i}.png", noise(SIZE, SIZE + 2, i))
    assert "  splits: train 14, validation 2 (at random), test 4 (its folder)" in told("mine")


def test_a_link_to_a_folder_is_told_before_no_image_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    in_two_folders(Path("elsewhere"))
    Path("mine").mkdir()
    Path("mine/A").symlink_to("../elsewhere/A")
    assert call("inspect mine", monkeypatch) == 2
    told = capfd.readouterr()
    assert "DVC sees no change behind mine/A, a link to a folder" in told.out
    assert told.err == "error: no images in it\n"


def test_what_leaves_no_training_split_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(12):
        save(Path(f"mine/{i}.png"), noise(SIZE, SIZE, 0))
    assert call("inspect mine", monkeypatch) == 2
    assert capfd.readouterr().err == "error: mine: 12 examples leave no train split; there must be more\n"


def test_nothing_is_written(told: Told, tmp_path: Path) -> None:
    classes(Path("mine"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    told("mine")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
