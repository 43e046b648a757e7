"""What `check` writes: an edited file puts out of date the stages whose entries need it, and no other."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from helpers.commands import COMMANDS, call
from helpers.inputs import fingerprints
from helpers.project import ROOT, edit

STYLED = {"train_gan@styled", "evaluate_gan@styled"}
TEXT = {"task@text", "evaluate_real@text", "train_cgan@text", "evaluate_cgan@text"}
REGRESSIONS = {
    f"{stage}_regression@{name}" for stage in ("train", "evaluate") for name in ("digit", "sketch")
}
ENGRESSIONS = {"train_engression@digit", "evaluate_engression@digit"}
FLOWS = {f"{stage}_flow@{name}" for stage in ("train", "evaluate") for name in ("digits", "digit", "tones")}
CHANGED = {  # a file -> the stages that run it, said here once more, by hand
    "pipeline/networks/stylegan2.py": STYLED,
    "pipeline/networks/denoiser.py": FLOWS | {"claim", "play"},
    "pipeline/networks/denoiser_points.py": {"train_toy@ring-flow", "play"},
    "pipeline/tasks/text.py": TEXT,
    "pipeline/methods/engression.py": ENGRESSIONS | {"theory", "claim", "play"},
    "pipeline/methods/flow.py": FLOWS | {"train_toy@ring-flow", "theory", "claim", "play"},
    "pipeline/methods/contrastive.py": {"train_features@drawings", "train_features@pairs"},
    "pipeline/data/download/mnist.py": {"download@digits", "prepare@digits", "report"},
    "pipeline/data/sets/faces.py": set(),  # a kind of no data set
    "pipeline/data/own/layouts.py": {"download@pairs", "prepare@pairs", "report"},
    "pipeline/tasks/ab.py": {f"{stage}@pairs" for stage in ("task", "evaluate_real", "train_cgan")}
    | {"evaluate_cgan@pairs"},
    "pipeline/networks/line.py": {"theory", "play"},
    "pipeline/report/index.html": {"claim", "report"},
    "pipeline/play/recorded_points.js": {"play"},
    "stages/theory.py": {"theory"},
    "stages/sections.py": {"claim", "report", "play"},  # so that a new family of models trains no other again
}


@pytest.fixture(scope="module")
def project(make_project) -> Path:
    """A small one, with an entry that no other shares its network with."""
    folder = make_project("fingerprints")
    edit(folder, {"gans.styled": {"network": "stylegan2"}})
    return folder


@pytest.fixture(scope="module")
def before(project) -> dict[str, str]:
    """The fingerprints of its code, unchanged."""
    return fingerprints(project)


@pytest.fixture(scope="module")
def after(project, before) -> dict[str, str]:
    """Those with all of these files changed: each file has a line of its own in them."""
    texts = {project / file: (project / file).read_text() for file in CHANGED}
    for path, text in texts.items():
        path.write_text(f"{text}\nADDED = 1\n")
    found = fingerprints(project)
    for path, text in texts.items():
        path.write_text(text)
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[tuple[str, str]]:
    """Stages whose fingerprints differ, each with a file in whose line they do."""
    assert before.keys() == after.keys()
    lines = (
        (stage, line)
        for stage in before
        for line in {*before[stage].split("\n")} ^ {*after[stage].split("\n")}
    )
    return {(stage, line.split()[1]) for stage, line in lines}


@pytest.mark.parametrize("file", CHANGED)
def test_a_changed_file_changes_the_fingerprints_of_the_entries_that_need_it(file, before, after):
    assert {stage for stage, where in changed(before, after) if where == file} == CHANGED[file]


def test_no_other_file_changes_with_them(before, after):
    assert {where for _, where in changed(before, after)} <= CHANGED.keys()


def test_a_changed_docstring_or_comment_changes_no_fingerprint(project, before):
    files = [*(project / "pipeline").rglob("*.py"), *(project / "stages").rglob("*.py")]
    texts = {file: file.read_text() for file in files}
    for file, text in texts.items():
        file.write_text("\n\n# changed\n" + text.replace('"""', '"""In other words: ', 1))
    assert sum(text.startswith('"""') for text in texts.values()) > 90
    after = fingerprints(project)
    for file, text in texts.items():
        file.write_text(text)
    assert after == before


@pytest.mark.parametrize(
    "stage", ["task@text", "train_cgan@text-0", "evaluate_flow@tones-0", "theory", "play"]
)
def test_all_code_that_a_stage_loads_while_it_runs_is_in_its_fingerprint(stage, inside, monkeypatch):
    """Of this project nothing is loaded before it starts."""
    for name in ours():
        monkeypatch.delitem(sys.modules, name)
    try:
        assert call(COMMANDS[stage], monkeypatch) == 0
        loaded = {str(Path(module.__file__ or "").relative_to(ROOT)) for module in ours().values()}
    finally:
        for name in ours():
            del sys.modules[name]
    known = (inside / f"data/code/{stage.removesuffix('-0')}.txt").read_text()
    assert len(loaded) > 20
    assert loaded <= {line.split()[1] for line in known.splitlines()}


def ours() -> dict[str, ModuleType]:
    """The modules of this project that are loaded."""
    return {
        name: module for name, module in sys.modules.items() if name.split(".")[0] in ("pipeline", "stages")
    }
