"""Several processes make the steps that one would."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import shared_steps
import torch
from conftest import environment
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
