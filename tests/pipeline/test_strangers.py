"""Folders as strangers have them, from `inspect` to the report, by what it says is to be written into
params.yaml and nothing else.
"""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from dvc.repo import Repo
from helpers.commands import call
from helpers.pair_files import Colour, save
from helpers.project import MODEL, SHORT, edit, run
from networkx import topological_sort
from PIL import Image
from ruamel.yaml import YAML

from pipeline.tracking import outbox
from stages.sections import CLAIMED

NUM_FILES = 60
SIDE = 24
EMPTY = "regressions", "engressions", "cgans", "flows", "gans", "stacked", "ablations", "toys"
KEPT = {"datasets": "digits", "tasks": "digit"}  # which the report shows whatever else there is
CLASSES: dict[str, Colour] = {"cat": (200, 120, 40), "dog": (90, 60, 30), "fish": (40, 110, 200)}


def box(i: int) -> np.ndarray:
    """(SIDE, SIDE) bool: a box somewhere, another one each time."""
    top, left = i % 10, i // 10
    inside = np.zeros((SIDE, SIDE), bool)
    inside[top : top + 9 + i % 3, left : left + 9 + i % 4] = True
    return inside


def seen(inside: np.ndarray, colour: Colour, i: int) -> np.ndarray:
    """A photograph of a box of that colour, under an uneven light."""
    source = np.random.default_rng(i)
    light = np.linspace(0.6, 1, SIDE)[:, None, None] * source.uniform(0.8, 1)
    pixels = np.where(inside[..., None], colour, source.uniform(60, 120, 3)) * light
    return (pixels + source.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)


def facades(folder: Path) -> None:
    """Photographs and maps of what is where, by extension, as CMP's."""
    for i in range(NUM_FILES // 2):
        save(folder / f"base/cmp_{i:04}.jpg", seen(box(i), (180, 150, 120), i))
        labels = Image.fromarray(np.where(box(i), 2, 1).astype(np.uint8), "P")
        labels.putpalette([0, 0, 0, 0, 0, 170, 255, 0, 0])
        save(folder / f"base/cmp_{i:04}.png", labels)


def microscopy(folder: Path) -> None:
    """12 bits in files of 16, and masks of 0, 1 and 2."""
    for i in range(NUM_FILES // 2):
        source, mask = np.random.default_rng(i), box(i).astype(np.uint8)
        mask[16:20, 2:7] = 2
        counts = 300 + 1500.0 * mask + source.normal(0, 60, mask.shape)
        save(folder / f"images/cell{i}.tif", counts.clip(0, 4095).astype(np.uint16))
        save(folder / f"masks/cell{i}.png", mask)


def phone(folder: Path) -> None:
    """Photographs, upright and across, in a camera's folders."""
    for i in range(NUM_FILES):
        pixels = seen(box(i), (200, 60, 60), i)
        upright = np.concatenate([pixels, pixels[::-1][:8]])
        save(folder / f"DCIM/10{i % 2}APPLE/IMG_{i:04}.JPG", upright if i % 3 else upright.transpose(1, 0, 2))


def animals(folder: Path) -> None:
    """A folder a class, as torchvision's ImageFolder reads it."""
    for i in range(NUM_FILES):
        name = list(CLASSES)[i % 3]
        save(folder / name / f"{i}.jpg", seen(box(i), CLASSES[name], i))


class Folder(NamedTuple):
    write: Callable[[Path], None]
    told: tuple[str, ...]  # what `inspect` says of it
    answer: dict[str, str] = {}  # to what it asks


FOLDERS = {
    "facades": Folder(
        facades, ("or pairs? ", "say a: jpg and b: png"), {"kind": "pairs", "a": "png", "b": "jpg"}
    ),
    "microscopy": Folder(microscopy, ("kind: pairs", "3 labels", "12 bits")),
    "phone": Folder(phone, ("kind: images", "every image by itself")),
    "animals": Folder(animals, ("kind: labelled", "3 classes")),
}


@pytest.fixture(scope="module")
def project(make_project: Callable[[str], Path]) -> Path:
    """A small one that has nothing but what it is told to try."""
    folder, yaml = make_project("strangers"), YAML(typ="safe")
    content = yaml.load((folder / "params.yaml").read_text())
    content |= {section: {} for section in EMPTY}
    content |= {section: {name: content[section][name]} for section, name in KEPT.items()}
    content["evaluate"] |= {"num_draws_on": {}, "dial_on": []}
    content["claim"] = {"task": "animals", "whole": "animals"}
    yaml.dump(content, folder / "params.yaml")
    return folder


def inspected(project: Path, name: str) -> tuple[str, dict[str, Any]]:
    """What `inspect` says of own/NAME, and the entries that it says are to be written."""
    done = run(project, f"python -m stages.inspect own/{name}")
    assert done.returncode == 0, done.stdout + done.stderr
    words, written = done.stdout.split("\nIn params.yaml:\n")
    written = written.replace("mine:", f"{name}:").replace("data: mine", f"data: {name}")
    return words, YAML(typ="safe").load(written)


def run_all(project: Path, patched: pytest.MonkeyPatch) -> None:
    """Every stage as DVC has it, in an order of DVC's, in this process, as most of a stage's time is its
    start. What each reads and writes is where dvc.yaml says.
    """
    patched.chdir(project)
    patched.setattr(outbox.Outbox, "put", lambda self, call: None)
    with Repo() as repo:
        for stage in reversed([*topological_sort(repo.index.graph)]):
            assert [dep.def_path for dep in stage.deps if not Path(dep.fs_path).exists()] == []
            python, option, module, *arguments = shlex.split(stage.cmd)
            assert (python, option, module[:7]) == ("python", "-m", "stages.")
            assert call(" ".join([module[7:], *arguments]), patched) == 0, stage.addressing
            assert [out.def_path for out in stage.outs if not Path(out.fs_path).exists()] == []


@pytest.mark.filterwarnings("ignore")  # as when DVC runs the stages
def test_from_inspect_to_a_report_with_own_names(project, monkeypatch):
    before = (project / "dvc.yaml").read_bytes()
    for name, folder in FOLDERS.items():
        folder.write(project / "own" / name)
        words, entries = inspected(project, name)
        assert all(each in words for each in folder.told), words
        entries["datasets"][name] |= folder.answer | {"image_size": 16, "features": {"width": 4, **SHORT}}
        if folder.answer:
            entries["tasks"][name]["condition"] = "ab"
        if name == "animals":  # of which the claim's page is made, so that all methods answer
            entries |= {section: {name: dict(MODEL)} for section in CLAIMED}
        else:
            del entries["regressions"]  # the other model takes half of the time
            entries["cgans"][name] |= MODEL
        edit(project, {f"{section}.{name}": entries[section][name] for section in entries})
        told = run(project, f"python -m stages.inspect own/{name} --name {name}").stdout
        assert "left out:" not in told
        assert "as it seems" not in told
    run_all(project, monkeypatch)
    assert (project / "dvc.yaml").read_bytes() == before
    page = (project / "reports/index.html").read_text()
    table = (project / "reports/comparison.csv").read_text()
    for name in FOLDERS:
        assert f"<h3>{name}</h3>" in page
        assert f'id="posteriors-{name}"' in page
        assert f"\ncgan-{name},0," in table
