"""A team's set-up on real parts: MLflow's server on PostgreSQL, and a DVC remote from which a colleague gets
every result without training.
"""

import csv
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dvc.repo import Repo
from helpers.inputs import write_inputs
from helpers.project import edit, environment, run, wait_for
from helpers.servers import INITDB, TrackingServer, postgres

from pipeline.runtime.files import sha256
from pipeline.tracking.runs import EXPERIMENT, Run

needs_postgres = pytest.mark.skipif(
    INITDB is None and not os.environ.get("REQUIRE_POSTGRES"), reason="no PostgreSQL on this machine"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    """MLflow's server on a PostgreSQL database."""
    with postgres() as database:
        tracking = TrackingServer(database, tmp_path)
        tracking.start()
        try:
            tracking.wait()
            yield tracking
        finally:
            tracking.kill()


@contextmanager
def paused(process: int) -> Iterator[None]:
    """While others take their time, so that a training's length need not depend on the machine's speed."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@needs_postgres
def test_a_server_killed_in_the_middle_of_a_training_has_every_metric_once_when_it_is_back(
    make_project, server
):
    from mlflow import MlflowClient

    client = MlflowClient(server.uri)
    project, stage = make_project("team"), "train_cgan@digit-0"
    section = {"num_steps": 600, "save_every": 20, "log_every": 10, "num_snapshots": 4, "monitor_every": 300}
    edit(project, {f"cgans.digit.{key}": value for key, value in section.items()})
    write_inputs(project)
    log, work = project / "repro.log", project / "runs" / stage

    with log.open("w") as output:
        dvc = subprocess.Popen(
            ["dvc", "repro", "--single-item", stage],
            cwd=project,
            env=environment() | {"MLFLOW_TRACKING_URI": server.uri},
            stdout=output,
            stderr=output,
        )
    wait_for((work / "checkpoint.pt").exists, 300)
    training = int((work / "lock").read_text())
    with paused(training):
        time.sleep(Run.FLUSH_EVERY)  # the next row is sent with all before it
    wait_for(lambda: any(run.data.metrics for run in runs_in(client)))
    server.kill()
    with paused(training):
        time.sleep(Run.FLUSH_EVERY)
    wait_for(lambda: "does not answer; going on without it" in log.read_text())
    with paused(training):
        server.start()
        server.wait()
    assert not (project / "models/cgan-digit-0").exists(), "the training ended before the server was back"
    assert dvc.wait(300) == 0, log.read_text()

    (tracked,) = runs_in(client)
    assert tracked.info.status == "FINISHED"
    assert tracked.data.tags["weights.sha256"] == sha256(project / "models/cgan-digit-0/weights.safetensors")
    assert tracked.data.params["params.num_steps"] == "600"
    for name, points in history(project / "models/cgan-digit-0/history.csv").items():
        kept = client.get_metric_history(tracked.info.run_id, name)
        client.log_batch(tracked.info.run_id, metrics=kept)  # as one does whose answer was lost
        kept = client.get_metric_history(tracked.info.run_id, name)
        assert [(point.step, point.value) for point in kept] == points, name


def test_a_fresh_clone_gets_every_result_from_the_remote_and_runs_no_stage(finished, tmp_path):
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    shutil.copytree(finished, mine)
    share = (
        f"dvc remote add --default team {tmp_path / 'remote'}",
        "git add --all",
        "git -c user.name=t -c user.email=t@t commit --quiet --message results",
        "dvc push --run-cache",
        f"git clone --quiet {mine} {theirs}",
    )
    for command in share:
        done = run(mine, command)
        assert done.returncode == 0, done.stderr
    pulled = run(theirs, "dvc repro --pull")
    assert pulled.returncode == 0, pulled.stderr
    assert "Running stage" not in pulled.stdout
    assert outputs(mine)
    assert outputs(theirs) == outputs(mine)


def outputs(project: Path) -> dict[str, str]:
    """Every file that a stage has written, metrics included, with its hash."""
    with Repo(str(project)) as repo:
        places = [Path(out.fs_path) for out in repo.index.outs]
    files = [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]
    return {str(file.relative_to(project)): sha256(file) for file in files}


def runs_in(client) -> list:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def history(table: Path) -> dict[str, list[tuple[int, float]]]:
    """Each metric's name and its points, (step, value)."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        name: [(int(row["step"]), float(row[name])) for row in rows if row[name]]
        for name in rows[0]
        if name != "step"
    }
