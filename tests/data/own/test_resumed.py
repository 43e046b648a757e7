"""A user's files are read into arrays on disk, and a run that was killed goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.pair_files import SIZE, noise, save, side_by_side
from helpers.project import ROOT, environment

from benchmarks import larger_than_memory
from pipeline.data import prepared
from pipeline.data.own import decode, looked
from pipeline.data.prepared import DataSet
from pipeline.data.sets import pairs
from pipeline.runtime import threads

NUM = 60


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return side_by_side(tmp_path / "mine", NUM)


@pytest.fixture(autouse=True)
def _one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looked, "PART", 8)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(threads, "AHEAD", 1)


def prepare(files: Path, work: Path, **changes: object) -> DataSet:
    work.mkdir(exist_ok=True)
    given = {"kind": "pairs", "folder": str(files), "image_size": SIZE}
    return pairs.prepare(Path("elsewhere"), pairs.Settings(**(given | changes)), work)


def saved(data: DataSet, folder: Path) -> dict[str, bytes]:
    prepared.save(folder, data)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


class Killed(BaseException):
    pass


Read = Callable[[int | None], list[str]]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Lets so many more files be read, None: all; gives the list of those that are."""
    names, left, pixels = list[str](), [None], decode.pixels

    def counted(path: Path) -> decode.Pixels:
        if left[0] == 0:
            raise Killed
        left[0] = left[0] and left[0] - 1
        names.append(path.name)
        return pixels(path)

    def allow(num: int | None) -> list[str]:
        left[0] = num
        names.clear()
        return names

    monkeypatch.setattr(decode, "pixels", counted)
    return allow


@pytest.mark.parametrize("after", [3, 30, NUM, NUM + 1, NUM + 25, 2 * NUM - 1])
def test_what_was_read_is_not_read_again_and_the_set_is_the_same(
    after: int, files: Path, tmp_path: Path, reading: Read
) -> None:
    whole = saved(prepare(files, tmp_path / "at once"), tmp_path / "a")
    reading(after)
    with pytest.raises(Killed):
        prepare(files, tmp_path / "work", layout="side_by_side")
    read = reading(None)
    again = prepare(files, tmp_path / "work", layout="side_by_side")
    assert len(read) <= 2 * NUM - after + looked.PART + 8
    assert saved(again, tmp_path / "b") == whole


@pytest.mark.parametrize("change", ["seed", "file", "time", "more"])
def test_of_other_files_or_settings_nothing_is_kept(
    change: str, files: Path, tmp_path: Path, reading: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    reading(NUM + 30)
    with pytest.raises(Killed):
        prepare(files, tmp_path / "work", layout="side_by_side")
    if change == "file":
        save(files / "7.png", noise(SIZE, 2 * SIZE, 99))
    elif change == "more":
        save(files / "new.png", noise(SIZE, 2 * SIZE, 99))
    elif change == "time":
        os.utime(files / "7.png", (1, 1))
    changes = {"layout": "side_by_side"} | ({"seed": 5} if change == "seed" else {})
    read = reading(None)
    found = saved(prepare(files, tmp_path / "work", **changes), tmp_path / "a")
    assert len(read) == 2 * NUM + 2 * (change == "more")
    assert "going on" not in capsys.readouterr().out
    assert found == saved(prepare(files, tmp_path / "other", **changes), tmp_path / "b")


def test_a_run_that_goes_on_tells_again_what_is_left_out(files: Path, tmp_path: Path, reading: Read) -> None:
    (files / "5.png").write_bytes((files / "5.png").read_bytes()[:120])
    expected = prepare(files, tmp_path / "at once", layout="side_by_side")
    reading(NUM + 20)
    with pytest.raises(Killed):
        prepare(files, tmp_path / "work", layout="side_by_side")
    reading(None)
    again = prepare(files, tmp_path / "work", layout="side_by_side")
    assert again.left_out == expected.left_out
    assert len(again.left_out) == 1
    assert again.said == expected.said


def test_what_was_kept_of_files_of_which_one_can_be_read_no_more_is_not_used(
    files: Path, tmp_path: Path, reading: Read
) -> None:
    reading(NUM)
    with pytest.raises(Killed):
        prepare(files, tmp_path / "work", layout="side_by_side")
    about = (files / "9.png").stat()
    (files / "9.png").write_bytes(bytes(about.st_size))
    os.utime(files / "9.png", ns=(about.st_atime_ns, about.st_mtime_ns))
    read = reading(None)
    found = prepare(files, tmp_path / "work", layout="side_by_side")
    assert len(read) == 2 * (NUM - 1)
    assert [line.split(":")[0] for line in found.left_out] == ["9.png"]


# Many pairs, and real kills.

STAGE = """
import shutil
from pathlib import Path
from pipeline.data import prepared
from pipeline.data.sets import pairs
settings, work = pairs.Settings(kind="pairs", folder="files", image_size=64), Path("work")
work.mkdir(exist_ok=True)
prepared.save(Path("set"), pairs.prepare(Path("raw"), settings, work))
shutil.rmtree(work)
"""  # what stages/prepare.py does, without MLflow, which takes three seconds to import


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 2,000 generated pairs of 64 pixels."""
    monkeypatch.undo()  # as many threads as there are
    larger_than_memory.write(tmp_path / "files", 2000, 64)
    return tmp_path


def stage(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STAGE],
        cwd=project,
        env=environment() | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def killed_when(running: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    while not condition():
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL


def test_killed_while_it_looks_and_while_it_writes_it_ends_with_the_same_bytes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = project / "work/train/images.npy"
    killed_when(stage(project), lambda: len([*(project / "work").glob("looks-*.npz")]) > 1)
    killed_when(stage(project), lambda: filled.exists() and filled.stat().st_size > 3 * 2**20)
    assert not (project / "set").exists()
    last = stage(project)
    told, _ = last.communicate(timeout=300)
    assert last.returncode == 0, told
    assert "files: going on where an earlier run ended" in told
    assert not (project / "work").exists()

    monkeypatch.chdir(project)
    exec(STAGE.replace('"set"', '"at once"'))
    assert contents(project / "set") == contents(project / "at once")
    images = {split: rows["images"] for split, rows in prepared.load(project / "set").splits.items()}
    shapes = {split: array.shape for split, array in images.items()}
    assert shapes == {"train": (1400, 3, 64, 64)} | dict.fromkeys(("validation", "test"), (300, 3, 64, 64))
    first = np.asarray(larger_than_memory.pair(0, 64)).transpose(2, 0, 1)
    assert any(np.array_equal(first[:, :, 64:], image) for array in images.values() for image in array)
