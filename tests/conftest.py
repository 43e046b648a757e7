"""What tests are given: a small project in which the whole pipeline has run, servers, drawings."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import experiments
from helpers.emoji_files import settings as drawing_settings
from helpers.emoji_files import write
from helpers.project import edit, environment, make

from pipeline.data.prepared import DataSet
from pipeline.data.sets import drawings


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return lambda name: make(tmp_path_factory.mktemp(name))


class Dag:
    """`make repro` in a small project, under way in the background."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.project = make(Path(self.folder.name))
        self.log = (self.project / "repro.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stages.repro", "--jobs", "2"],
            cwd=self.project,
            env=environment(),
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # so that the stage it runs can be ended with it
        )

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


DAG = pytest.StashKey[Dag]()


def needs(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The small project's pipeline runs beside the tests that do not need its results, the queue of
    experiments then beside those that do.
    """
    items.sort(key=lambda item: (needs(item, "queue"), needs(item, "finished")))


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(needs(item, "finished") for item in session.items) and not session.config.option.collectonly:
        session.config.stash[DAG] = Dag()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if DAG in session.config.stash:
        session.config.stash[DAG].close()


@pytest.fixture(scope="session")
def finished(request: pytest.FixtureRequest) -> Path:
    """A small project in which `make repro` has run. Tests leave it as they found it."""
    dag = request.config.stash[DAG]
    assert dag.process.wait(900) == 0, (dag.project / "repro.log").read_text()
    if any(needs(item, "queue") for item in request.session.items):
        request.getfixturevalue("queue")  # under way from here on
    return dag.project


@pytest.fixture(scope="session")
def queue(make_project: Callable[[str], Path]) -> Iterator[Path]:
    """A project whose queue of experiments is under way."""
    with experiments.queue(make_project("queued")) as project:
        yield project


@pytest.fixture
def inside(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The finished project as the working folder; params.yaml is put back afterwards."""
    monkeypatch.chdir(finished)
    monkeypatch.setenv("DVC_ROOT", str(finished))
    return finished


@pytest.fixture
def settings(inside: Path) -> Iterator[Callable[[dict[str, object]], None]]:
    """Changes keys of params.yaml for one test."""
    before = (inside / "params.yaml").read_bytes()
    yield lambda changes: edit(inside, changes)
    (inside / "params.yaml").write_bytes(before)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def local_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which pip looks for packages."""
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return packages


@pytest.fixture(scope="session")
def emoji_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawings as OpenMoji's files have them: emoji_files.NAMES."""
    folder = tmp_path_factory.mktemp("drawings")
    write(folder)
    return folder


@pytest.fixture(scope="session")
def prepared(emoji_folder: Path) -> DataSet:
    """The same as arrays, split."""
    return drawings.prepare(emoji_folder, drawing_settings(), emoji_folder)
