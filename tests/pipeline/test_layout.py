"""The shape of the house: imports go one way, and dvc.yaml says what the stages really read."""

import ast
import re
import shlex
from typing import Any

import pytest
from dvc.repo import Repo
from helpers.project import ROOT
from ruamel.yaml import YAML

from pipeline.runtime import own_files
from pipeline.runtime.fingerprint import imported
from stages import check

ROOMS = re.findall(r"^    (\w+)  ", (ROOT / "pipeline/__init__.py").read_text(), re.MULTILINE)
SEED = r"-\d+$"


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    """Every stage of dvc.yaml as DVC resolves it: name -> {cmd, deps, outs, params}."""
    resolved = {}
    with Repo(str(ROOT)) as repo:
        for stage in repo.index.stages:
            params = {name for dep in stage.deps for name in getattr(dep, "params", [])}
            deps = {dep.def_path for dep in stage.deps if not hasattr(dep, "params")}
            outs = {out.def_path for out in stage.outs}
            resolved[stage.addressing] = {"cmd": stage.cmd, "deps": deps, "outs": outs, "params": params}
    return resolved


def test_the_map_names_every_room_and_nothing_lies_outside_of_them():
    present = {path.name for path in (ROOT / "pipeline").iterdir() if path.name != "__pycache__"}
    assert len(ROOMS) == 13
    assert present == {*ROOMS, "__init__.py"}


def test_a_room_imports_only_from_itself_and_from_those_above_it():
    for file in (path.relative_to(ROOT) for path in (ROOT / "pipeline").rglob("*.py")):
        for name in imported(file):
            room = (*name.split("."), "")[1]
            assert name.split(".")[0] == "pipeline", f"{file} imports {name}"
            later = room and ROOMS.index(room) > ROOMS.index(file.parts[1])
            assert not later, f"{file} imports {name}, which comes later"


def test_only_tracking_imports_mlflow_and_only_stages_import_tracking():
    for file in (path.relative_to(ROOT) for path in (ROOT / "pipeline").rglob("*.py")):
        text = (ROOT / file).read_text()
        assert "tracking" in file.parts or "pipeline.tracking" not in imported(file), file
        assert "tracking" in file.parts or not re.search(r"^\s*(import|from) mlflow", text, re.MULTILINE), (
            file
        )


def test_heavy_libraries_are_imported_where_they_are_used():
    """MLflow and torchmetrics take seconds: not at the top of any module."""
    for file in [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "stages").rglob("*.py")]:
        top = [
            node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in top if isinstance(node, ast.ImportFrom) and node.module}
        assert not {
            name for name in names if name.split(".")[0] in ("mlflow", "torchmetrics", "torchvision")
        }, file


def test_a_stage_depends_on_the_fingerprint_of_its_own_code_and_of_no_other(stages):
    for name, stage in stages.items():
        code = {
            dep for dep in stage["deps"] if dep.split("/")[0] in ("pipeline", "stages") or "/code/" in dep
        }
        own = f"data/code/{re.sub(SEED, '', name)}.txt"
        assert code == ({"pipeline", "stages"} if name == "check" else {own}), name


def test_check_writes_a_fingerprint_for_every_stage_but_itself(stages, monkeypatch):
    monkeypatch.chdir(ROOT)
    written = [name for name, _ in check.stages()]
    assert len(written) == len(set(written))
    assert {*written, "check"} == {re.sub(SEED, "", name) for name in stages}


def test_dvc_yaml_is_one_page_of_stanzas_each_with_a_description():
    content = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
    assert len(content) <= 28
    assert all("desc" in stage.get("do", stage) for stage in content.values())


def test_every_output_lies_where_the_users_files_may_not(stages):
    outs = {out for stage in stages.values() for out in stage["outs"]}
    assert [out for out in outs if not out.startswith(own_files.GENERATED)] == []


def test_every_path_in_a_command_is_a_dep_or_an_out(stages):
    for name, stage in stages.items():
        paths = [
            word for word in shlex.split(stage["cmd"])[3:] if "/" in word or word in ("models", "reports")
        ]
        known = stage["deps"] | stage["outs"]
        for path in paths:
            inside = any(file.startswith(f"{path}/") for file in known)
            assert path in known or inside, f"{name}: {path} in its command is neither dep nor out"
        code = {dep for dep in known if dep in ("pipeline", "stages") or dep.startswith("data/code/")}
        for path in known - code - {"params.yaml", "data/none"}:  # which stages find by themselves
            assert any(path == word or path.startswith(f"{word}/") for word in paths), (
                f"{name}: {path} is not used"
            )


def test_the_lock_file_holds_no_stage_that_is_no_more(stages):
    """DVC takes none out, and reads and writes the whole file after every stage."""
    assert set(YAML(typ="safe").load((ROOT / "dvc.lock").read_text())["stages"]) == set(stages)


def test_generated_folders_are_ignored_by_git_so_that_dvc_writes_no_ignore_files(stages):
    ignored = (ROOT / ".gitignore").read_text()
    kept_in_git = {"reports/metrics", "reports/comparison.csv"}
    for stage in stages.values():
        for out in stage["outs"]:
            head = "/".join(out.split("/")[:2]) if out.startswith("reports/") else out.split("/")[0]
            assert f"/{head}" in ignored.replace("/\n", "\n") or head in kept_in_git, out


def test_no_function_is_longer_than_fifty_lines():
    for file in [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "stages").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 50, f"{file}: {node.name}"
