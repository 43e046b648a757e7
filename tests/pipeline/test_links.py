"""One copy on disk of a set and of the tasks that keep it as it is, where DVC's cache is made of links."""

import sys
from pathlib import Path

import pytest
from helpers.project import ROOT, run

from pipeline.data import prepared

MOST = 1.2  # times the bytes of one copy

PREPARE = """
import sys
from pathlib import Path
import numpy as np
from pipeline.data import prepared
from pipeline.data.prepared import SPLITS, DataSet
num = int(Path("num.txt").read_text())
splits = {split: {"images": np.full((num, 3, 32, 32), k, np.uint8)} for k, split in enumerate(SPLITS)}
prepared.save(Path("data/prepared/x"), DataSet(splits))
"""
TASK = """
import sys
from pathlib import Path
from pipeline.data import prepared
data = prepared.load(Path("data/prepared/x"))
more = {split: rows | {"corners": rows["images"][:, 0, 0, :2] + 1} for split, rows in data.splits.items()}
prepared.save(Path(sys.argv[1]), prepared.DataSet(more))
"""
STAGES = f"""
stages:
  prepare: {{cmd: {sys.executable} prepare.py, deps: [num.txt], outs: [data/prepared/x]}}
  a: {{cmd: {sys.executable} task.py data/a, deps: [data/prepared/x], outs: [data/a]}}
  b: {{cmd: {sys.executable} task.py data/b, deps: [data/prepared/x], outs: [data/b]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A set and two tasks of it."""
    for name, text in (("prepare.py", PREPARE), ("task.py", TASK), ("dvc.yaml", STAGES), ("num.txt", "500")):
        (tmp_path / name).write_text(text)
    run(tmp_path, "git init -q")
    run(tmp_path, "dvc init -q")
    return tmp_path


def dvc(project: Path, command: str) -> None:
    done = run(project, f"dvc {command}", PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stdout + done.stderr


def bytes_on_disk(*folders: Path) -> int:
    """Of all files, those with several names counted once."""
    files = [file.stat() for folder in folders for file in folder.rglob("*") if file.is_file()]
    return sum({about.st_ino: about.st_size for about in files}.values())


def copies(project: Path) -> float:
    """How many copies of the set's images there are."""
    one = sum(file.stat().st_size for file in (project / "data/prepared/x").glob("*_images.npy"))
    return bytes_on_disk(project / "data", project / ".dvc/cache") / one


def shapes(project: Path) -> set[int]:
    """How many images the set and the tasks have in each split, mapped as a stage maps them."""
    return {
        len(prepared.load_split(project / place, split)["images"])
        for place in ("data/prepared/x", "data/a", "data/b")
        for split in prepared.SPLITS
    }


def test_a_cache_of_links_makes_of_a_set_and_its_tasks_one_copy_that_stages_replace(project: Path) -> None:
    dvc(project, "repro -q")
    assert copies(project) > 3.9  # in the cache, the set and two tasks
    dvc(project, "config cache.type hardlink")
    dvc(project, "checkout --relink -q")
    assert copies(project) < MOST
    mine, others = (project / place / "train_images.npy" for place in ("data/a", "data/b"))
    assert mine.samefile(project / "data/prepared/x/train_images.npy")
    assert not mine.stat().st_mode & 0o222
    assert shapes(project) == {500}

    (project / "num.txt").write_text("600")
    dvc(project, "repro -q")
    assert shapes(project) == {600}
    assert copies(project) < 2 * MOST  # the cache has the earlier set, too
    (project / "num.txt").write_text("500")
    dvc(project, "repro -q")  # from the cache, which nothing has written to
    assert shapes(project) == {500}
    assert "up to date" in run(project, "dvc status").stdout

    dvc(project, "unprotect data/a")
    before = others.read_bytes()
    mine.write_bytes(b"mine")
    assert others.read_bytes() == before
