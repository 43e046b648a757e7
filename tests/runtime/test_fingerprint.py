"""A stage's fingerprint: its own code, all of it and no more."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project import ROOT

from pipeline.runtime import fingerprint as fingerprints

FILES = {
    "pipeline/__init__.py": '"""The map."""\n\nROOMS = ("a", "b")\n',
    "pipeline/a.py": "import os\n",
    "pipeline/b.py": "from pipeline import a\n",
    "pipeline/c.py": "def late():\n    from pipeline.page import text\n",
    "pipeline/page/__init__.py": "",
    "pipeline/page/text.py": "import json\n",
    "pipeline/page/page.html": "<p>\n",
    "pipeline/page/.swap": "",
    "pipeline/tasks/__init__.py": "",
    "pipeline/tasks/label.py": "import pipeline.b\n",
    "stages/__init__.py": "from pipeline import a\n",
    "stages/one.py": "import pipeline.b\n",
    "stages/two.py": "from pipeline.c import late\n",
}
ALWAYS = {"pipeline/__init__.py", "stages/__init__.py", "pipeline/a.py"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*modules: str) -> set[str]:
    return {file.as_posix() for file in fingerprints.code(modules)}


def test_code_is_what_a_module_imports_anywhere_and_the_templates_beside_it(project):
    assert names("stages.one") == ALWAYS | {"stages/one.py", "pipeline/b.py"}
    pages = {"pipeline/page/__init__.py", "pipeline/page/text.py", "pipeline/page/page.html"}
    assert names("stages.two") == ALWAYS | pages | {"stages/two.py", "pipeline/c.py"}


def test_modules_loaded_by_name_count_where_they_are_given(project):
    found = names("stages.two", "pipeline.tasks.label")
    loaded = {"pipeline/tasks/__init__.py", "pipeline/tasks/label.py", "pipeline/b.py"}
    assert found - names("stages.two") == loaded


def test_a_fingerprint_has_a_line_a_file_in_the_order_of_their_paths(project):
    lines = [line.split("  ") for line in fingerprints.fingerprint("stages.one").splitlines()]
    assert [path for _, path in lines] == sorted(names("stages.one"))
    assert all(number == fingerprints.code_hash(Path(path)) for number, path in lines)
    assert {len(number) for number, _ in lines} == {64}


@pytest.mark.parametrize(
    ("changed", "one", "two"),
    [("pipeline/b.py", True, False), ("pipeline/page/page.html", False, True), ("pipeline/a.py", True, True)],
)
def test_a_changed_file_changes_the_fingerprints_of_those_that_import_it(project, changed, one, two):
    before = {name: fingerprints.fingerprint(f"stages.{name}") for name in ("one", "two")}
    with (project / changed).open("a") as file:
        file.write("more = 1\n")
    fingerprints.analysed.cache_clear()
    after = {name: fingerprints.fingerprint(f"stages.{name}") for name in ("one", "two")}
    assert (before["one"] != after["one"], before["two"] != after["two"]) == (one, two)


CODE = '''\
"""What it is."""


class Box:
    """Holds a number."""

    size = 3

    def double(self, by: int = 2) -> int:
        """Twice as much."""
        return self.size * by
'''


def hash_of(path: Path, text: str) -> str:
    path.write_text(text)
    fingerprints.analysed.cache_clear()
    return fingerprints.code_hash(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Holds a number.", "Has one."),
        ('"""What it is."""\n', ""),
        ("size = 3", "size = 3  # boxes\n    # as ever"),
        ("self.size * by", "(\n            self.size * by\n        )"),
        ("size = 3\n", "size = 3\n\n\n\n"),
        ("        return", '        "a string that stands by itself"\n        return'),
    ],
)
def test_comments_docstrings_and_layout_do_not_change_a_hash(tmp_path, old, new):
    assert old in CODE
    assert hash_of(tmp_path / "box.py", CODE.replace(old, new)) == hash_of(tmp_path / "box.py", CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size = 3", "size = 4"),
        ("size = 3", "size = 3.0"),
        ("int = 2", "int = 3"),
        ("self.size * by", "by * self.size"),
        ("double", "twice"),
        ("    size = 3\n", ""),
        ("        return", '        by = "a string with a name"\n        return'),
    ],
)
def test_code_changes_a_hash(tmp_path, old, new):
    assert old in CODE
    assert hash_of(tmp_path / "box.py", CODE.replace(old, new)) != hash_of(tmp_path / "box.py", CODE)


def test_a_module_of_nothing_but_docstrings_has_a_hash(tmp_path):
    assert hash_of(tmp_path / "map.py", '"""The map."""\n') == hash_of(tmp_path / "map.py", "")


def test_all_of_this_project_that_python_loads_for_a_stage_is_in_its_fingerprint(monkeypatch):
    """The interpreter says which files it has loaded."""
    program = (
        "import sys, stages.report\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('pipeline', 'stages')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {Path(name).relative_to(ROOT) for name in done.stdout.split()}
    assert len(loaded) > 20
    monkeypatch.chdir(ROOT)
    assert loaded <= fingerprints.closure(["stages.report"])
