"""Calls to MLflow are made in order, from the side, again when they fail, and hold no stage up for long."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.project import wait_for

from pipeline.tracking import outbox, runs, store


def test_calls_are_made_in_order_by_another_thread():
    seen: list[tuple[int, str]] = []
    box = outbox.Outbox()
    for i in range(50):
        box.put(lambda i=i: seen.append((i, threading.current_thread().name)))
    assert box.close() == 0
    assert seen == [(i, "tracking") for i in range(50)]


def test_a_call_that_fails_is_made_again_before_those_behind_it_and_warned_of_once(monkeypatch, capsys):
    seen: list[str] = []
    failures = iter([True, True, False])

    def unsure() -> None:
        if next(failures):
            raise ConnectionError("no one there")
        seen.append("unsure")

    box = outbox.Outbox()
    monkeypatch.setattr(outbox, "RETRY_EVERY", 0.02)
    box.put(unsure)
    box.put(lambda: seen.append("next"))
    end = time.monotonic() + 5
    while len(seen) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert box.close() == 0
    assert seen == ["unsure", "next"]
    error = capsys.readouterr().err
    assert error.count("does not answer; going on without it (no one there)") == 1


def test_closing_waits_no_longer_than_its_patience_and_counts_what_was_not_sent(capsys):
    box = outbox.Outbox()
    held = threading.Event()
    box.put(lambda: held.wait(10) and None)
    box.put(lambda: None)
    start = time.monotonic()
    assert box.close(patience=0.2) == 2
    assert time.monotonic() - start < 2
    held.set()


@pytest.mark.parametrize(
    ("uri", "patience"), [("http://127.0.0.1:9", 10), ("sqlite:///mlflow.db", 120), ("", 120)]
)
def test_a_stage_waits_longer_for_a_busy_machines_own_file_than_for_a_server(uri, patience, monkeypatch):
    waited = []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setattr(outbox.Outbox, "close", lambda self, seconds: waited.append(seconds) or 0)
    outbox.send(lambda: None)
    outbox.drain()
    assert waited == [patience]


def test_putting_does_not_wait_for_a_call_that_hangs():
    box = outbox.Outbox()
    held = threading.Event()
    box.put(lambda: held.wait(10) and None)
    start = time.monotonic()
    for _ in range(1000):
        box.put(lambda: None)
    assert time.monotonic() - start < 5
    held.set()
    assert box.close() == 0


def test_the_store_is_the_projects_own_file_by_an_absolute_path(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert store.store_uri() == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.delenv("DVC_ROOT")
    monkeypatch.chdir(tmp_path)
    assert store.store_uri() == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_queued_experiment_in_dvcs_temporary_folder_writes_to_the_users_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", "/home/me/lab/.dvc/tmp/exps/standalone/tmpab12")
    assert store.store_uri() == "sqlite:////home/me/lab/mlflow.db"


def test_an_environment_variable_names_another_store(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5001")
    assert store.store_uri() == "http://127.0.0.1:5001"


def test_a_resumed_training_goes_on_in_its_run_and_another_opens_a_new_one(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(store, "project_root", lambda: tmp_path)
    tags = {"data": "digits.npz", "data.sha256": "0" * 64}
    ids = []
    for resumed in (False, True, False):
        run = runs.Run("gan-x", {"params.seed": 0}, tags, tmp_path / "mlflow_run", resumed=resumed)
        run.log(1, {"loss": 0.5})
        run.fail()
        outbox.drain()
        ids.append(run.run_id)
    assert ids[0] == ids[1] != ids[2]
    history = store.client().get_metric_history(ids[0], "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (1, 0.5)]
    assert store.client().get_run(ids[2]).info.status == "FAILED"


def test_an_evaluation_is_added_to_the_newest_run_with_these_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(store, "project_root", lambda: tmp_path)
    weights = tmp_path / "weights"
    weights.write_text("w")
    ids = []
    for _ in range(2):
        tags = {"data": "digits.npz", "data.sha256": "0" * 64}
        run = runs.Run("gan-x", {}, tags, tmp_path / "mlflow_run", resumed=False)
        run.finish("abc", [weights])
        outbox.drain()
        ids.append(run.run_id)
    runs.add_evaluation("gan-x", "abc", {"test_fid": 2.5}, {})
    runs.add_evaluation("gan-x", "other", {"test_fid": 9.0}, {})
    outbox.drain()
    assert store.client().get_run(ids[1]).data.metrics == {"test_fid": 2.5}
    assert store.client().get_run(ids[0]).data.metrics == {}
    assert [file.path for file in store.client().list_artifacts(ids[1])] == ["weights"]
    experiment = store.client().get_experiment_by_name("plausible-answers")
    everything = store.client().search_runs([experiment.experiment_id])
    assert {run.data.metrics.get("test_fid") for run in everything} == {None, 2.5, 9.0}


def test_of_two_that_make_an_experiment_at_once_the_second_takes_the_first_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(store, "project_root", lambda: tmp_path)
    client = store.client()
    look, first = client.get_experiment_by_name, store.experiment_id("gans")
    answers = iter([None, look("gans")])  # it was not there yet, and then it was
    monkeypatch.setattr(client, "get_experiment_by_name", lambda name: next(answers))
    assert store.experiment_id("gans") == first


class Unheard:
    """A client that does what it is told, and the answer is lost the first time."""

    def __init__(self, client: Any) -> None:
        self.client, self.seen = client, set[str]()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = getattr(self.client, name)(*args, **kwargs)
            told = f"{name}{args}{list(kwargs)}"
            if told not in self.seen:
                self.seen.add(told)
                raise ConnectionError("the answer is lost")
            return answer

        return call


def test_what_is_sent_again_because_an_answer_was_lost_is_there_once(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(store, "project_root", lambda: tmp_path)
    monkeypatch.setattr(outbox, "RETRY_EVERY", 0.01)
    client, unheard = store.client(), Unheard(store.client())
    for module in (store, runs):
        monkeypatch.setattr(module, "client", lambda: unheard)
    tags = {"data": "digits.npz", "data.sha256": "0" * 64}
    run = runs.Run("gan-x", {"params.seed": 0}, tags, tmp_path / "mlflow_run", resumed=False)
    run.log(1, {"loss": 0.5})
    run.finish("abc", [])
    runs.add_evaluation("gan-x", "abc", {"test_fid": 2.5}, {})
    runs.add_evaluation("gan-x", "other", {"test_fid": 9.0}, {})
    runs.add_stage("train_gan@x", 2.0, 0.5)
    wait_for(lambda: not outbox._outbox.calls)
    outbox.drain()

    trained, evaluated = tracked(client, runs.EXPERIMENT)
    assert trained.data.params == {"params.seed": "0"}
    assert trained.data.tags["data"] == trained.inputs.dataset_inputs[0].dataset.name == "digits.npz"
    assert [len(client.get_metric_history(trained.info.run_id, name)) for name in ("loss", "test_fid")] == [
        1,
        1,
    ]
    assert len(client.get_metric_history(evaluated.info.run_id, "test_fid")) == 1
    (timed,) = tracked(client, runs.STAGES_EXPERIMENT)
    assert len(client.get_metric_history(timed.info.run_id, "seconds")) == 1
    assert {run.info.status for run in (trained, evaluated, timed)} == {"FINISHED"}


def test_a_stages_run_begins_and_ends_when_the_stage_did_however_late_it_is_sent(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(store, "project_root", lambda: tmp_path)
    held = threading.Event()
    outbox.send(lambda: held.wait(10) and None)
    before = int(time.time() * 1000)
    runs.add_stage("theory", 90.0, 0.5)
    after = int(time.time() * 1000)
    time.sleep(0.05)
    held.set()
    outbox.drain()
    (timed,) = tracked(store.client(), runs.STAGES_EXPERIMENT)
    assert before <= timed.info.end_time <= after
    assert timed.info.end_time - timed.info.start_time == 90_000
    assert (timed.info.run_name, timed.info.status) == ("theory", "FINISHED")


def tracked(client: Any, experiment: str) -> list[Any]:
    """The runs of an experiment, oldest first."""
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))


def test_a_stages_times_are_those_of_its_last_run_and_none_where_there_is_no_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert runs.stage_seconds() == {}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path(tmp_path)}/mlflow.db")
    runs.add_stage("download@mnist", 2.0, 0.5)
    time.sleep(0.01)
    runs.add_stage("download@mnist", 3.0, 1.0)  # began before the other, and ended after it
    outbox.send(lambda: runs.open_run(runs.STAGES_EXPERIMENT, "theory", "key", {}) and None)  # then killed
    outbox.drain()
    assert runs.stage_seconds() == {"download@mnist": {"seconds": 3.0, "loop_seconds": 1.0}}


def test_a_store_that_is_cut_off_while_it_is_made_leaves_nothing_behind(tmp_path, monkeypatch):
    import mlflow

    class Killed(mlflow.MlflowClient):
        def search_experiments(self, *args, **kwargs):
            raise KeyboardInterrupt

    file = tmp_path / "mlflow.db"
    with monkeypatch.context() as patched:
        patched.setattr(mlflow, "MlflowClient", Killed)
        with pytest.raises(KeyboardInterrupt):
            store.create(file)
    assert list(tmp_path.iterdir()) == []
    store.create(file)
    assert file.exists()
    content = file.read_bytes()
    store.create(file)
    assert file.read_bytes() == content
