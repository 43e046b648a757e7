"""A small copy of the whole project: a few synthetic digits, a few training steps, the real DVC."""

import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from emoji_files import params, write
from ruamel.yaml import YAML

from pipeline.data import drawing_preparation, idx, openmoji
from pipeline.data.download import mnist, penguins

ROOT = Path(__file__).parent.parent
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
        (mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS, 900, 0),
        (mnist.TEST_IMAGES, mnist.TEST_LABELS, 300, 1),
    ):
        pixels, classes = strokes(num, seed)
        idx.write(folder / images, pixels)
        idx.write(folder / labels, classes)


def write_table(folder: Path) -> None:
    """A penguins.csv: thirty Adelies, one of them not measured, and another species."""
    lengths = [180 + 7 * i % 22 for i in range(29)]
    rows = [f"Adelie,{length}" for length in lengths] + ["Adelie,NA", "Gentoo,217"]
    (folder / penguins.FILE).write_text("\n".join(["species,flipper_length_mm", *rows]) + "\n")


LAYER = '<g id="{}">{}</g>'
SKINS = ("#fcea2b", "#fadcbc", "#debb90", "#c19a65", "#a57939", "#6a462f")  # of the six tones


def write_drawings(folder: Path) -> None:
    """SVG files in layers, as OpenMoji's: twelve hands in six tones and thirty other things."""
    (folder / "svg").mkdir(parents=True)
    source = np.random.default_rng(2)
    for i in range(42):
        x, y, size = source.integers(8, 30, 3)
        name, colour = f"{0x1F446 + i:X}", f"#{source.integers(0, 0xFFFFFF):06x}"
        shape = f'<rect x="{x}" y="{y}" width="{size + 12}" height="{size + 12}" {{}}/>'
        line = LAYER.format("line", shape.format('fill="none" stroke="#000" stroke-width="2"'))
        patch = LAYER.format("color", f'<circle cx="{x}" cy="{y}" r="9" fill="{colour}"/>')
        hand = i < 12
        for tone, skin in zip(openmoji.TONES, SKINS, strict=True) if hand else [("", colour)]:
            filled = LAYER.format("skin" if hand else "hair", shape.format(f'fill="{skin}"'))
            svg = f'<svg id="emoji" viewBox="0 0 72 72" xmlns="{openmoji.SVG}">{patch}{filled}{line}</svg>'
            (folder / "svg" / f"{'-'.join(filter(None, (name, tone)))}.svg").write_text(svg)


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


FEW = {"gans": ("mlp", "dcgan", "clustered"), "regressions": ("digit",), "cgans": ("digit",)}
FEW |= {"image_regressions": ("sketch",), "image_cgans": ("sketch", "text"), "ablations": ("gan",)}
FEW |= {"stacked": ("pacdcgan2",), "toys": ("ring-plain",)}  # entries that a small project keeps of each kind
SHORT = {"num_steps": 12, "batch_size": 32, "log_every": 4, "save_every": 4}
SMALL = {
    "compute": {"threads": 1},
    "digits": {"dataset": "fashion_mnist", "num_validation": 300},
    "judge": {"width": 4, **SHORT},
    "stacked_digits": {"num_pictures": 200, "num_samples": 300},
    "evaluate": {"num_samples": 300, "kid_subset_size": 100, "kid_subsets": 5, "memorisation_samples": 50}
    | {"two_sample_steps": 5, "path_samples": 20},
    "bayes": {"num_held_out": 20, "num_draws": 50},
    "drawings": {"folder": "mine", "image_size": 16, "validation_share": 0.25, "test_share": 0.25},
    "observer": {"width": 4, **SHORT},
    "evaluate_images": {"num_draws": 4, "num_tone_draws": 8, "kid_subsets": 5, "kid_subset_size": 10},
}


def shrink(project: Path) -> None:
    """Few models, and settings with which a stage takes seconds."""
    yaml = YAML()
    content = yaml.load((project / "params.yaml").read_text())
    content["download"] |= {"source": "folder", "folder": "mine"}
    for section, changes in SMALL.items():
        content[section] |= changes
    plan = project / "dvc.yaml"  # its own drawings need no download, which checks OpenMoji's
    plan.write_text(plan.read_text().replace(", openmoji: drawings.source}", "}"))
    for network in (
        content["theory"]["discriminator"],
        content["bayes"]["regression"],
        content["bayes"]["cgan"],
    ):
        network["num_steps"] = 30
    for section, names in FEW.items():
        content[section] = {name: content[section][name] for name in names}
        for entry in content[section].values():
            entry |= SHORT | {"width": 8, "num_snapshots": 3, "fid_every": 8}
            if entry.get("clusters"):
                entry["clusters"] = 3
    for entry in content["toys"].values():
        del entry["fid_every"]
        entry |= {"batch_size": 40, "measure_every": 8}
    yaml.dump(content, project / "params.yaml")


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
    write_table(project / "mine")
    write_drawings(project / "data/raw/openmoji")
    shrink(project)
    run(project, "git init -q")
    run(project, "git add --force data/raw/openmoji")  # which no stage makes here
    commit(project)
    return project


def commit(project: Path) -> None:
    """Everything git does not ignore."""
    run(project, "git add -A")
    run(project, "git -c user.name=t -c user.email=t@t commit -qm everything")


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
            command,
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
    assert dag.process.wait(900) == 0, (dag.project / "repro.log").read_text()
    return dag.project


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


def run(project: Path, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, with more environment variables."""
    return subprocess.run(
        shlex.split(command),
        cwd=project,
        env=environment() | more,
        capture_output=True,
        text=True,
        timeout=300,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# What is outside: pip's packages and servers.


def wheel(folder: Path, release: str, member: str, content: bytes) -> str:
    """Write what pip takes for the release "name==version", with one file, and give its SHA-256."""
    name, version = release.split("==")
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{stem}.dist-info/METADATA", about)
        archive.writestr(
            f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
def prepared(emoji_folder: Path) -> dict[str, np.ndarray]:
    """The same as arrays, split."""
    arrays, rejected = drawing_preparation.prepare(emoji_folder, params())
    assert rejected == []
    return arrays
