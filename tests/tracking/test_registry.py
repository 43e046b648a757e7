"""The registry is made once, made good where something was deleted, and left alone where nothing changed."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.evaluated import evaluated

from pipeline.runtime.errors import InputError
from pipeline.tracking import outbox, registry, runs, store

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred")  # of MLflow's own classes


@pytest.fixture
def client(own_store: None, tmp_path: Path) -> Any:
    """Of a store of the test's own, in which the best model has a run with an evaluation."""
    model = evaluated(tmp_path, "image")
    scalars = {f"test_{name}": value for name, value in model.metrics.items()}
    runs.add_evaluation(model.name, model.sha256, scalars, {}, {})
    outbox.drain()
    return store.client()


def register(folder: Path, **scores: float) -> list[registry.Registered]:
    """Models of SPECS with these scores, as of one task; underscores are left out of their names."""
    models = [evaluated(folder, name, score) for name, score in scores.items()]
    return registry.of_task("sketch", models)


def predicted(alias: str = "champion") -> np.ndarray:
    from mlflow.pyfunc import load_model

    images = np.zeros((1, 1, 16, 16), np.uint8)
    return load_model(f"models:/sketch@{alias}").predict(images, params={"num_samples": 2})


def test_the_best_is_champion_the_second_challenger_and_each_goes_by_its_name(client, tmp_path):
    ranked = register(tmp_path, regression=0.3, image=0.1, flow=0.2)
    assert [each.model.name for each in ranked] == ["image-0", "flow-0", "regression-0"]
    of = {each.model.name: each.version for each in ranked}
    assert registry.aliases_of(client.get_registered_model("sketch")) == {
        "champion": of["image-0"],
        "challenger": of["flow-0"],
        **of,
    }
    assert predicted("challenger").shape == (1, 2, 3, 16, 16)


def test_a_version_has_its_run_its_metrics_and_what_it_is(client, tmp_path):
    register(tmp_path, image=0.1)
    version = client.get_model_version_by_alias("sketch", "champion")
    logged, run = client.get_logged_model(registry.model_id(version)), client.get_run(version.run_id)
    assert {metric.key: metric.value for metric in logged.metrics} == {
        "test_fid": 2.5,
        "test_energy_score": 0.25,
        "tuning_energy_score": 0.1,
    }
    assert len(client.get_metric_history(run.info.run_id, "test_fid")) == 1
    assert logged.source_run_id == run.info.run_id
    assert (logged.params["network"], version.tags["model"]) == ("unet", "image-0")
    assert version.tags["tuning.energy_score"] == "0.1"
    assert run.data.tags[runs.WEIGHTS_TAG] == version.tags[runs.WEIGHTS_TAG]


def everything(client: Any) -> tuple[list[tuple[Any, ...]], dict[str, str], int, int]:
    """Versions, aliases and numbers of logged models and runs of the store."""
    experiments = [each.experiment_id for each in client.search_experiments()]
    versions = [(each.version, each.source, each.tags) for each in client.search_model_versions()]
    aliases = registry.aliases_of(client.get_registered_model("sketch"))
    logged, found = client.search_logged_models(experiments), client.search_runs(experiments)
    return sorted(versions, key=str), aliases, len(logged), len(found)


def test_a_second_call_makes_nothing(client, tmp_path):
    register(tmp_path, image=0.1, flow=0.2)
    before = everything(client)
    ranked = register(tmp_path, image=0.1, flow=0.2)
    assert [(each.version, each.made) for each in ranked] == [("2", False), ("1", False)]
    assert everything(client) == before
    assert len(client.get_metric_history(client.get_model_version("sketch", "2").run_id, "test_fid")) == 1


def test_other_scores_move_aliases_and_other_weights_make_a_version(client, tmp_path):
    register(tmp_path, image=0.1, flow=0.2)
    (first, second) = register(tmp_path, image=0.3, flow=0.2)
    assert (first.model.name, first.made, second.made) == ("flow-0", False, False)
    assert registry.aliases_of(client.get_registered_model("sketch"))["champion"] == first.version
    assert client.get_model_version("sketch", second.version).tags["tuning.energy_score"] == "0.3"
    other = evaluated(tmp_path, "image", 0.1, seed=1)
    renamed = other._replace(name="image-0")  # trained again
    (only,) = registry.of_task("sketch", [renamed])
    assert (only.made, only.version) == (True, "3")
    aliases = registry.aliases_of(client.get_registered_model("sketch"))
    assert aliases == {"champion": "3", "image-0": "3", "flow-0": first.version}


def test_metrics_of_a_new_evaluation_are_linked_to_the_same_version(client, tmp_path):
    register(tmp_path, image=0.1)
    model = evaluated(tmp_path, "image", 0.1, metrics={"fid": 2.0, "energy_score": 0.25})
    (found,) = registry.of_task("sketch", [model])
    assert not found.made
    logged = client.get_logged_model(registry.model_id(client.get_model_version("sketch", "1")))
    metrics = {metric.key: metric.value for metric in registry.newest(logged.metrics)}
    assert (metrics["test_fid"], metrics["test_energy_score"]) == (2.0, 0.25)
    assert len(logged.metrics) == 4


def delete_registered_model(client: Any) -> None:
    client.delete_registered_model("sketch")


def delete_version(client: Any) -> None:
    client.delete_model_version("sketch", "1")


def delete_experiment(client: Any) -> None:
    client.delete_experiment(client.get_experiment_by_name(runs.EXPERIMENT).experiment_id)


def delete_run(client: Any) -> None:
    client.delete_run(client.get_model_version("sketch", "1").run_id)


def delete_logged_model(client: Any) -> None:
    client.delete_logged_model(registry.model_id(client.get_model_version("sketch", "1")))


def delete_files(client: Any) -> None:
    logged = client.get_logged_model(registry.model_id(client.get_model_version("sketch", "1")))
    shutil.rmtree(logged.artifact_location.removeprefix("file://"))


def delete_run_and_logged_model(client: Any) -> None:
    version = client.get_model_version("sketch", "1")
    client.delete_run(version.run_id)
    client.delete_logged_model(registry.model_id(version))


@pytest.mark.parametrize(
    ("delete", "same_files"),
    [
        (delete_registered_model, True),
        (delete_version, True),
        (delete_experiment, True),
        (delete_run, True),
        (delete_logged_model, False),
        (delete_files, False),
        (delete_run_and_logged_model, False),
    ],
)
def test_what_was_deleted_is_made_good_and_then_left_alone(delete, same_files, client, tmp_path):
    register(tmp_path, image=0.1)
    before, first = predicted(), registry.model_id(client.get_model_version("sketch", "1"))
    delete(client)
    register(tmp_path, image=0.1)
    assert np.array_equal(predicted(), before)
    version = client.get_model_version_by_alias("sketch", "champion")
    logged = client.get_logged_model(registry.model_id(version))
    assert (logged.model_id == first) == same_files
    assert {metric.key for metric in logged.metrics} >= {"test_fid", "tuning_energy_score"}
    after = everything(client)
    register(tmp_path, image=0.1)
    assert everything(client) == after


def test_a_call_that_was_cut_off_is_made_good_without_a_second_copy(client, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(registry, "link_metrics", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            register(tmp_path, image=0.1)
    (found,) = register(tmp_path, image=0.1)
    assert found.made
    assert everything(client)[2] == 1


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://me:secret@127.0.0.1:{closed}", "MLflow at http://***@127.0.0.1:{closed} does not answer"),
        ("gopher://me:secret@here", "MLflow at gopher://***@here does not answer, or refuses"),
    ],
)
def test_a_store_that_is_away_is_told_in_one_line_with_its_secrets_masked(uri, said, closed, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(closed=closed))
    with pytest.raises(InputError) as error:
        registry.reach()
    assert said.format(closed=closed) in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_server_that_never_answers_is_waited_for_some_seconds(silent, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent}")
    started = time.monotonic()
    with pytest.raises(InputError, match="does not answer"):
        registry.reach()
    assert time.monotonic() - started < 60
