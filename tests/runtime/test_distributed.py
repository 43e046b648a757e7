"""Several processes make the steps that one would."""

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from helpers import shared_steps, small_training
from helpers.project import ROOT, environment, wait_for
from safetensors.torch import load_file

from pipeline.runtime import distributed
from pipeline.runtime.errors import InputError

WITHOUT_BIAS = ("gans.r3gan", "gans.wgan-gp")  # whose losses D's bias does not change: Adam follows rounding


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights after eight steps that two processes shared."""
    folder = tmp_path_factory.mktemp("two")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    place |= {"PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(
            [sys.executable, shared_steps.__file__, folder], env=environment() | place | {"RANK": str(rank)}
        )
        for rank in range(2)
    ]
    assert [process.wait(300) for process in started] == [0, 0]
    return folder


@pytest.mark.parametrize("section", shared_steps.SECTIONS)
def test_eight_steps_of_two_processes_are_those_of_one(section: str, by_two: Path) -> None:
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


def start(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *shlex.split(small_training.COMMAND)],
        cwd=project,
        env=environment() | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_dead_process_ends_the_training_in_one_line_and_fewer_processes_go_on(tmp_path: Path) -> None:
    small_training.write(tmp_path, processes=2, num_steps=200)
    training = start(tmp_path)
    wait_for((tmp_path / small_training.CHECKPOINT).exists, 300)
    (second,) = (p for p in psutil.Process(training.pid).children(recursive=True) if is_second(p))
    second.kill()
    _, told = training.communicate(timeout=300)
    assert training.returncode == 2
    assert "error: process 1 of 2 was ended by SIGKILL; the others were stopped" in told
    assert "Traceback" not in told
    assert not (tmp_path / small_training.MODEL).exists()

    small_training.write_params(tmp_path, processes=1, num_steps=200)
    resumed = start(tmp_path)
    out, told = resumed.communicate(timeout=300)
    assert "resuming at step" in out, out + told
    rows = (tmp_path / small_training.MODEL / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", *(str(step) for step in range(20, 201, 20))]


def is_second(process: psutil.Process) -> bool:
    return process.environ().get("RANK") == "1"


@pytest.mark.parametrize(
    ("told", "kind"),
    [("[gloo/transport/tcp/pair.cc:561] Connection closed by peer", InputError), ("a bug", RuntimeError)],
)
def test_a_process_whose_partner_ended_says_so_in_one_line(
    told: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in place.items():
        monkeypatch.setenv(name, value)

    def work() -> None:
        with distributed.group() as leads:
            assert leads
            raise RuntimeError(told)

    with pytest.raises(kind) as caught:
        work()
    assert type(caught.value) is kind
    assert not torch.distributed.is_initialized()
