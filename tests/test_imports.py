"""A stage's fingerprint: its own code, all of it and no more."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pipeline.runtime import fingerprint as imports

FILES = {
    "pipeline/__init__.py": '"""The map."""\n\nLAYERS = ("a", "b")\n',
    "pipeline/a.py": "import os\n",
    "pipeline/b.py": "from pipeline import a\n",
    "pipeline/c.py": "def late():\n    from pipeline.page import text\n",
    "pipeline/page/__init__.py": "",
    "pipeline/page/text.py": "import json\n",
    "pipeline/page/page.html": "<p>\n",
    "pipeline/page/.swap": "",
    "stages/__init__.py": "from pipeline import a\n",
    "stages/one.py": "import pipeline.b\n",
    "stages/two.py": "from pipeline.c import late\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_code_is_what_a_module_imports_anywhere_and_the_templates_beside_it(project):
    assert {file.as_posix() for file in imports.code("stages.one")} == {
        "stages/__init__.py",
        "stages/one.py",
        "pipeline/a.py",
        "pipeline/b.py",
    }
    assert {file.as_posix() for file in imports.code("stages.two")} == {
        "stages/__init__.py",
        "stages/two.py",
        "pipeline/a.py",
        "pipeline/c.py",
        "pipeline/page/text.py",
        "pipeline/page/page.html",
    }


@pytest.mark.parametrize(
    ("changed", "one", "two"),
    [("pipeline/b.py", True, False), ("pipeline/page/page.html", False, True), ("pipeline/a.py", True, True)],
)
def test_a_changed_file_changes_the_fingerprints_of_those_that_import_it(project, changed, one, two):
    before = {name: imports.fingerprint(f"stages.{name}") for name in ("one", "two")}
    with (project / changed).open("a") as file:
        file.write("# another line\n")
    imports.parsed.cache_clear()
    after = {name: imports.fingerprint(f"stages.{name}") for name in ("one", "two")}
    assert (before["one"] != after["one"], before["two"] != after["two"]) == (one, two)


@pytest.mark.parametrize("stage", ["train_image_cgan", "evaluate", "report"])
def test_all_of_this_project_that_python_loads_for_a_stage_is_in_its_fingerprint(stage):
    """Of files with code; the interpreter says which it has loaded."""
    program = (
        f"import sys, stages.{stage}\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('pipeline', 'stages')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {Path(name).relative_to(ROOT) for name in done.stdout.split() if name != "None"}
    assert len(loaded) > 20
    assert {file for file in loaded if not imports.is_inert(file)} <= imports.closure(f"stages.{stage}")
