"""Several processes make the steps that one would."""

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from helpers import shared_steps
from helpers.project import CLASSES, ROOT, environment, strokes, wait_for
from safetensors.torch import load_file

from pipeline.data.prepared import DataSet
from pipeline.networks.network import Spec
from pipeline.runtime import distributed
from pipeline.runtime.errors import InputError
from pipeline.sampling import weights
from pipeline.tasks import make
from pipeline.tasks.question import Settings

WITHOUT_BIAS = ("gans.r3gan", "gans.wgan-gp")  # whose losses D's bias does not change: Adam follows rounding
torch.set_num_threads(1)


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


def params(processes: int) -> str:
    """A params.yaml of one small model."""
    cgan = "{network: dcgan, discriminator_norm: batch, width: 4, batch_size: 32, num_steps: 200"
    cgan += ", save_every: 20, log_every: 20, monitor_every: 200}"
    return f"""
launch: {{processes: {processes}}}
budget: 1.0
compute: {{precision: fp32, device: cpu}}
tasks: {{digit: {{data: digits, condition: label}}}}
cgans: {{digit: {cgan}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a task and a model's section."""
    splits = {}
    for seed, (split, num) in enumerate({"train": 600, "validation": 100, "test": 100}.items()):
        pixels, labels = strokes(num, seed)
        splits[split] = {"images": pixels[:, None], "labels": labels, "classes": CLASSES}
    spec = Spec(
        method="classification", network="classifier", width=4, image_shape=[1, 28, 28], num_conditions=10
    )
    weights.save(tmp_path / "features", spec.build(), spec)
    settings = Settings(data="digits", condition="label")
    data = DataSet(splits, {"num_classes": 10})
    make.task(tmp_path / "data/tasks/digit", settings, data, (tmp_path / "features").read_bytes())
    return tmp_path


def train(project: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stages.train", "adversarial", "cgans.digit", "data/tasks/digit"]
    return subprocess.Popen(
        [*command, "models/cgan-digit-0", "--seed", "0"],
        cwd=project,
        env=environment() | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_dead_process_ends_the_training_in_one_line_and_fewer_processes_go_on(project: Path) -> None:
    (project / "params.yaml").write_text(params(processes=2))
    training = train(project)
    wait_for((project / "runs/train_cgan@digit-0/checkpoint.pt").exists, 300)
    (second,) = (p for p in psutil.Process(training.pid).children(recursive=True) if is_second(p))
    second.kill()
    _, told = training.communicate(timeout=300)
    assert training.returncode == 2
    assert "error: process 1 of 2 was ended by SIGKILL; the others were stopped" in told
    assert "Traceback" not in told
    assert not (project / "models/cgan-digit-0").exists()

    (project / "params.yaml").write_text(params(processes=1))
    resumed = train(project)
    out, told = resumed.communicate(timeout=300)
    assert "resuming at step" in out, out + told
    rows = (project / "models/cgan-digit-0/history.csv").read_text().splitlines()
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
