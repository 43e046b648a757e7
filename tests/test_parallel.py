"""Several processes make the steps that one would."""

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import shared_steps
import torch
from commands import COMMANDS, call
from conftest import edit, environment, run, wait_for
from inputs import write_inputs
from safetensors.torch import load_file

WITHOUT_BIAS = (
    "gans.r3gan",
    "gans.wgan-gp",
)  # whose losses D's bias leaves as they are: Adam follows rounding
torch.set_num_threads(1)
SCRIPT = Path(__file__).with_name("shared_steps.py")


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights after twenty steps that two processes shared."""
    folder = tmp_path_factory.mktemp("two")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    place |= {"PYTHONPATH": str(SCRIPT.parent.parent)}
    started = [
        subprocess.Popen([sys.executable, SCRIPT, folder], env=environment() | place | {"RANK": str(rank)})
        for rank in range(2)
    ]
    assert [process.wait(120) for process in started] == [0, 0]
    return folder


@pytest.mark.parametrize("section", shared_steps.SECTIONS)
def test_twenty_steps_of_two_processes_are_those_of_one(section: str, by_two: Path) -> None:
    alone = shared_steps.trained(section)
    first, second = (load_file(by_two / f"{section}-{rank}.safetensors") for rank in range(2))
    assert first.keys() == second.keys() == alone.keys()
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name
        difference = (first[name] - value).double()
        if name.endswith(".gradient"):
            assert difference.norm() < 1e-3 * value.norm(), name
        elif section not in WITHOUT_BIAS:
            assert difference.abs().max() < 1e-5, name


def test_a_dead_process_ends_the_training_in_one_line_and_fewer_processes_go_on(make_project):
    project, stage = make_project("launched"), "train_cgan@digit-0"
    section = {"num_steps": 400, "save_every": 20, "log_every": 20, "fid_every": 200}
    edit(project, {f"cgans.digit.{key}": value for key, value in section.items()} | {"launch.processes": 2})
    write_inputs(project)
    work, command = project / "runs" / stage, f"dvc repro --single-item {stage}"
    dvc = subprocess.Popen(
        command.split(),
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((work / "checkpoint.pt").exists)
    (second,) = (
        process for process in psutil.Process(dvc.pid).children(recursive=True) if is_second(process)
    )
    second.kill()
    _, told = dvc.communicate(timeout=60)
    assert dvc.returncode != 0
    assert "error: process 1 of 2 was ended by SIGKILL; the others were stopped" in told
    assert "Traceback" not in told
    assert not (project / "models/cgan-digit-0").exists()

    edit(project, {"launch.processes": 1})
    resumed = run(project, command)
    assert "resuming at step" in resumed.stdout, resumed.stdout + resumed.stderr
    steps = [
        line.split(",")[0] for line in (project / "models/cgan-digit-0/history.csv").read_text().splitlines()
    ]
    assert steps == ["step", *(str(step) for step in range(20, 401, 20))]


def is_second(process: psutil.Process) -> bool:
    return process.environ().get("RANK") == "1"


def test_a_batch_that_cannot_be_shared_out_is_refused(inside, settings, monkeypatch, capfd):
    settings({"launch.processes": 3})
    assert call(COMMANDS["train_cgan@digit-0"], monkeypatch) == 2
    told = "launch.processes = 3: batch_size = 32 of train_cgan@digit-0 must be a multiple of 3"
    assert told in capfd.readouterr().err
