"""What MLflow and the report keep of the stages of a small project."""

import csv
import json
import math
import socket
import time

import numpy as np
import pytest
from commands import DIGITS, EVALUATED, GENERATORS, IMAGES, JUDGE, STACKED, TOYS, TRAINED, call, listing
from conftest import run
from safetensors.torch import load_file

from pipeline.runtime.files import sha256


def test_each_model_has_one_run_that_holds_its_training_and_its_evaluation(inside):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{inside / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("plausible-answers")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    latest = {run.info.run_name: run for run in reversed(runs)}
    assert set(latest) == {"judge", "observer", *GENERATORS, *STACKED, *IMAGES, *TOYS}
    for name in ("gan-mlp-0", "regression-digit-0", "cgan-digit-0"):
        found = [run for run in runs if run.info.run_name == name and "test_fid" in run.data.metrics]
        assert found, f"no run of {name} has both"
        run = found[-1]
        assert run.info.status == "FINISHED"
        assert {"test_coverage", "train_seconds", "images_per_second"} < set(run.data.metrics)
        weights = sha256(inside / f"models/{name}/weights.safetensors")
        assert run.data.tags["weights.sha256"] == weights
        assert run.data.tags["data.sha256"] == sha256(inside / DIGITS)
        assert run.data.tags["git.dirty"] in ("true", "false")
        assert len(run.data.tags["mlflow.source.git.commit"]) == 40
        assert run.data.params["params.num_steps"] == "12"
        assert run.inputs.dataset_inputs[0].dataset.name == DIGITS
        loss = "loss" if name.startswith("regression") else "g_loss"
        assert [point.step for point in client.get_metric_history(run.info.run_id, loss)] == [4, 8, 12]
        pictures = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
        assert sum(path.endswith(".png") for path in pictures) == 3


@pytest.mark.parametrize("kind", ["refusing", "silent"])
def test_a_dead_tracking_server_costs_a_warning_and_seconds_and_changes_nothing(kind, inside):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if kind == "silent":
            server.listen()  # connections are taken and never answered
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        start = time.monotonic()
        command = f"python -m stages.train_cgan digit 0 {DIGITS} {JUDGE} models/untracked"
        done = run(inside, command, MLFLOW_TRACKING_URI=uri)
        assert time.monotonic() - start < 30
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("does not answer") == 1
    assert "did not reach MLflow" in done.stderr
    same = listing(inside / "models/cgan-digit-0").values()
    assert list(listing(inside / "models/untracked").values()) == list(same)
    for file in (inside / "models/untracked").iterdir():
        file.unlink()
    (inside / "models/untracked").rmdir()


def test_the_report_is_complete_without_mlflow(inside, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert (
        call(f"report {DIGITS} models reports/metrics reports/samples reports/theory untracked", monkeypatch)
        == 0
    )
    assert (inside / "untracked/index.html").read_bytes() == (inside / "reports/index.html").read_bytes()
    assert "does not answer" in (inside / "untracked/timings.html").read_text()


def test_the_times_of_the_stages_are_beside_the_report(inside):
    times = (inside / "reports/timings.html").read_text()
    stages = {
        *TRAINED,
        *EVALUATED,
        "download@mnist",
        "download@penguins",
        "prepare@digits",
        "theory",
        "bayes",
    }
    missing = {stage for stage in stages if f"<td>{stage}</td>" not in times}
    # on a very busy machine the first stage may lose patience while MLflow makes its database, and says so
    assert len(missing) <= (inside / "repro.log").read_text().count("did not reach MLflow"), missing


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


def test_the_history_has_the_quality_at_its_steps_and_no_times(inside):
    for name, column in [*((name, "fid") for name in GENERATORS), *((name, "modes") for name in STACKED)]:
        with (inside / f"models/{name}/history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["step"] for row in rows] == ["4", "8", "12"]
        assert rows[0][column] == ""
        assert all(float(row[column]) > 0 for row in rows[1:])
        assert not any("seconds" in key for key in rows[0])


def test_the_stacked_gan_s_metrics_are_counts_of_the_samples_params_yaml_names(inside):
    metrics = json.loads((inside / "reports/metrics/stacked-pacdcgan2-0.json").read_text())
    assert metrics["num_modes"] == 1000
    assert metrics["weights"] == sha256(inside / "models/stacked-pacdcgan2-0/weights.safetensors")
    modes, kl = (metrics["metrics"][name] for name in ("modes", "kl"))
    assert modes["num_samples"] == kl["num_samples"] == 300
    assert 1 <= modes["value"] <= 300
    assert math.log(1000 / modes["value"]) <= kl["value"] + 1e-9 <= math.log(1000) + 1e-6
