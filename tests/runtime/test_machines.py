"""Several machines train one model: two of torchrun's agents on loopback, with no disk in common."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
from helpers import small_training
from helpers.project import ROOT, environment, wait_for
from helpers.servers import free_port
from mlflow import MlflowClient

from pipeline.tracking.runs import EXPERIMENT, STAGES_EXPERIMENT

NUM_STEPS = 160
# a machine that does not answer five times a second apart counts as gone; torch's default is 15 seconds
ALIVE = "keep_alive_interval=1,keep_alive_max_attempt=5"
AGENT = "torch.distributed.run --nnodes 2 --nproc-per-node 1 --max-restarts 3 --rdzv-backend c10d"
UNSHARED = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}  # see docs/machines.md


class Machine:
    """A folder, and what is started there."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        self.variables = environment() | UNSHARED | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": store}

    def start(self, command: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *shlex.split(command)],
                cwd=self.folder,
                env=self.variables | more,
                stdout=log,
                stderr=log,
            )

    @property
    def said(self) -> str:
        return (self.folder / "log").read_text()

    def files(self) -> dict[str, bytes]:
        """Of the model."""
        return {path.name: path.read_bytes() for path in (self.folder / small_training.MODEL).iterdir()}


def kill(agent: subprocess.Popen[bytes]) -> None:
    """And what it started, as if its machine had lost power."""
    for process in [*psutil.Process(agent.pid).children(recursive=True), psutil.Process(agent.pid)]:
        process.kill()
    agent.wait()


def test_a_machine_that_dies_comes_back_and_two_end_with_the_bits_of_an_uninterrupted_run(
    tmp_path: Path,
) -> None:
    """The one that dies leads, and has the only checkpoint; when it is back, the other leads."""
    store = f"sqlite:///{tmp_path}/mlflow.db"
    first, second, whole = (Machine(tmp_path / name, store) for name in ("first", "second", "whole"))
    small_training.write(first.folder, processes=1, num_steps=NUM_STEPS)
    for other in (second, whole):
        shutil.copytree(first.folder, other.folder)

    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    processes = [whole.start(small_training.COMMAND, RANK=str(rank), **place) for rank in range(2)]
    assert [process.wait(300) for process in processes] == [0, 0], whole.said

    endpoint = f"--rdzv-endpoint 127.0.0.1:{free_port()}"

    def agent(machine: Machine, address: str, is_host: int) -> subprocess.Popen[bytes]:
        where = f"{endpoint} --rdzv-conf {ALIVE},is_host={is_host} --local-addr {address}"
        return machine.start(f"{AGENT} {where} -m {small_training.COMMAND}")

    host = agent(second, "127.0.0.2", 1)  # the lowest address leads
    dying = agent(first, "127.0.0.1", 0)
    wait_for((first.folder / small_training.CHECKPOINT).exists, 300)
    kill(dying)
    again = agent(first, "127.0.0.3", 0)
    assert (host.wait(300), again.wait(300)) == (0, 0), first.said + second.said

    assert "error: another process of this training ended; started again, all go on" in second.said
    assert "resuming at step" in second.said
    assert second.files() == whole.files()
    assert not (second.folder / small_training.CHECKPOINT).exists()
    assert not (first.folder / small_training.MODEL).exists()
    assert statuses(store, EXPERIMENT) == ["FINISHED", "FINISHED", "RUNNING"]  # the last one's machine died
    assert statuses(store, STAGES_EXPERIMENT) == ["FINISHED", "FINISHED"]


def statuses(store: str, experiment: str) -> list[str]:
    """Of the runs in MLflow."""
    client = MlflowClient(store)
    found = client.get_experiment_by_name(experiment)
    return sorted(run.info.status for run in client.search_runs([found.experiment_id]))
