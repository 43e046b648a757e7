"""What MLflow and the report keep of the stages of a small project."""

import csv
import json
import math
import shutil
import socket
import time

import numpy as np
import pytest
from helpers.commands import EVALUATED, GENERATORS, IMAGES, STACKED, TOYS, TRAINED, call, listing, train
from helpers.project import run
from safetensors.torch import load_file

from pipeline.runtime.files import sha256
from pipeline.tasks import task as tasks

MILLISECOND = 0.001


def test_each_model_has_one_run_that_holds_its_training_and_its_evaluation(inside):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{inside / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("plausible-answers")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    latest = {run.info.run_name: run for run in reversed(runs)}
    features = {f"features-{name}" for name in ("digits", "drawings", "pairs")}
    assert set(latest) >= {*features, *GENERATORS, *STACKED, *IMAGES, *TOYS}
    for name, task in (("gan-mlp-0", "digits"), ("regression-digit-0", "digit"), ("cgan-digit-0", "digit")):
        found = [run for run in runs if run.info.run_name == name and "test_fid" in run.data.metrics]
        assert found, f"no run of {name} has both"
        run = found[-1]
        assert run.info.status == "FINISHED"
        assert {"test_coverage", "train_seconds", "images_per_second"} < set(run.data.metrics)
        weights = sha256(inside / f"models/{name}/weights.safetensors")
        assert run.data.tags["weights.sha256"] == weights
        assert run.data.tags["data.sha256"] == tasks.load(inside / f"data/tasks/{task}").sha256
        assert run.data.tags["git.dirty"] in ("true", "false")
        assert len(run.data.tags["mlflow.source.git.commit"]) == 40
        assert run.data.params["params.num_steps"] == "12"
        assert run.inputs.dataset_inputs[0].dataset.name == f"data/tasks/{task}"
        assert ("milliseconds_per_sample" in run.data.metrics) == (name not in TOYS)
        loss = "loss" if name.startswith("regression") else "g_loss"
        assert [point.step for point in client.get_metric_history(run.info.run_id, loss)] == [4, 8, 12]
        images = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
        assert sum(path.endswith(".png") for path in images) == 3


@pytest.mark.parametrize("kind", ["refusing", "silent"])
def test_a_dead_tracking_server_costs_a_warning_and_seconds_and_changes_nothing(kind, inside):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if kind == "silent":
            server.listen()  # connections are taken and never answered
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        start = time.monotonic()
        command = train("adversarial", "cgans.digit", "digit", "untracked")
        done = run(inside, f"python -m stages.{command}", MLFLOW_TRACKING_URI=uri)
        assert time.monotonic() - start < 30
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("does not answer") == 1
    assert "did not reach MLflow" in done.stderr
    same = listing(inside / "models/cgan-digit-0").values()
    assert list(listing(inside / "models/untracked").values()) == list(same)
    for file in (inside / "models/untracked").iterdir():
        file.unlink()
    (inside / "models/untracked").rmdir()


def test_the_report_is_complete_without_mlflow(inside, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    shutil.copytree(inside / "reports", tmp_path / "untracked")
    (tmp_path / "untracked/index.html").unlink()
    assert call(f"report data/tasks/digit models {tmp_path / 'untracked'}", monkeypatch) == 0
    assert (tmp_path / "untracked/index.html").read_bytes() == (inside / "reports/index.html").read_bytes()
    assert "does not answer" in (tmp_path / "untracked/timings.html").read_text()


def test_the_times_of_the_stages_are_beside_the_report(inside):
    times = (inside / "reports/timings.html").read_text()
    stages = {*TRAINED, *EVALUATED, "download@digits", "download_penguins", "prepare@digits", "theory"}
    missing = {stage for stage in stages if f"<td>{stage}</td>" not in times}
    # on a very busy machine the first stage may lose patience while MLflow makes its database, and says so
    logs = [log.read_text() for log in (inside / "logs").iterdir()]
    assert len(missing) <= sum("did not reach MLflow" in log for log in logs), missing


def test_each_stages_run_has_the_stages_own_start_and_end(inside):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{inside / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("plausible-answers-stages")
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    dvcs = [each for each in found if "dvc.stage" in each.data.tags]  # other tests ran stages, too
    stages = {each.info.run_name: each for each in dvcs}  # the first of each
    for name, stage in stages.items():
        seconds = MILLISECOND * (stage.info.end_time - stage.info.start_time)
        assert seconds == pytest.approx(stage.data.metrics["seconds"], abs=2 * MILLISECOND), name
        assert stage.data.metrics["loop_seconds"] <= stage.data.metrics["seconds"], name
    for first, then in (
        ("prepare@digits", "train_features@digits"),
        ("task@digit", "train_cgan@digit-0"),
        ("train_cgan@digit-0", "evaluate_cgan@digit-0"),
    ):
        assert stages[first].info.end_time < stages[then].info.start_time


def test_every_weight_is_finite_and_every_model_has_its_samples(inside):
    for file in (inside / "models").glob("*/weights.safetensors"):
        assert all(tensor.isfinite().all() for tensor in load_file(file).values()), file
    for name in GENERATORS:
        with np.load(inside / f"reports/samples/{name}.npz") as arrays:
            assert arrays["pixels"].shape == (300, 1, 28, 28)
            assert arrays["pixels"].dtype == np.uint8
            assert arrays["pixels"].std() > 0
    for name in STACKED:
        with np.load(inside / f"reports/samples/{name}.npz") as arrays:
            assert arrays["sheet"].shape == (80, 3, 28, 28)
            assert arrays["sheet"].std() > 0


def test_of_a_flow_the_dial_and_what_is_known_exactly_are_among_the_details(inside):
    flow, cgan, toy, plain = (
        json.loads((inside / f"reports/details/{name}.json").read_text())
        for name in ("flow-tones-0", "cgan-sketch-0", *TOYS[::-1])
    )
    assert (flow["num_evaluations"], cgan["num_evaluations"]) == (3, 1)  # Heun's two steps
    assert (flow["num_draws"], cgan["num_draws"]) == (3, 4)
    assert [row["steps"] for row in flow["dial"]] == [row["steps"] for row in toy["dial"]]
    assert flow["exact"]["num_answers"] == 6 * flow["exact"]["num_conditions"] > 0
    assert not {"dial", "exact"} & cgan.keys()
    assert plain["dial"] == []


def test_the_history_has_the_quality_at_its_steps_and_no_times(inside):
    columns = {**dict.fromkeys((*GENERATORS, *IMAGES), "fid"), **dict.fromkeys(STACKED, "modes")}
    for name, column in columns.items():
        with (inside / f"models/{name}/history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["step"] for row in rows] == ["4", "8", "12"]
        assert rows[0][column] == ""
        assert all(float(row[column]) > 0 for row in rows[1:])
        assert not any("seconds" in key for key in rows[0])


def test_the_metrics_of_stacked_digits_are_counts_of_as_many_samples_as_params_yaml_says(inside):
    metrics, details = (
        json.loads((inside / f"reports/{part}/{STACKED[0]}.json").read_text())
        for part in ("metrics", "details")
    )
    assert details["weights"] == sha256(inside / f"models/{STACKED[0]}/weights.safetensors")
    assert details["counts"] == {"modes": [300, 0], "kl": [300, 0]}
    assert 1 <= metrics["modes"] <= 300
    assert math.log(1000 / metrics["modes"]) <= metrics["kl"] + 1e-9 <= math.log(1000) + 1e-6
