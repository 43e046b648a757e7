"""What tests are given: a small project in which the whole pipeline has run, servers, drawings."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # one thread of each of several processes

import pytest
from helpers import experiments
from helpers.emoji_files import settings as drawing_settings
from helpers.emoji_files import write
from helpers.project import edit, environment, make, wait_for

from pipeline.data.prepared import DataSet
from pipeline.data.sets import drawings
from pipeline.runtime import compute


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return lambda name: make(tmp_path_factory.mktemp(name))


@pytest.fixture(autouse=True)
def _one_thread_of_fp32() -> None:
    """How a test computes, whatever a stage has set in this process before."""
    compute.configure(compute.Settings(device="cpu", precision="fp32"))


class Dag:
    """`make repro` in a small project, once it is started under way in the background."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        project = make(Path(self.folder.name) / "project")
        repro = f"{shlex.quote(sys.executable)} -m stages.repro --jobs 2 > repro.log 2>&1"
        self.process = subprocess.Popen(
            ["sh", "-c", f"{repro}; echo $? > ../part; mv ../part ../code"],
            cwd=project,
            env=environment(),
            start_new_session=True,  # so that the stage it runs can be ended with it
        )

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.folder.cleanup()


DAG = pytest.StashKey[Dag]()
FIRST = "test_samplers.py"  # the longest file
LAST = ("benchmarks", "methods", "metrics", "networks", "tasks", "theory")  # rooms of the shortest tests


def needs(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


@pytest.hookimpl(tryfirst=True)  # before the workers read who belongs together
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The small project's pipeline runs beside the tests that do not need its results, the queue of
    experiments then beside those that do.

    Of several workers one has all these; the other has the shortest tests left beside them, so that both end
    at once. The longest ones are first, and a file's tests, but for those, are one worker's.
    """
    items.sort(key=lambda item: (needs(item, "queue"), needs(item, "finished")))
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if needs(item, "queue") or needs(item, "finished"):
            item.add_marker(pytest.mark.xdist_group("dag"))
        elif item.path.name != FIRST:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
    items.sort(key=lambda item: (item.path.name != FIRST, place(item)))


def place(item: pytest.Item) -> int:
    """When a test's turn comes among several workers' tests."""
    if needs(item, "queue") or needs(item, "finished"):
        return 1
    return 2 if item.path.parent.name in LAST else 0


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[DAG] = Dag()


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly or hasattr(session.config, "workerinput"):
        return
    if any(needs(item, "finished") for item in session.items):
        session.config.stash[DAG].start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker is told where the one pipeline of all workers is."""
    node.workerinput["dag"] = node.config.stash[DAG].folder.name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    dag = node.config.stash[DAG]
    if any(name.endswith("@dag") for name in ids) and not dag.process:
        dag.start()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if DAG in session.config.stash:
        session.config.stash[DAG].close()


@pytest.fixture(scope="session")
def finished(request: pytest.FixtureRequest) -> Path:
    """A small project in which `make repro` has run. Tests leave it as they found it."""
    told = getattr(request.config, "workerinput", None)
    folder = Path(told["dag"] if told else request.config.stash[DAG].folder.name)
    wait_for((folder / "code").exists, 900)
    assert (folder / "code").read_text() == "0\n", (folder / "project/repro.log").read_text()
    if any(needs(item, "queue") for item in request.session.items):
        request.getfixturevalue("queue")  # under way from here on
    return folder / "project"


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
