"""A project whose experiments run in DVC's queue."""

import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import psutil
import pytest
from dvc.repo import Repo

from helpers.commands import COMMANDS, call
from helpers.project import commit, environment, run
from pipeline.tracking import outbox

LOSSES = ("hinge", "relativistic")
SHARED = ("check", "download@digits", "prepare@digits", "train_features@digits", "task@digits")
SHARED += ("evaluate_real@digits",)


def processes(project: Path) -> list[psutil.Process]:
    """What runs in the project's folder or below it."""
    found = psutil.process_iter(["cwd"])
    return [process for process in found if Path(process.info["cwd"] or "/").is_relative_to(project)]


@contextmanager
def queue(project: Path) -> Iterator[Path]:
    """A small project without a store, whose queue trains and evaluates a GAN with two losses at once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(project)
        patched.setattr(outbox.Outbox, "put", lambda self, call: None)
        assert [call(COMMANDS[stage], patched) for stage in SHARED] == [0] * len(SHARED)
        with Repo() as repo:
            for stage in SHARED:
                repo.commit(stage, force=True)
    commit(project)
    assert not (project / "mlflow.db").exists()

    swept = f"-S gans.dcgan.loss={','.join(LOSSES)}"
    stages = "train_gan@dcgan-0 evaluate_gan@dcgan-0"
    put = run(project, f"dvc exp run --queue --single-item --name loss {swept} {stages}")
    assert put.returncode == 0, put.stdout + put.stderr
    try:
        start_workers(project)
        yield project
    finally:
        stop(project)
    assert not processes(project)


def start_workers(project: Path) -> None:
    """Two of them. They would hold a pipe open, so that `run` would wait for their end."""
    command, out = ["dvc", "queue", "start", "--jobs", "2"], subprocess.DEVNULL
    subprocess.run(command, cwd=project, env=environment(), stdout=out, stderr=out, check=True)


def done(project: Path) -> bool:
    """No experiment has its folder any more, and DVC, which takes a second to say so, knows of none."""
    folders = (project / ".dvc/tmp/exps").glob("tmp*")
    return not any(folders) and set(states(project).values()) <= {"Success", "Failed"}


def states(project: Path) -> dict[str, str]:
    """How each experiment of the queue fares, by name, as `dvc queue status` says it."""
    with chdir(project), Repo() as repo:
        return {found["name"]: found["status"] for found in repo.experiments.celery_queue.status()}


def stop(project: Path) -> None:
    """End the queue's workers and what they started, which DVC may leave running."""
    try:
        run(project, "dvc queue stop --kill")
    finally:
        _, alive = psutil.wait_procs(processes(project), timeout=20)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=20)
