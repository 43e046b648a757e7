"""A small copy of the whole project: a few synthetic digits, a few training steps, the real DVC."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from closure import ROOT
from ruamel.yaml import YAML

from pipeline import idx, sources

CODE = ("pipeline", "stages", "dvc.yaml", "params.yaml", ".dvcignore", ".gitignore")


def environment() -> dict[str, str]:
    """The shell's, with this Python first and no tracking server."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
    return kept | {"PATH": path, "DVC_NO_ANALYTICS": "1"}


def strokes(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten classes of 28x28 images: a bar whose place and slope are the class's, a little moved each time."""
    source = np.random.default_rng(seed)
    labels = np.arange(num, dtype=np.uint8) % 10
    rows, columns = np.mgrid[:28, :28]
    pixels = np.empty((num, 28, 28), np.uint8)
    for i, label in enumerate(labels):
        angle, shift = np.pi * label / 10, source.normal(0, 1.5, 2)
        distance = (rows - 14 - shift[0]) * np.cos(angle) + (columns - 14 - shift[1]) * np.sin(angle)
        pixels[i] = 255 * np.clip(source.uniform(2, 3.5) - np.abs(distance), 0, 1)
    return pixels, labels


def write_strokes(folder: Path) -> None:
    """The four IDX files of a small data set."""
    folder.mkdir(parents=True, exist_ok=True)
    for images, labels, num, seed in (
        (sources.TRAIN_IMAGES, sources.TRAIN_LABELS, 900, 0),
        (sources.TEST_IMAGES, sources.TEST_LABELS, 300, 1),
    ):
        pixels, classes = strokes(num, seed)
        idx.write(folder / images, pixels)
        idx.write(folder / labels, classes)


def edit(project: Path, changes: dict[str, object]) -> None:
    """Change dotted keys of a project's params.yaml."""
    yaml = YAML()
    content = yaml.load((project / "params.yaml").read_text())
    for key, value in changes.items():
        *sections, last = key.split(".")
        section = content
        for name in sections:
            section = section[name]
        section[last] = value
    yaml.dump(content, project / "params.yaml")


def small(project: Path) -> dict[str, object]:
    """Settings with which a stage takes seconds."""
    changes: dict[str, object] = {
        "compute.threads": 1,
        "download.source": "folder",
        "download.folder": str(project / "mine"),
        "digits.dataset": "fashion_mnist",
        "digits.num_validation": 300,
        "judge.width": 4,
        "evaluate.num_samples": 300,
        "evaluate.kid_subset_size": 100,
        "evaluate.kid_subsets": 5,
        "evaluate.memorisation_samples": 50,
    }
    models = ("gans.mlp", "gans.dcgan", "regressions.digit", "cgans.digit")
    for model in (*models, "judge"):
        changes |= {f"{model}.num_steps": 12, f"{model}.log_every": 4, f"{model}.save_every": 4}
        changes |= {f"{model}.batch_size": 32}
    for model in models:
        changes |= {f"{model}.width": 8, f"{model}.num_snapshots": 3}
    return changes


def make(project: Path) -> Path:
    """A small project: the code of this one, a git repository, DVC, its own data and settings."""
    for entry in CODE:
        if (ROOT / entry).is_dir():
            shutil.copytree(ROOT / entry, project / entry, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / entry, project / entry)
    (project / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", project / ".dvc/config")
    shutil.copy(ROOT / ".dvc/.gitignore", project / ".dvc/.gitignore")
    write_strokes(project / "mine")
    edit(project, small(project))
    run(project, "git init -q")
    run(project, "git add -A")
    run(project, "git -c user.name=t -c user.email=t@t commit -qm start")
    return project


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return lambda name: make(tmp_path_factory.mktemp(name))


class Dag:
    """`dvc repro` in a small project, under way in the background."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.project = make(Path(self.folder.name))
        self.log = (self.project / "repro.log").open("w")
        command = ["dvc", "repro"]
        self.process = subprocess.Popen(
            command, cwd=self.project, env=environment(), stdout=self.log, stderr=self.log
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


DAG = pytest.StashKey[Dag]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that need the small project's results come last: its pipeline runs beside the others."""
    items.sort(key=lambda item: "finished" in getattr(item, "fixturenames", ()))


def pytest_collection_finish(session: pytest.Session) -> None:
    needed = any("finished" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly:
        session.config.stash[DAG] = Dag()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if DAG in session.config.stash:
        session.config.stash[DAG].close()


@pytest.fixture(scope="session")
def finished(request: pytest.FixtureRequest) -> Path:
    """A small project in which `dvc repro` has run. Tests leave it as they found it."""
    dag = request.config.stash[DAG]
    assert dag.process.wait(300) == 0, (dag.project / "repro.log").read_text()
    return dag.project


def run(project: Path, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, with more environment variables."""
    return subprocess.run(
        command.split(), cwd=project, env=environment() | more, capture_output=True, text=True, timeout=300
    )
