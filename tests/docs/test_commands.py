"""Every command of the documentation means something: its target, stage, section and key exist."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from dvc.cli.parser import DvcParserError, get_main_parser
from dvc.repo import Repo
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from helpers.pages import PAGES, commands
from helpers.project import ROOT
from ruamel.yaml import YAML

from pipeline.methods.schedule import Budget
from pipeline.runtime import params
from stages import sections

OPERATORS = {"&&", "||", ";", "|", "&", "(", ")", ">", "<"}
MAKEFILE = (ROOT / "Makefile").read_text()


def words(line: str) -> Iterator[list[str]]:
    """The simple commands of a line, in words, without comments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found = list[str]()
    for word in lexer:
        if word in OPERATORS:
            yield found
            found = []
        else:
            found.append(word)
    yield found


CASES = sorted({(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in commands(page)})


def names(content: dict[str, Any]) -> set[str]:
    """All stages of dvc.yaml, and its stanzas, with these parameters."""
    found = set[str]()
    for stanza, stage in YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"].items():
        found.add(stanza)
        if "foreach" in stage:
            found |= {f"{stanza}@{key}" for key in content[stage["foreach"][2:-1]]}
        elif "matrix" in stage:
            entries = content[stage["matrix"]["name"][2:-1]]
            found |= {f"{stanza}@{name}-{seed}" for name in entries for seed in content["seeds"]}
    return found


def load(path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(path.read_text())


def test_stages_are_those_that_dvc_resolves():
    with Repo(str(ROOT)) as repo:
        assert {stage.addressing for stage in repo.index.stages} <= names(load(ROOT / "params.yaml"))


def test_commands_are_found_in_blocks_and_in_running_text():
    assert len(CASES) > 80
    assert ("docs/tutorial/04-bayes.md", "dvc exp run -S bayes.noise=2.0 theory") in CASES
    assert {page for page, _ in CASES} > {"README.md", "docs/team.md", "docs/tutorial/08-mode-collapse.md"}


@pytest.mark.parametrize(("page", "line"), CASES)
def test_a_command_names_what_there_is(page, line, tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    for command in filter(None, words(line)):
        if command[0] == "dvc":
            check_dvc(command[1:], tmp_path / "params.yaml")
        elif command[0] == "make":
            check_make(command[1:])
        elif command[:2] == ["python", "-m"]:
            check_module(command[2], command[3:])


def check_dvc(arguments: list[str], path: Path) -> None:
    """DVC's own parser takes the line; its stages exist, with the numbers that it sets."""
    try:
        asked = get_main_parser().parse_args(arguments)
    except DvcParserError:  # in running text a command may stand without what it is for
        with pytest.raises(SystemExit):
            get_main_parser().parse_args([*arguments, "--help"])
        assert all(re.fullmatch("[a-z]+", word) for word in arguments)
        return
    runs = arguments[:1] in (["repro"], ["status"]) or arguments[:2] == ["exp", "run"]
    sets, targets = getattr(asked, "set_param", None) or [], asked.targets if runs else []
    original = path.read_text()
    for overrides in get_hydra_sweeps({"params.yaml": sets}) if sets else [{}]:
        path.write_text(original)
        if overrides:
            apply_overrides(path, overrides["params.yaml"])
            for override in overrides["params.yaml"]:
                check_settings(override.lstrip("+~").partition("=")[0])
        assert set(targets) <= names(load(path))


def check_settings(key: str) -> None:
    """The project's own check of what a key of params.yaml belongs to."""
    section, _, rest = key.partition(".")
    entry = f"{section}.{rest.partition('.')[0]}"
    params.check_name(key, section, sections.SECTIONS)
    if section in ("seeds", "budget"):
        params.read(section, {"seeds": sections.Seeds, "budget": Budget}[section])
    else:
        sections.settings(section if section in sections.SINGLE else entry)


def check_make(arguments: list[str]) -> None:
    rules, variables = (
        set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)),
        set(re.findall(r"\$\((\w+)\)", MAKEFILE)),
    )
    for word in arguments:
        name, is_variable, _ = word.partition("=")
        assert name in (variables if is_variable else rules), word


def check_module(name: str, arguments: list[str]) -> None:
    """The stage's own parser takes the line, its folders there; keys, models and tasks exist."""
    module = importlib.import_module(name)
    if not name.startswith("stages.") or "--help" in arguments:
        return
    app = typer.Typer(add_completion=False)
    app.command()(module.main)
    command = typer.main.get_command(app)
    for word in (
        each for each in arguments if "/" in each and not Path(each).suffix
    ):  # in a folder of the test
        Path(word).mkdir(parents=True, exist_ok=True)
    command.make_context(name, list(arguments))
    if name == "stages.settings":
        assert arguments[0] in sections.keys()  # noqa: SIM118
    for word in arguments:
        if word.startswith("data/tasks/"):
            assert word.split("/")[2] in sections.entries("tasks")
        if word.startswith("models/"):
            family, _, entry = word.split("/")[1].removesuffix("-0").partition("-")
            section = next(key for key, each in sections.FAMILIES.items() if each.stage == family)
            assert entry in sections.entries(section)


@pytest.mark.parametrize(
    "line",
    [
        "dvc repro evaluate_gan@dcgann-0",
        "dvc exp run -S gans.dcgan.lerning_rate=0.1",
        "dvc exp run -S '++gans.dcgan.loss=smooth' evaluate_gan@dcgan-0",
        "dvc exp run -S gans.dcgan.num_steps=-1",
        "dvc repro --fource",
        "make reproo",
        "make play PROT=1",
        "python -m stages.settings cgans.skech",
        "python -m stages.sample models/cgan-skech-0 data/tasks/sketch out.png",
        "python -m stages.sample models/cgan-sketch-0 data/tasks/sketch out.png --steps 3",
        "python -m stages.trian",
    ],
)
def test_a_mistake_in_a_command_is_found(line, tmp_path, monkeypatch):
    with pytest.raises((Exception, SystemExit)):
        test_a_command_names_what_there_is("", line, tmp_path, monkeypatch)
