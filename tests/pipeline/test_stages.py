"""How a stage's process ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project import ROOT

STAGE = """
import atexit, sys
import stages
from pipeline.runtime.errors import InputError

class Module:
    def __del__(self):
        print("taken to pieces")

kept = Module()

def main() -> None:
    atexit.register(print, "handled")
    sys.stdout.write("written\\n")
    {end}

stages.run(main)
"""


def ended(folder: Path, end: str) -> subprocess.CompletedProcess[str]:
    (folder / "stage.py").write_text(STAGE.format(end=end))
    return subprocess.run(
        [sys.executable, folder / "stage.py"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # where nohup had it ignored
        check=False,
    )


def test_a_stage_that_is_done_ends_at_once_after_its_exit_handlers_and_with_all_it_wrote(tmp_path):
    done = ended(tmp_path, "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "written\nhandled\n", "")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("raise InputError('no')", 2),
        ("raise FloatingPointError('no')", 1),
        ("raise ValueError('no')", 1),
        ("sys.exit(3)", 3),
    ],
)
def test_a_stage_that_is_not_says_so_by_its_exit_code(end, code, tmp_path):
    done = ended(tmp_path, end)
    assert done.returncode == code
    assert "no" in done.stderr or code == 3
    assert done.stdout == "written\nhandled\ntaken to pieces\n"


def test_a_closed_stdout_is_written_to_nowhere(tmp_path):
    (tmp_path / "stage.py").write_text(STAGE.format(end=""))
    shell = ["sh", "-c", f"{sys.executable} stage.py >&-"]
    done = subprocess.run(
        shell, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_stdout_that_nobody_reads_any_more_is_a_quiet_end(tmp_path):
    (tmp_path / "stage.py").write_text(STAGE.format(end="sys.stdin.read(); print('more', flush=True)"))
    with subprocess.Popen(
        [sys.executable, tmp_path / "stage.py"],
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as stage:
        assert stage.stdin
        assert stage.stdout
        assert stage.stderr
        stage.stdout.close()
        stage.stdin.close()
        assert stage.stderr.read() == b""
    assert stage.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_what_is_open_and_is_the_exit_code(number, tmp_path):
    end = "import os, signal; os.kill(os.getpid(), {})"
    done = ended(tmp_path, end.format(int(number)))
    assert (done.returncode, done.stderr) == (128 + number, "")
    assert done.stdout == "written\nhandled\ntaken to pieces\n"
