"""A small copy of the whole project: a few synthetic digits, drawings and pairs, short trainings, the real
DVC.
"""

import copy
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from helpers.pair_files import beside, save
from pipeline.data import idx, openmoji
from pipeline.data.download import mnist, penguins
from pipeline.data.download import openmoji as source

ROOT = Path(__file__).parents[2]
CODE = (
    "pipeline",
    "stages",
    "reports/long",
    "reports/seeds",
    "dvc.yaml",
    "params.yaml",
    ".dvcignore",
    ".gitignore",
)


def environment() -> dict[str, str]:
    """The shell's, with this Python first and no tracking server."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
    return kept | {"PATH": path, "DVC_NO_ANALYTICS": "1"}


CLASSES = np.arange(10, dtype=np.uint8)


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
    folder.mkdir(parents=True, exist_ok=True)
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


def pin_drawings(project: Path) -> None:
    """Let a project's code take these for all of OpenMoji."""
    drawings = {path.name: path.read_bytes() for path in (project / "mine/drawings/svg").iterdir()}
    code = project / "pipeline/data/download/openmoji.py"
    text = code.read_text().replace(f"= {source.NUM_DRAWINGS}", f"= {len(drawings)}")
    code.write_text(text.replace(source.DRAWINGS_SHA256, source.digest(drawings)))


def write_pairs(folder: Path) -> None:
    """Images A|B side by side: a box of any place and colour, and the same on another ground."""
    source = np.random.default_rng(3)
    for i in range(60):
        top, left = source.integers(0, 8, 2)
        halves = source.uniform(0, 230, 3) + np.zeros((2, 16, 16, 3))
        halves[1] = source.uniform(0, 230, 3)
        halves[:, top : top + 8, left : left + 8] = source.uniform(0, 230, 3)
        save(folder / f"{i}.png", (beside(*halves) + source.uniform(0, 25, (16, 32, 3))).astype(np.uint8))


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


FEW = {  # entries that a small project keeps of each section
    "tasks": ("digits", "digit", "stacked", "sketch", "text", "tones"),
    "regressions": ("digit", "sketch"),
    "cgans": ("digit", "sketch", "text"),
    "gans": ("mlp", "dcgan"),
    "stacked": ("pacdcgan2",),
    "ablations": ("gan",),
}
OWN: dict[str, dict[str, dict[str, object]]] = {  # those of whose entries it has its own
    "engressions": {"digit": {}},
    "flows": {"digits": {"clusters": 3}, "digit": {}, "tones": {"solver": "heun", "solver_steps": 2}},
    "toys": {"ring-plain": {"method": "adversarial"}, "ring-flow": {"method": "flow"}},
}
SHORT = {"num_steps": 12, "batch_size": 32, "log_every": 4, "save_every": 4}
MODEL = SHORT | {"width": 8, "num_snapshots": 3, "monitor_every": 8}
SPLIT = {"image_size": 16, "validation_share": 0.25, "test_share": 0.25}
DATASETS: dict[str, dict[str, object]] = {  # the project's own, beside digits and drawings the user's pairs
    "digits": {"kind": "digits", "source": "folder", "dataset": "kmnist", "num_validation": 300},
    "drawings": {"kind": "drawings", "source": "folder", **SPLIT},
    "pairs": {"kind": "pairs", "source": "folder", **SPLIT},
}
OF_PAIRS = {"tasks": {"pairs": {"data": "pairs", "condition": "ab"}}, "cgans": {"pairs": {}}}
SMALL = {
    "evaluate": {"num_samples": 300, "num_draws": 4, "num_tone_draws": 8, "num_mode_samples": 300}
    | {"kid_subset_size": 100, "kid_subsets": 5, "memorisation_samples": 50}
    | {"two_sample_steps": 5, "path_samples": 20}
    | {"num_draws_on": {"tones": 3}, "dial_on": ["tones"], "num_dial_samples": 12},
    "claim": {"task": "digit", "whole": "digit", "num_samples": 12},
    "theory": {"discriminator": {"num_steps": 30}},
    "bayes": {
        "source": "folder",
        "folder": "mine/penguins",
        "num_held_out": 20,
        "num_draws": 50,
        "num_dial": 50,
        "regression": {"num_steps": 30},
        "engression": {"num_steps": 30},
        "cgan": {"num_steps": 30},
        "flow": {"num_steps": 30},
    },
}


def shrink(project: Path) -> None:
    """Few models, and settings with which a stage takes seconds."""
    yaml = YAML()
    content = yaml.load((project / "params.yaml").read_text())
    for section, changes in SMALL.items():
        content[section] |= changes
    content["datasets"] = {
        name: {**entry, "folder": f"mine/{name}", "features": {"width": 4, **SHORT}}
        for name, entry in DATASETS.items()
    }
    kept = {
        section: {name: content[section][name] for name in names} | OF_PAIRS.get(section, {})
        for section, names in FEW.items()
    }
    for section, entries in (kept | OWN).items():
        content[section] = copy.deepcopy(entries)
        for entry in content[section].values() if section != "tasks" else ():
            entry |= MODEL
            if "clusters" in entry:
                entry["clusters"] = 3
    for entry in content["toys"].values():
        entry["batch_size"] = 40
    content["tasks"]["stacked"]["num_stacks"] = 200
    yaml.dump(content, project / "params.yaml")


def make(project: Path) -> Path:
    """A small project: the code of this one, a git repository, DVC, its own data and settings."""
    project.mkdir(exist_ok=True)
    for entry in CODE:
        if (ROOT / entry).is_dir():
            shutil.copytree(ROOT / entry, project / entry, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / entry, project / entry)
    (project / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", project / ".dvc/config")
    shutil.copy(ROOT / ".dvc/.gitignore", project / ".dvc/.gitignore")
    write_strokes(project / "mine/digits")
    write_table(project / "mine/penguins")
    write_drawings(project / "mine/drawings")
    write_pairs(project / "mine/pairs")
    pin_drawings(project)
    shrink(project)
    run(project, "git init -q")
    commit(project)
    return project


def commit(project: Path) -> None:
    """Everything git does not ignore."""
    run(project, "git add -A")
    run(project, "git -c user.name=t -c user.email=t@t commit -qm everything")


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
