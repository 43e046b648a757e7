"""What is told of a machine before anything is installed there, and when the set-up stops."""

import ast
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.project import ROOT, environment

import doctor


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of commands, and nothing else on the PATH; those of the shell are there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "make", "git", "expr", "getconf", "grep"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def command(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def make(tmp_path: Path, tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """make in a folder with this project's Makefile, doctor and nothing that is installed."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("Makefile", "doctor.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, project / name)
    kept = {"PATH": str(tools), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
    return subprocess.run(
        [str(tools / "make"), *arguments], cwd=project, env=kept, capture_output=True, text=True
    )


def test_it_is_written_in_what_an_old_python_understands_with_nothing_installed():
    tree = ast.parse((ROOT / "doctor.py").read_text(), feature_version=(3, 8))
    nodes = list(ast.walk(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    builtins = {
        node.value.id for node in nodes if isinstance(node, ast.Subscript) and hasattr(node.value, "id")
    }
    assert not builtins & {"list", "dict", "tuple", "set", "type"}  # which 3.8 cannot subscript


def test_a_line_each_and_exit_code_0_where_nothing_is_missing():
    done = subprocess.run(
        [sys.executable, ROOT / "doctor.py", "--jobs", "1"],
        env=environment() | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
    )
    lines = [re.split(r"  +", line, maxsplit=2) for line in done.stdout.splitlines()]
    first = ["Python", "git", "make", "compiler", "disk", "memory", "cores"]
    assert [name for _, name, _ in lines] == [*first, "port 5000", "port 8765", "index", "GPU"]
    missing = [name for state, name, _ in lines if state == "missing"]
    assert done.returncode == bool(missing)
    assert lines[0][0] == "ok"
    assert lines[0][2].startswith("{}.{}.{}, ".format(*sys.version_info))


def test_a_compiler_is_named_and_its_lack_is_a_warning(monkeypatch, tools):
    command(tools, "some-cc", "echo some compiler 12.2")
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("CC", "some-cc")
    assert doctor.compiler() == ("compiler", "ok", "some compiler 12.2")
    monkeypatch.delenv("CC")
    assert doctor.compiler()[1:] == (
        "warning",
        "no C compiler: without one, trainings take 1.3 to 1.8 times as long",
    )


def test_an_old_python_is_missing_and_one_that_would_do_is_named(tools, monkeypatch):
    command(tools, "python3", "echo 3.8.10")
    command(tools, "python3.12", "echo 3.12.1")
    monkeypatch.setenv("PATH", str(tools))
    found = doctor.python("python3")
    assert found.state == doctor.MISSING
    assert "python3 is 3.8.10; 3.11 or later is needed" in found.said
    assert found.said.endswith(f"make PYTHON={tools}/python3.12")
    assert doctor.python("python3.12").state == doctor.OK
    (tools / "python3.12").unlink()
    assert "install it" in doctor.python("python3").said
    assert "python3.11 does not run" in doctor.python("python3.11").said
    command(tools, "python3.11", '[ "$1" = --version ]')  # as Debian's, without venv
    assert "apt install python3-venv" in doctor.python("python3.11").said


def test_too_little_disk_is_missing_and_too_little_for_pip_a_warning(tmp_path, monkeypatch):
    free = {str(tmp_path): 12e9, doctor.tempfile.gettempdir(): 20e9}
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free[folder]))
    assert doctor.disk(tmp_path).state == doctor.OK
    free[doctor.tempfile.gettempdir()] = 1e9
    assert doctor.disk(tmp_path).state == doctor.WARNING
    assert "TMPDIR" in doctor.disk(tmp_path).said
    free[str(tmp_path)] = 9e9
    assert doctor.disk(tmp_path) == ("disk", doctor.MISSING, "9 GB free, about 10 needed")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.ready").touch()  # nothing more to install
    assert doctor.disk(tmp_path).state == doctor.OK


def test_memory_for_fewer_stages_than_cores_is_a_warning_with_a_number(monkeypatch):
    size = 4 * doctor.MEMORY
    monkeypatch.setattr(doctor, "memory_bytes", lambda: size)
    assert doctor.memory(4).state == doctor.OK
    assert doctor.memory(5).state == doctor.WARNING
    assert "make repro JOBS=4," in doctor.memory(5).said
    size = 0.8 * doctor.MEMORY
    assert doctor.memory(1).state == doctor.MISSING


def test_the_memory_is_this_machines_or_less():
    found = doctor.memory_bytes()
    assert found is not None
    assert 2**28 < found <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_port_that_is_taken_is_a_warning_that_says_how_to_take_another(silent, closed):
    found = doctor.port(silent, "make ui", "PORT")
    assert found.state == doctor.WARNING
    assert found.said.endswith("make ui PORT=another")
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert doctor.port(free, "make ui", "PORT").state == doctor.OK


class Refusing(http.server.BaseHTTPRequestHandler):
    """An index that takes no HEAD, as some do."""

    def do_HEAD(self) -> None:
        self.send_error(405)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_index_that_says_anything_answers_and_no_password_is_shown(refusing, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    found = doctor.index(f"http://me:secret@127.0.0.1:{refusing}/simple")
    assert found == ("index", doctor.OK, f"127.0.0.1:{refusing} answers")


def test_an_index_that_is_away_or_silent_is_a_warning(closed, silent, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    for port in (closed, silent):
        found = doctor.index(f"http://me:secret@127.0.0.1:{port}/simple", patience=0.5)
        assert found.state == doctor.WARNING
        assert "no answer" in found.said
        assert "secret" not in found.said


def test_the_index_is_the_one_that_pip_is_told_of(monkeypatch):
    listed = "global.index-url='https://a.example/simple'\nglobal.timeout='9'"
    monkeypatch.setattr(doctor, "answer", lambda *_: listed)
    for name in ("PIP_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    assert doctor.index_url("python3") == "https://a.example/simple"
    listed += "\ninstall.index-url='https://b.example/simple'"
    assert doctor.index_url("python3") == "https://b.example/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://c.example/simple")
    assert doctor.index_url("python3") == "https://c.example/simple"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert doctor.index_url("python3") == ""
    assert doctor.index("").state == doctor.WARNING
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_INDEX_URL")
    # as of pip install --help
    listed = "  -i, --index-url <url>  Base URL (default\n     https://usual.example/simple). This"
    assert doctor.index_url("python3") == "https://usual.example/simple"
    listed = ""
    assert doctor.index_url("python3") is None
    assert doctor.index(None).state == doctor.WARNING


def test_pip_says_which_index_is_its_own(monkeypatch):
    for name in ("PIP_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert re.fullmatch(r"https://\S+/simple/?", doctor.index_url(sys.executable) or "")


def test_gpus_are_named(tools, monkeypatch):
    monkeypatch.setenv("PATH", str(tools))
    assert "CPU_INDEX" in doctor.gpu().said
    command(tools, "nvidia-smi", "echo 'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)'")
    assert doctor.gpu() == ("GPU", doctor.OK, "NVIDIA H100 80GB HBM3")


def test_the_set_up_stops_before_it_makes_or_fetches_anything_if_something_is_missing(tmp_path, tools):
    command(tools, "python3", f'[ "$1" = -c ] && echo 3.9.2 && exit; exec {sys.executable} "$@"')
    done = make(tmp_path, tools, "setup")
    assert done.returncode == 2
    assert re.search(r"^missing  Python .* 3\.11 or later is needed", done.stdout, re.M), done.stdout
    assert "error: missing or too small: Python" in done.stderr
    assert "Setting up" not in done.stdout
    assert not (tmp_path / "project/.venv").exists()


def test_without_any_python_one_line_says_so(tmp_path, tools):
    done = make(tmp_path, tools, "setup")
    assert done.returncode == 2
    assert done.stderr.startswith("error: Python 3.11 or later is needed, and none is found")


def test_pytorch_without_cuda_comes_only_if_asked_for_and_from_its_index_alone(tmp_path, tools):
    command(tools, "python3", "echo 3.11.2")
    (usual := tmp_path / "usual").mkdir()
    (asked := tmp_path / "asked").mkdir()
    assert "--index-url" not in (text := make(usual, tools, "--dry-run", "setup").stdout)
    assert text.count("pip install") == 1
    lines = make(asked, tools, "--dry-run", "setup", "CPU_INDEX=https://cpu.example/whl").stdout.splitlines()
    first, second = (line for line in lines if "pip install" in line)
    assert first.endswith("--no-deps --index-url 'https://cpu.example/whl' torch torchvision")
    assert "--constraint constraints.txt" in first  # the same version
    assert second.endswith("--editable '.[dev]'")
    (check,) = (line for line in lines if "torch.version.cuda" in line)
    program = re.search(r"-c '(.*)'$", check)
    assert program
    for cuda, code in (("None", 0), ("'13.0'", 1)):
        fake = (
            f"import sys, types; torch = types.SimpleNamespace(version=types.SimpleNamespace(cuda={cuda}))\n"
        )
        fake += "sys.modules['torch'] = torch\n"
        assert (
            subprocess.run([sys.executable, "-c", fake + program[1]], capture_output=True).returncode == code
        )
