"""The user's images, in the two layouts; a server in a mirror's place."""

import gc
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers.pair_files import in_two_folders, side_by_side


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return side_by_side(tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return in_two_folders(tmp_path)


class Mirror:
    """What the server has, by name, and how many more bytes it promises."""

    def __init__(self, port: int) -> None:
        self.port, self.missing = port, 0
        self.files: dict[str, bytes] = {}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@pytest.fixture(scope="module")
def no_sockets_left() -> Iterator[None]:
    """Urllib's are collected before another module is blamed for them."""
    yield
    gc.collect()


@pytest.fixture
def mirror(no_sockets_left: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.files.get(self.path[1:])
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"") + served.missing))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Mirror(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()
