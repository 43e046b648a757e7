"""Experiments side by side, as docs/experiments.md has them, in DVC's queue."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import psutil
import pytest
from dvc.repo import Repo
from helpers.commands import COMMANDS, call
from helpers.project import ROOT, commit, environment, run, wait_for

from pipeline.tracking import outbox

LOSSES = ("hinge", "relativistic")
SHARED = ("check", "download@mnist", "prepare@digits", "train_features@digits", "task@digits")
SHARED += ("evaluate_real@digits",)


def processes(project: Path) -> list[psutil.Process]:
    """What runs in the project's folder or below it."""
    found = psutil.process_iter(["cwd"])
    return [process for process in found if Path(process.info["cwd"] or "/").is_relative_to(project)]


def store(project: Path) -> list[Any]:
    """The models' runs in the project's MLflow store."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("plausible-answers").experiment_id])


@pytest.fixture(scope="module")
def queued(make_project: Callable[[str], Path]) -> Iterator[Path]:
    """A project without a store, whose queue trained and evaluated a GAN with two losses, both at once."""
    project = make_project("queued")
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
        wait_for(lambda: done(project), seconds=600)
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


def test_queued_experiments_that_run_at_once_succeed_and_share_the_projects_store(queued):
    logs = "".join(file.read_text() for file in (queued / ".dvc/tmp/exps/run").rglob("*.out"))
    assert states(queued) == {"loss-1": "Success", "loss-2": "Success"}, logs
    assert logs.count("Running stage 'train_gan@dcgan-0'") == 2
    assert "did not reach MLflow" not in logs
    assert "does not answer" not in logs

    runs = {run.data.tags["dvc.experiment"]: run for run in store(queued)}
    assert {name: run.data.params["params.loss"] for name, run in runs.items()} == {
        f"loss-{i}": loss for i, loss in enumerate(LOSSES, start=1)
    }
    for tracked in runs.values():
        assert tracked.info.run_name == "gan-dcgan-0"
        assert tracked.info.status == "FINISHED"
        assert tracked.data.tags["dvc.stage"] == "train_gan@dcgan-0"
        assert tracked.data.metrics["test_fid"] > 0  # evaluation found the training's run
        assert Path(tracked.info.artifact_uri.removeprefix("file://")).is_relative_to(queued / "mlruns")


def test_queued_experiments_leave_no_store_behind_in_dvcs_temporary_folders(queued):
    assert [path for path in queued.rglob("*mlflow.db*") if path.parent != queued] == []
    assert [path for path in queued.rglob("mlruns") if path.parent != queued] == []


def test_the_documented_table_of_experiments_is_small_and_has_losses_and_fids(queued):
    documented = re.search(r"^dvc exp show.*?(?=  #|$)", (ROOT / "docs/experiments.md").read_text(), re.M)
    assert documented
    shown = run(queued, documented[0])
    title, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in shown.stdout.strip().splitlines()
    ]
    assert len(title) < 6, shown.stdout
    fid, loss = title.index("reports/metrics/gan-dcgan-0.json:fid"), title.index("gans.dcgan.loss")
    losses = {row[0].split()[-1].strip("[]"): row[loss] for row in rows[1:]}
    assert losses == {"loss-1": LOSSES[0], "loss-2": LOSSES[1]}
    assert all(float(row[fid]) > 0 for row in rows[1:])
