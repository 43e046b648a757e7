"""The user's archive, zip or tar, from a URL: checked by its SHA-256, unpacked without leaving the folder."""

import shutil
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable
from http.client import HTTPException, IncompleteRead
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.runtime.progress import Bar

MOST_BYTES = 50 * 2**30  # of what is unpacked
MOST_FILES = 1_000_000
CHUNK = 2**20  # bytes
PARTS = Path("runs/downloads")  # of archives that are not here whole


class Settings(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def timeout(self) -> float: ...


def fetch(settings: Settings, root: Path) -> None:
    """Unpack the archive of `settings.url` into the folder `root`; nothing where the source is a folder.

    Raises:
        InputError: it cannot be had, is another than the hash says, or would write elsewhere, or too much.
    """
    if settings.source != "url":
        return
    part = PARTS / settings.sha256
    download(settings.url, settings.sha256, part, settings.timeout)
    unpack(part, root)
    part.unlink()


def download(url: str, expected: str, part: Path, timeout: float) -> None:
    """Write the file of a URL to `part`, or what is missing of it; an InputError if it cannot be had, or its
    SHA-256 is another.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            have = have if answer.status == 206 else 0  # a server without ranges sends all of it
            total = have + int(answer.headers.get("Content-Length") or 0)
            with open(part, "ab" if have else "wb") as file, Bar(f"downloading {url}", have, total) as bar:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    bar.log(have, {})
            if have < total:  # of which urllib says nothing
                raise IncompleteRead(b"", total - have)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # all of it is here already
            raise InputError(f"url = {url!r}: {error}") from error
    except (OSError, HTTPException, ValueError) as error:
        kept = f"; {have} bytes are kept, and the next try goes on from there" if have else ""
        raise InputError(f"url = {url!r}: {' '.join(str(error).split())}{kept}") from error
    if (found := sha256(part)) != expected.lower():
        part.unlink()
        raise InputError(f"url = {url!r}: SHA-256 is {found}, sha256 says {expected}")


def unpack(archive: Path, root: Path) -> None:
    """Put the plain files of a zip or tar archive below `root`.

    Raises:
        InputError: it is neither, damaged or encrypted, or a member would lie elsewhere or is too large.
    """
    try:
        if tarfile.is_tarfile(archive):  # asked first: one that ends in a zip would pass for that, too
            with tarfile.open(archive) as packed:
                members = [member for member in packed if member.isreg()]
                check((member.name, member.size) for member in members)
                for member in members:
                    if (opened := packed.extractfile(member)) is not None:
                        write(root, member.name, opened, member.size)
        elif zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                infos = [info for info in packed.infolist() if not info.is_dir() and not linked(info)]
                check((info.filename, info.file_size) for info in infos)
                for info in infos:
                    with packed.open(info) as file:
                        write(root, info.filename, file, info.file_size)
        else:
            raise InputError(f"{archive}: neither a zip nor a tar archive")
    except InputError:
        raise
    except Exception as error:  # whatever a damaged archive leads the decoders to
        raise InputError(f"{archive}: cannot be unpacked: {' '.join(str(error).split())}") from error


def linked(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def check(members: Iterable[tuple[str, int]]) -> None:
    """An InputError for a member that leaves the folder, or if they are too many or too large."""
    total = num = 0
    for name, size in members:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and ":" in path.parts[0]):
            raise InputError(f"the archive's member {name!r} would lie outside of the folder")
        total, num = total + size, num + 1
    if total > MOST_BYTES or num > MOST_FILES:
        found = f"the archive holds {num:,} files of {total:,} bytes"
        raise InputError(f"{found}; at most {MOST_FILES:,} and {MOST_BYTES:,} are unpacked")


def write(root: Path, name: str, content: IO[bytes], size: int) -> None:
    """Write a member; an InputError if it is longer than it says."""
    path = root.joinpath(*PurePosixPath(name.replace("\\", "/")).parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        shutil.copyfileobj(content, file, CHUNK)
        if file.tell() > size:
            raise InputError(f"the archive's member {name!r} is longer than it says")
