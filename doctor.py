"""What this project needs, and whether it is here: `make doctor`, and the first thing that `make setup` does.

It runs before anything is installed, on a Python that may be too old for the rest: the standard library of
3.8 is all that it uses. Exit code 1 if something is missing without which the set-up or the pipeline fails.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent
GB = 1e9
NEWEST, OLDEST = 14, 11  # of Python 3
DISK = 10 * GB  # the packages, about 6 with CUDA; what the pipeline makes, and DVC's cache of it
DISK_AFTER_SETUP = 3 * GB
DOWNLOADS = 4 * GB  # pip unpacks in the folder for temporary files
MEMORY = 3 * GB  # of one stage: an evaluation of `sketch` was seen to take 2.4, a training of `tones` 1.4
PATIENCE = 5.0  # seconds for the index
OK, WARNING, MISSING = "ok", "warning", "missing"
ASKED = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))"


class Finding(NamedTuple):
    what: str
    state: str  # OK, WARNING or MISSING
    said: str


def answer(*command: str) -> Optional[str]:
    """What a command prints; None if it cannot be run or fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def version(python: str) -> Tuple[int, ...]:
    """Of a Python that can make an environment; () of one that is not there, or cannot."""
    found = answer(python, "-c", ASKED)
    return tuple(map(int, found.split("."))) if found else ()


def python(chosen: str) -> Finding:
    """The Python of which `make setup` makes .venv; if that will not do, another that would."""
    found, where = version(chosen), shutil.which(chosen) or chosen
    if found >= (3, OLDEST):
        return Finding("Python", OK, "{}, {}".format(".".join(map(str, found)), where))
    if found:
        why = "{} is {}".format(where, ".".join(map(str, found)))
    elif answer(chosen, "--version") is None:
        why = f"{chosen or 'python3'} does not run"
    else:
        why = f"{where} has no venv or no ensurepip (Debian: apt install python3-venv)"
    others = [f"python3.{minor}" for minor in range(OLDEST, NEWEST + 1)]
    fit = [other for other in others if version(other) >= (3, OLDEST)]
    advice = (
        f"make PYTHON={shutil.which(fit[0])}" if fit else "install it, then: make PYTHON=/path/to/python3.11"
    )
    return Finding("Python", MISSING, f"{why}; 3.{OLDEST} or later is needed: {advice}")


def tool(name: str) -> Finding:
    said = answer(name, "--version")
    if said is None:
        return Finding(name, MISSING, "not found; install it with the system's package manager")
    return Finding(name, OK, said.splitlines()[0] if said else shutil.which(name) or name)


def disk(folder: Path) -> Finding:
    """Room for packages, data and results, and for pip's temporary files."""
    ready = (folder / ".venv" / ".ready").exists()
    free, needed = shutil.disk_usage(str(folder)).free, DISK_AFTER_SETUP if ready else DISK
    said = f"{free / GB:.0f} GB free, about {needed / GB:.0f} needed"
    if free < needed:
        return Finding("disk", MISSING, said)
    temporary = tempfile.gettempdir()
    room = shutil.disk_usage(temporary).free
    if not ready and room < DOWNLOADS:
        more = f"pip unpacks in {temporary}, which has {room / GB:.0f} GB: set TMPDIR to a larger folder"
        return Finding("disk", WARNING, f"{said}; {more}")
    return Finding("disk", OK, said)


def memory_bytes() -> Optional[float]:
    """What processes may use: of the machine, or of the container if that is less; None if nobody says."""
    found = []
    with suppress(ValueError, OSError, AttributeError):
        found.append(float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max" is no number
            found.append(float(Path(limit).read_text()))
    return min(found) if found else None


def memory(jobs: int) -> Finding:
    """Whether as many stages at a time have room as `make repro` starts."""
    size = memory_bytes()
    if size is None:
        return Finding("memory", WARNING, f"size unknown; a stage takes up to {MEMORY / GB:.0f} GB")
    said = f"{size / GB:.1f} GB, up to {MEMORY / GB:.0f} a stage"
    fit = int(size // MEMORY)
    if size < MEMORY * 0.9:  # firmware keeps a little of what was bought
        return Finding("memory", MISSING, said)
    if fit < jobs:
        return Finding(
            "memory", WARNING, f"{said}: make repro JOBS={max(fit, 1)}, as {jobs} at a time may be too many"
        )
    return Finding("memory", OK, said)


def cores(jobs: int) -> Finding:
    return Finding(
        "cores", OK if jobs > 1 else WARNING, f"{jobs}, so many stages at a time (make repro JOBS=n for n)"
    )


def port(number: int, target: str, variable: str) -> Finding:
    """Whether a server of ours could listen there."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", number))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            return Finding(f"port {number}", WARNING, f"{why}: {target} {variable}=another")
    return Finding(f"port {number}", OK, f"free for {target}")


def index_url(python: str) -> Optional[str]:
    """The package index that pip is told of, or else its own; empty if it is to ask none, None if unknown."""
    listed = answer(python, "-m", "pip", "config", "list") or ""
    pairs = [line.split("=", 1) for line in listed.splitlines() if "=" in line]
    said: Dict[str, str] = {key: value.strip("'\"") for key, value in pairs}
    for name in ("PIP_INDEX_URL", "PIP_NO_INDEX"):
        if os.environ.get(name):
            said[":env:." + name[4:].lower().replace("_", "-")] = os.environ[name]
    for section in (":env:", "install", "global"):
        if said.get(f"{section}.no-index", "0").lower() in ("1", "true", "yes", "on"):
            return ""
    for section in (":env:", "install", "global"):
        if f"{section}.index-url" in said:
            return said[f"{section}.index-url"]
    told = answer(python, "-m", "pip", "install", "--help") or ""
    usual = re.search(r"--index-url <url>.*?\(default\s+(\S+)\)", told, re.S)
    return usual[1] if usual else None


def index(url: Optional[str], patience: float = PATIENCE) -> Finding:
    """Whether the index answers, whatever it says; a warning if not, as pip may know another way."""
    if url is None:
        return Finding("index", WARNING, "pip does not say which it asks")
    if not url:
        return Finding("index", WARNING, "pip is told to ask none: all packages must be in its find-links")
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # without the name and password that may stand before it
    if parts.scheme == "file":
        there = Path(parts.path).exists()
        return Finding(
            "index", OK if there else WARNING, f"{parts.path} is {'there' if there else 'missing'}"
        )
    asked = urlunsplit((parts.scheme, host, parts.path.rstrip("/") + "/", "", ""))
    try:
        urllib.request.urlopen(urllib.request.Request(asked, method="HEAD"), timeout=patience).close()
    except urllib.error.HTTPError:
        pass  # an answer: many allow no HEAD, or want a password
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        return Finding("index", WARNING, f"{host} gives no answer ({why}): no packages without it")
    return Finding("index", OK, f"{host} answers")


def compiler() -> Finding:
    """Of C, by which the processor's kernels are made; on other systems than Linux there are none."""
    name = os.environ.get("CC", "cc")
    found = answer(name, "--version")
    if found is not None:
        return Finding("compiler", OK, found.splitlines()[0] if found else name)
    return Finding("compiler", WARNING, "no C compiler: without one, trainings take 1.3 to 1.8 times as long")


def gpu() -> Finding:
    """NVIDIA's, as PyTorch's default packages use it."""
    listed = answer("nvidia-smi", "-L") or ""
    names = [
        line.split(":", 1)[1].split("(")[0].strip() for line in listed.splitlines() if line.startswith("GPU ")
    ]
    if names:
        return Finding("GPU", OK, ", ".join(names))
    return Finding(
        "GPU", OK, "none, and none is needed; make setup CPU_INDEX=URL leaves 2.5 GB of CUDA out: docs/run.md"
    )


def main(arguments: Optional[List[str]] = None) -> int:
    """Print a line a finding; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--python", default=sys.executable, help="of which .venv is made")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="stages at a time")
    parser.add_argument("--port", type=int, default=5000, help="of make ui")
    parser.add_argument("--play-port", type=int, default=8765, help="of make play")
    given = parser.parse_args(arguments)
    findings = [
        python(given.python),
        tool("git"),
        tool("make"),
        compiler(),
        disk(ROOT),
        memory(given.jobs),
        cores(given.jobs),
        port(given.port, "make ui", "PORT"),
        port(given.play_port, "make play", "PLAY_PORT"),
        index(index_url(given.python)),
        gpu(),
    ]
    for what, state, said in findings:
        print(f"{state:8} {what:10} {said}")
    missing = [finding.what for finding in findings if finding.state == MISSING]
    if missing:
        print("error: missing or too small: {}".format(", ".join(missing)), file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
