"""An archive from a URL: whole or in parts, checked, and unpacked below its folder or not at all."""

import bz2
import hashlib
import io
import re
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from helpers.pair_files import by_name, side_by_side

from pipeline.data.download import archives
from pipeline.data.sets import pairs
from pipeline.runtime.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # urllib's, after an error
    pytest.mark.usefixtures("no_sockets_left"),
]
FILES = {"a/1.png": b"one", "a/b/2.png": b"two" * 999, "3.png": b""}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w", **more: tarfile.TarInfo) -> bytes:
    """A tar archive of these files, and of members that are none, by name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for member in more.values():
            archive.addfile(member)
    return packed.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Server:
    """What is served at every path; how much of it, before the connection ends, and whether in ranges."""

    def __init__(self, port: int) -> None:
        self.url, self.content = f"http://127.0.0.1:{port}/set.zip", b""
        self.ranges, self.most = True, 10**9
        self.asked: list[str | None] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        start = int(re.findall(r"\d+", asked)[0]) if asked and self.ranges else 0
        if start >= len(self.content):
            handler.send_response(416)
            handler.end_headers()
            return
        handler.send_response(206 if asked and self.ranges else 200)
        handler.send_header("Content-Length", str(len(self.content) - start))
        handler.end_headers()
        handler.wfile.write(self.content[start : start + self.most])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served = Server(listening.server_port)
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield served
        listening.shutdown()
        thread.join()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "downloads/part"


def download(server: Server, part: Path, expected: str | None = None, timeout: float = 5.0) -> None:
    archives.download(server.url, expected or digest(server.content), part, timeout)


def refusal(function: Callable[..., None], *arguments: Any, **named: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*arguments, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Downloading.


@pytest.mark.parametrize("ranges", [True, False])
def test_a_whole_file_is_written_as_it_is(server: Server, part: Path, ranges: bool) -> None:
    server.content, server.ranges = bytes(range(256)) * 9999, ranges
    download(server, part, digest(server.content).upper())
    assert part.read_bytes() == server.content
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_cut_off_is_kept_and_the_next_try_goes_on_from_there(
    server: Server, part: Path, ranges: bool
) -> None:
    """From a server without ranges all of it comes again."""
    server.content, server.most, server.ranges = bytes(range(256)) * 99, 1000, ranges
    message = refusal(download, server, part)
    assert message.startswith(f"url = '{server.url}': ")
    assert message.endswith("; 1000 bytes are kept, and the next try goes on from there")
    assert part.read_bytes() == server.content[:1000]
    server.most = 10**9
    download(server, part)
    assert part.read_bytes() == server.content
    assert server.asked == [None, "bytes=1000-"]


def test_what_is_here_already_is_not_downloaded_again(server: Server, part: Path) -> None:
    server.content = b"all of it"
    download(server, part)
    download(server, part)
    assert part.read_bytes() == b"all of it"


def test_a_file_of_another_hash_is_refused_with_both_and_not_kept(server: Server, part: Path) -> None:
    server.content = b"something else"
    expected = f"url = '{server.url}': SHA-256 is {digest(server.content)}, sha256 says {'0' * 64}"
    assert refusal(download, server, part, "0" * 64) == expected
    assert not part.exists()


def test_a_part_of_another_file_is_not_kept_either(server: Server, part: Path) -> None:
    part.parent.mkdir()
    part.write_bytes(b"this is of another file, and longer")
    server.content = b"all of it"
    assert "SHA-256 is" in refusal(download, server, part)
    download(server, part)
    assert part.read_bytes() == b"all of it"


def test_a_server_that_has_no_file_or_does_not_answer_is_told(
    mirror: Any, part: Path, closed: int, silent: int
) -> None:
    for url, reason in (
        (mirror.url("nothing"), "404"),
        (f"http://127.0.0.1:{closed}/", "Connection refused"),
        (f"http://127.0.0.1:{silent}/", "timed out"),
        ("no address", "unknown url type"),
    ):
        message = refusal(archives.download, url, "0", part, 0.3)
        assert message.startswith(f"url = {url!r}: ")
        assert reason in message
        assert "kept" not in message


def test_a_server_that_speaks_another_language_is_told(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"220 mail is taken here\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert refusal(archives.download, url, "0", part, 5.0).startswith(f"url = '{url}': ")
        thread.join()


# Unpacking.


def unpacked(folder: Path, content: bytes) -> dict[str, bytes]:
    (folder / "archive").write_bytes(content)
    (folder / "out").mkdir()
    archives.unpack(folder / "archive", folder / "out")
    return {
        path.relative_to(folder / "out").as_posix(): path.read_bytes()
        for path in (folder / "out").rglob("*")
        if path.is_file() or path.is_symlink()
    }


WAYS = {
    "stored": lambda files: zipped(files, zipfile.ZIP_STORED),
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "w:gz"),
    "tar.bz2": lambda files: tarred(files, "w:bz2"),
    "tar.xz": lambda files: tarred(files, "w:xz"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_files_of_an_archive_are_those_that_were_packed(way: str, tmp_path: Path) -> None:
    assert unpacked(tmp_path, WAYS[way](FILES)) == FILES


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path: Path) -> None:
    files = {**FILES, "more.zip": zipped({"other.png": b"other"})}
    assert unpacked(tmp_path, tarred(files)) == files


@pytest.mark.parametrize("way", ["zip", "tar"])
@pytest.mark.parametrize(
    "name", ["../x.png", "a/../../x.png", "/tmp/x.png", "..\\x.png", "C:\\x.png", "C:x.png"]
)
def test_a_member_that_leaves_the_folder_is_refused_before_anything_is_written(
    way: str, name: str, tmp_path: Path
) -> None:
    message = refusal(unpacked, tmp_path, WAYS[way]({**FILES, name: b"x"}))
    assert "would lie outside of the folder" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out"]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_pipes_and_folders_of_a_tar_are_left_out(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, "/etc/passwd"
    assert unpacked(tmp_path, tarred(FILES, link=info)) == FILES


def test_links_of_a_zip_are_left_out_and_nothing_is_written_through_one(tmp_path: Path) -> None:
    packed = io.BytesIO(zipped(FILES))
    with zipfile.ZipFile(packed, "a") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, str(tmp_path))
        archive.writestr("folder/", b"")
        archive.writestr("link/x.png", b"x")
    assert unpacked(tmp_path, packed.getvalue()) == {**FILES, "link/x.png": b"x"}
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 2999), ("MOST_FILES", 2)])
@pytest.mark.parametrize("way", ["zip", "tar.gz"])
def test_an_archive_of_too_much_is_refused_before_anything_is_written(
    way: str, limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, limit, value)
    message = refusal(unpacked, tmp_path, WAYS[way](FILES))
    assert message.startswith("the archive holds 3 files of 3,000 bytes; at most ")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"<html>not here</html>", bz2.compress(b"one file")])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    expected = f"{tmp_path / 'archive'}: neither a zip nor a tar archive"
    assert refusal(unpacked, tmp_path, content) == expected


def encrypted() -> bytes:
    content = zipped(FILES)
    for head, flag in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = content.index(head) + flag
        content = content[:at] + b"\1" + content[at + 1 :]
    return content


def damaged() -> bytes:
    content = bytearray(zipped(FILES, zipfile.ZIP_STORED))
    content[content.index(b"two")] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    # By name: an archive holds the time of packing, and each of xdist's processes packs its own.
    [encrypted(), damaged(), tarred(FILES, "w:gz")[:-40]],
    ids=["encrypted", "damaged", "cut short"],
)
def test_a_damaged_or_encrypted_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    assert refusal(unpacked, tmp_path, content).startswith(f"{tmp_path / 'archive'}: cannot be unpacked: ")


# Both.


def settings(server: Server, **changes: Any) -> pairs.Settings:
    given = {"kind": "pairs", "folder": "", "source": "url", "url": server.url, "image_size": 16}
    return pairs.Settings(**(given | {"sha256": digest(server.content)} | changes))


def test_a_data_set_comes_out_of_an_archive_and_nothing_else_stays(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {f"set/{path.name}": path.read_bytes() for path in side_by_side(tmp_path / "mine").iterdir()}
    server.content = zipped(files)
    (tmp_path / "raw").mkdir()
    pairs.fetch(settings(server), tmp_path / "raw")
    (tmp_path / "work").mkdir()
    data = pairs.prepare(tmp_path / "raw", settings(server), tmp_path / "work")
    assert sorted(by_name(data, "names")) == [f"set/{i}" for i in range(10)]
    assert [path for path in (tmp_path / "runs").rglob("*") if path.is_file()] == []


def test_an_archive_that_cannot_be_unpacked_is_kept_and_not_downloaded_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.content = b"no archive"
    for _ in range(2):
        assert "neither a zip nor a tar" in refusal(archives.fetch, settings(server), tmp_path / "raw")
    assert server.asked == [None, "bytes=10-"]


def test_nothing_is_fetched_where_the_files_are_in_a_folder(server: Server, tmp_path: Path) -> None:
    archives.fetch(settings(server, source="folder"), tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
    assert server.asked == []
