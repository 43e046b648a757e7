"""Command `docs`: the documentation as pages with a contents column, on this machine alone.

python -m stages.docs --port 8000
"""

import html
import mimetypes
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from string import Template
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from markdown_it import MarkdownIt

from pipeline.runtime.errors import InputError
from stages import run

HOST, FIRST = "127.0.0.1", "/docs/index.md"
ROOT = Path(__file__).resolve().parent.parent
SHELL, CONTENTS = ROOT / "docs/shell.html", ROOT / "docs/index.md"
TEXT = {".py", ".yaml", ".csv", ".txt", ".toml"}  # shown as they are
SHOWN = {".md", ".png", ".html", *TEXT}
HEADING = re.compile(r"<h([23])>(.*?)</h\1>")
ABOUT = re.compile(r"(?<=\)): .*$", re.MULTILINE)  # what docs/index.md says of a page behind its link
RELATIVE = re.compile(r'href="(?![a-z]+:|/|#)')
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any that is free.")]


def main(port: Port = 8000) -> None:
    """Serve the documentation on 127.0.0.1 until interrupted."""
    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise InputError(f"port {port}: {error.strerror}; --port takes another") from error
    with server:
        print(f"Documentation: http://{HOST}:{server.server_port}   (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/":
            self.send_response(302)
            self.send_header("Location", FIRST)
            self.end_headers()
            return
        found = answer(path)
        kind, body = found or ("text/html; charset=utf-8", page("Not found", "<h1>Not found</h1>", path))
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line each."""


def answer(path: str) -> tuple[str, bytes] | None:
    """Content type and body of a file of the project, by its path in it; None for what is not shown."""
    file = (ROOT / path.lstrip("/")).resolve()
    inside = file.is_relative_to(ROOT) and not any(part.startswith(".") for part in PurePosixPath(path).parts)
    if not inside or file.suffix not in SHOWN or not file.is_file():
        return None
    if file.suffix == ".md":
        text = file.read_text("utf-8")
        title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), file.stem)
        return "text/html; charset=utf-8", page(title, rendered(text), path)
    kind = "text/plain" if file.suffix in TEXT else mimetypes.guess_type(file.name)[0]
    return f"{kind}; charset=utf-8" if kind != "image/png" else kind, file.read_bytes()


def rendered(text: str) -> str:
    """Markdown as HTML; a heading's anchor is its words, as on GitHub."""
    return HEADING.sub(anchored, MarkdownIt("commonmark").enable("table").render(text))


def anchored(found: re.Match[str]) -> str:
    level, inner = found.groups()
    words = re.sub(r"[^\w\- ]", "", html.unescape(re.sub(r"<[^>]+>", "", inner)).lower())
    return f'<h{level} id="{words.replace(" ", "-")}">{inner}</h{level}>'


def page(title: str, body: str, path: str) -> bytes:
    """A whole page; its contents column is what docs/index.md lists."""
    lists = CONTENTS.read_text("utf-8").partition("\n## ")
    contents = RELATIVE.sub('href="/docs/', rendered("## " + ABOUT.sub("", lists[2])))
    contents = contents.replace(f'href="{path}"', f'href="{path}" aria-current="page"')
    shell = Template(SHELL.read_text("utf-8"))
    return shell.substitute(title=html.escape(title), contents=contents, page=body).encode()


if __name__ == "__main__":
    run(main)
