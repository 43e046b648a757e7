"""Calls to MLflow are made in order, from the side, again when they fail, and hold no stage up for long."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.project import wait_for

from pipeline.runtime.errors import InputError
from pipeline.tracking import outbox, runs, store

TAGS = {"data": "digits.npz", "data.sha256": "0" * 64}


@pytest.fixture
def client(own_store: None) -> Any:
    """Of a store of the test's own."""
    return store.client()


def begun(folder: Path, resumed: bool = False) -> runs.Run:
    """The run of a training that has taken a step."""
    run = runs.Run("gan-x", {"params.seed": 0}, TAGS, folder / "mlflow_run", resumed)
    run.log(1, {"loss": 0.5})
    return run


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


def test_neither_putting_nor_closing_waits_for_a_call_that_hangs_and_what_was_not_sent_is_counted():
    box = outbox.Outbox()
    held = threading.Event()
    box.put(lambda: held.wait(10))
    start = time.monotonic()
    for _ in range(1000):
        box.put(lambda: None)
    assert box.close(patience=0.2) == 1001
    assert time.monotonic() - start < 5
    held.set()
    assert box.close() == 0


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


@pytest.mark.parametrize(
    ("environment", "uri"),
    [
        ({}, "sqlite:///{here}/mlflow.db"),
        ({"DVC_ROOT": "/home/me/lab"}, "sqlite:////home/me/lab/mlflow.db"),
        ({"DVC_ROOT": "/home/me/lab/.dvc/tmp/exps/standalone/tmpab12"}, "sqlite:////home/me/lab/mlflow.db"),
        ({"MLFLOW_TRACKING_URI": "http://127.0.0.1:5001"}, "http://127.0.0.1:5001"),
    ],
    ids=["here", "project", "queued experiment", "server"],
)
def test_the_store_is_the_projects_own_file_unless_a_variable_names_another(
    environment, uri, monkeypatch, tmp_path
):
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert store.store_uri() == uri.format(here=tmp_path)


def test_a_resumed_training_goes_on_in_its_run_and_another_opens_a_new_one(client, tmp_path):
    ids = []
    for resumed in (False, True, False):
        run = begun(tmp_path, resumed)
        run.fail()
        outbox.drain()
        ids.append(run.run_id)
    assert ids[0] == ids[1] != ids[2]
    history = client.get_metric_history(ids[0], "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (1, 0.5)]
    assert client.get_run(ids[2]).info.status == "FAILED"


def test_an_evaluation_is_added_to_the_newest_run_with_these_weights(client, tmp_path):
    weights = tmp_path / "weights"
    weights.write_text("w")
    ids = []
    for _ in range(2):
        run = begun(tmp_path)
        run.finish("abc", [weights])
        outbox.drain()
        ids.append(run.run_id)
    runs.add_evaluation("gan-x", "abc", {"test_fid": 2.5}, {"gain": [(2, 1.25), (4, 2.0)]}, {})
    runs.add_evaluation("gan-x", "other", {"test_fid": 9.0}, {}, {})
    outbox.drain()
    assert client.get_run(ids[1]).data.metrics == {"loss": 0.5, "test_fid": 2.5, "gain": 2.0}
    assert [(each.step, each.value) for each in client.get_metric_history(ids[1], "gain")] == [
        (2, 1.25),
        (4, 2),
    ]
    assert client.get_run(ids[0]).data.metrics == {"loss": 0.5}
    assert [file.path for file in client.list_artifacts(ids[1])] == ["weights"]
    everything = tracked(client, runs.EXPERIMENT)
    assert {run.data.metrics.get("test_fid") for run in everything} == {None, 2.5, 9.0}


def test_of_two_that_make_an_experiment_at_once_the_second_takes_the_first_ones(monkeypatch, client):
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


def test_what_is_sent_again_because_an_answer_was_lost_is_there_once(monkeypatch, client, tmp_path):
    monkeypatch.setattr(outbox, "RETRY_EVERY", 0.01)
    unheard = Unheard(client)
    for module in (store, runs):
        monkeypatch.setattr(module, "client", lambda: unheard)
    begun(tmp_path).finish("abc", [])
    runs.add_evaluation("gan-x", "abc", {"test_fid": 2.5}, {"gain": [(2, 1.25), (4, 2.0)]}, {})
    runs.add_evaluation("gan-x", "other", {"test_fid": 9.0}, {}, {})
    runs.add_stage("train_gan@x", 2.0, 0.5)
    wait_for(lambda: not outbox._outbox.calls)
    outbox.drain()

    trained, evaluated = tracked(client, runs.EXPERIMENT)
    assert trained.data.params == {"params.seed": "0"}
    assert trained.data.tags["data"] == trained.inputs.dataset_inputs[0].dataset.name == "digits.npz"
    (timed,) = tracked(client, runs.STAGES_EXPERIMENT)
    for run, name in ((trained, "loss"), (trained, "test_fid"), (evaluated, "test_fid"), (timed, "seconds")):
        assert len(client.get_metric_history(run.info.run_id, name)) == 1
    assert {run.info.status for run in (trained, evaluated, timed)} == {"FINISHED"}


def test_a_stages_run_begins_and_ends_when_the_stage_did_however_late_it_is_sent(client):
    held = threading.Event()
    outbox.send(lambda: held.wait(10))
    before = int(time.time() * 1000)
    runs.add_stage("theory", 90.0, 0.5)
    after = int(time.time() * 1000)
    time.sleep(0.05)
    held.set()
    outbox.drain()
    (timed,) = tracked(client, runs.STAGES_EXPERIMENT)
    assert before <= timed.info.end_time <= after
    assert timed.info.end_time - timed.info.start_time == 90_000
    assert (timed.info.run_name, timed.info.status) == ("theory", "FINISHED")


def tracked(client: Any, experiment: str) -> list[Any]:
    """The runs of an experiment, oldest first."""
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))


def test_a_stages_times_are_those_of_its_last_run_and_none_where_there_is_no_store(monkeypatch, client):
    runs.add_stage("download@digits", 2.0, 0.5)
    time.sleep(0.01)
    runs.add_stage("download@digits", 3.0, 1.0)  # began before the other, and ended after it
    outbox.send(lambda: runs.open_run(runs.STAGES_EXPERIMENT, "theory", "key", {}))  # then killed
    outbox.drain()
    assert runs.stage_seconds() == {"download@digits": {"seconds": 3.0, "loop_seconds": 1.0}}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert runs.stage_seconds() == {}


def test_a_store_that_is_cut_off_while_it_is_made_leaves_nothing_behind(tmp_path, monkeypatch):
    file, killed = tmp_path / "mlflow.db", True

    class Client:
        def __init__(self, uri: str) -> None:
            self.file = Path(uri.removeprefix("sqlite:///"))

        def search_experiments(self, max_results: int) -> None:
            self.file.write_text("" if killed else "whole")
            if killed:
                raise KeyboardInterrupt

    monkeypatch.setattr("mlflow.MlflowClient", Client)
    with pytest.raises(KeyboardInterrupt):
        store.create(file)
    assert list(tmp_path.iterdir()) == []
    killed = False
    store.create(file)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
    killed = True  # what is there is left alone
    store.create(file)
    assert file.read_text() == "whole"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:s3cr3t@server:5000/a", "http://***@server:5000/a"),
        ("'http://user:s3/cr3t@server' refused", "'http://***@server' refused"),
        ("http://user:p@ss@server", "http://***@server"),
        ("https://server/a?x=1&access_token=abc&y=2", "https://server/a?x=1&access_token=***&y=2"),
        ("postgresql://server/db?password=s3cr3t", "postgresql://server/db?password=***"),
        ("sqlite:////home/a/mlflow.db and http://server", "sqlite:////home/a/mlflow.db and http://server"),
    ],
)
def test_no_secret_of_a_uri_is_shown(text: str, shown: str) -> None:
    assert store.masked(text) == shown


def test_a_deleted_experiment_is_told_once_and_recording_goes_on_in_another(client, capsys):
    first = store.experiment_id("training")
    client.delete_experiment(first)
    again = store.experiment_id("training")
    assert again == store.experiment_id("training") != first
    assert client.get_experiment(again).name == "training-again"
    told = capsys.readouterr().err
    assert told.count("MLflow's experiment 'training' was deleted") == 1
    assert f"mlflow experiments restore --experiment-id {first}" in told
    client.delete_experiment(again)
    assert client.get_experiment(store.experiment_id("training")).name == "training-again-again"
    client.restore_experiment(first)
    assert store.experiment_id("training") == first


@pytest.mark.parametrize("name", ["feature%2Fbranch", "a b", "a?b#c"])
def test_a_project_of_any_path_has_its_own_store(
    name: str, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    shutil.copy(empty_store, tmp_path / name)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(store, "project_root", lambda: tmp_path / name)
    before = (tmp_path / name / "mlflow.db").read_bytes()
    store.experiment_id("training")
    assert (tmp_path / name / "mlflow.db").read_bytes() != before
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["mlflow.db"]


def test_a_store_that_is_a_folder_is_given_up_at_once(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(InputError, match=r"mlflow\.db: a folder$"):
        store.create(tmp_path / "mlflow.db")


@pytest.mark.parametrize("path", ["", "/nowhere"], ids=["no repository", "no git"])
def test_without_git_commit_and_changes_are_unknown(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if path:
        monkeypatch.setenv("PATH", path)
    found = store.provenance()
    assert found["mlflow.source.git.commit"] == found["git.dirty"] == "unknown"
