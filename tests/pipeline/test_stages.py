"""How a stage's process ends."""

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
