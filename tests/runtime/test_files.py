"""Files appear whole or not at all, and one process writes at a time."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file, new_folder, sha256, sole_writer, write_json

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from pipeline.runtime.files import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("inside", flush=True)
    time.sleep(60)
"""


@contextmanager
def other_writer(folder: Path) -> Iterator[subprocess.Popen]:
    """A second process inside `folder`; it is killed at the end if it still lives."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "inside\n"
            yield process
        finally:
            process.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_halfway(path: Path, error: type[BaseException]) -> None:
    path.write_text("half of the n")
    raise error


def test_a_new_folder_replaces_the_old_one_with_all_it_held_only_when_it_is_whole(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with new_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("new")
        assert names(tmp_path / "out") == ["old"]
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["new"]
    assert (tmp_path / "out" / "new").read_text() == "new"


def test_a_new_folder_may_lie_in_folders_that_are_not_there_yet(tmp_path):
    with new_folder(tmp_path / "a" / "b") as folder:
        (folder / "new").write_text("new")
    assert (tmp_path / "a" / "b" / "new").read_text() == "new"
    assert names(tmp_path / "a") == ["b"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_new_folder_that_fails_leaves_the_old_one_and_no_remains(tmp_path, error):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(error), new_folder(tmp_path / "out") as folder:
        fail_halfway(folder / "new", error)
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["old"]
    assert (tmp_path / "out" / "old").read_text() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_new_file_that_fails_leaves_the_old_one_and_no_remains(tmp_path, error):
    (tmp_path / "out.npz").write_text("old")
    with pytest.raises(error), new_file(tmp_path / "out.npz") as part:
        fail_halfway(part, error)
    assert names(tmp_path) == ["out.npz"]
    assert (tmp_path / "out.npz").read_text() == "old"


def test_a_new_file_replaces_the_old_one_only_when_it_is_whole(tmp_path):
    (tmp_path / "out.npz").write_text("old")
    with new_file(tmp_path / "out.npz") as part:
        part.write_text("new")
        assert part.name == "out.npz"
        assert (tmp_path / "out.npz").read_text() == "old"
    assert (tmp_path / "out.npz").read_text() == "new"
    assert names(tmp_path) == ["out.npz"]


@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_remains_of_a_killed_process_that_had_our_number_do_not_stand_in_the_way(tmp_path, writer):
    remains = tmp_path / f".out.{os.getpid()}.part"
    remains.mkdir()
    (remains / "half").write_text("half")
    with writer(tmp_path / "out") as part:
        if writer is new_folder:
            part = part / "new"
        part.write_text("new")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").is_file() or names(tmp_path / "out") == ["new"]


def test_others_are_kept_out_and_told_who_is_inside_until_the_writer_is_killed(tmp_path):
    with other_writer(tmp_path / "run") as process:
        expected = f"^{tmp_path / 'run'}: process {process.pid} is writing here.*kill {process.pid}$"
        for _ in range(2):
            with pytest.raises(InputError, match=expected):
                sole_writer(tmp_path / "run").__enter__()
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        with sole_writer(tmp_path / "run"):
            assert (tmp_path / "run" / "lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_is_free_again_after_the_block_also_when_it_fails(tmp_path):
    with pytest.raises(ValueError, match="on purpose"), sole_writer(tmp_path):
        raise ValueError("on purpose")
    with sole_writer(tmp_path), pytest.raises(InputError), sole_writer(tmp_path):
        pass
    with sole_writer(tmp_path):
        pass


def test_two_folders_have_a_writer_each(tmp_path):
    with sole_writer(tmp_path / "one"), sole_writer(tmp_path / "two"):
        assert names(tmp_path) == ["one", "two"]


def test_json_is_sorted_indented_and_ends_with_a_line_break(tmp_path):
    write_json(tmp_path / "a.json", {"b": 2, "a": {"d": 0.5, "c": [1, None]}})
    expected = '{\n  "a": {\n    "c": [\n      1,\n      null\n    ],\n    "d": 0.5\n  },\n  "b": 2\n}\n'
    assert (tmp_path / "a.json").read_text() == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_know_are_refused_and_the_old_file_stays(tmp_path, number):
    write_json(tmp_path / "a.json", {"fid": 1})
    with pytest.raises(InputError, match="not finite") as caught:
        write_json(tmp_path / "a.json", {"fid": number})
    assert str(caught.value).startswith(f"{tmp_path / 'a.json'}: ")
    assert (tmp_path / "a.json").read_text() == '{\n  "fid": 1\n}\n'
    assert names(tmp_path) == ["a.json"]


def test_a_hash_is_that_of_the_standard(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
