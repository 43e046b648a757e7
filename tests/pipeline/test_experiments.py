"""Experiments side by side, as docs/experiments.md has them, in DVC's queue."""

import re
from pathlib import Path
from typing import Any

import pytest
from helpers.experiments import LOSSES, done, states
from helpers.project import ROOT, run, wait_for


def store(project: Path) -> list[Any]:
    """The models' runs in the project's MLflow store."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("plausible-answers").experiment_id])


@pytest.fixture(scope="module")
def queued(queue: Path) -> Path:
    """The project of the queue, which is done."""
    wait_for(lambda: done(queue), seconds=600)
    return queue


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
