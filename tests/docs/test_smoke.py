"""Commands of the documentation run, in a small project in which the whole pipeline has run: of each kind the
first that names nothing it lacks.
"""

import re
import shlex
from pathlib import Path

from helpers.pages import PAGES, commands
from helpers.project import run
from ruamel.yaml import YAML

KINDS = (
    *("dvc dag", "dvc exp show", "dvc metrics diff", "dvc metrics show", "dvc plots show", "dvc repro"),
    *("dvc stage list", "dvc status"),
    *("python -m stages.sample", "python -m stages.settings", "python -m stages.train --help"),
)
NAMED = re.compile(
    r"\w+@[\w-]+|(?:models|data/tasks)/[\w-]+|(?<=settings )\w+\.[\w-]+"
)  # stages, folders, entries


def found(project: Path, name: str) -> bool:
    """Whether a project has a stage, a folder or an entry of params.yaml."""
    if "@" in name:
        return name in YAML(typ="safe").load((project / "dvc.lock").read_text())["stages"]
    if "/" in name:
        return (project / name).exists()
    section, entry = name.split(".")
    return entry in YAML(typ="safe").load((project / "params.yaml").read_text())[section]


def first(project: Path, kind: str) -> str:
    """A command of the documentation, without its comment and for the first condition there is."""
    lines = (shlex.join(shlex.split(line, comments=True)) for page in PAGES for line in commands(page))
    for line in lines:
        if (
            line.startswith(kind)
            and not re.search(r"--force|--pull|&|play", line)
            and all(found(project, name) for name in NAMED.findall(line))
            and (kind != "dvc repro" or "@" in line)
        ):
            return re.sub(r"--condition \d+", "--condition 0", line)
    raise AssertionError(f"no {kind} of the documentation names what the small project has")


def test_commands_run(finished: Path) -> None:
    for kind in KINDS:
        line = first(finished, kind)
        done = run(finished, line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "rror" not in done.stderr, f"{line}\n{done.stderr}"
    picture = finished / next(word for word in first(finished, KINDS[8]).split() if word.endswith(".png"))
    assert picture.read_bytes().startswith(b"\x89PNG")
    picture.unlink()
