"""MLflow's registry: a registered model a task, a version a trained model, and aliases for the best.

Everything is looked up before it is made, so that a second call makes nothing, and a call that was cut off,
or whose versions somebody deleted, is made good by the next.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import uuid4

from pipeline.runtime.errors import InputError
from pipeline.tracking import packing
from pipeline.tracking.packing import Evaluated
from pipeline.tracking.runs import EXPERIMENT, WEIGHTS_TAG, newest_run, open_run
from pipeline.tracking.store import client, experiment_id, masked, provenance, shown_uri

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

CHAMPION, CHALLENGER = "champion", "challenger"  # aliases of the best and the second best
KEY_TAG = "registered.key"  # of a logged model and of its versions: Evaluated.key
ABSENT = "RESOURCE_DOES_NOT_EXIST"


class Registered(NamedTuple):
    model: Evaluated
    version: str
    made: bool  # in this call


def of_task(task: str, models: Sequence[Evaluated]) -> list[Registered]:
    """Register the models of a task, with their metrics; returned as they are ranked, the best first.

    Raises:
        InputError: MLflow does not answer, or refuses.
    """
    last_first = sorted(models, key=lambda model: (model.score, model.name), reverse=True)
    with answering():
        aliases = aliases_of(registered_model(task, models[0].criterion))
        known = list(client().search_model_versions(f"name = '{task}'"))
        found = [version_of(task, model, known) for model in last_first]  # MLflow shows the newest first
        ranked = found[::-1]
        set_aliases(task, ranked, aliases)
    return ranked


@contextmanager
def answering() -> Iterator[None]:
    """What MLflow says no to, or does not say, is told in one line, secrets masked."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
        reason = masked(" ".join(str(error).split()))[:160]
        raise InputError(f"MLflow at {shown_uri()} does not answer, or refuses ({reason})") from error


def reach() -> None:
    """An InputError if MLflow does not answer."""
    with answering():
        client().search_registered_models(max_results=1)


def registered_model(task: str, criterion: str) -> Any:
    """The registered model of a task; made if it is not there."""
    from mlflow.exceptions import MlflowException

    for _ in range(2):
        try:
            return client().get_registered_model(task)
        except MlflowException as error:
            if error.error_code != ABSENT:
                raise
        try:
            best = f"the champion has the least {criterion} on the tuning half of the validation split"
            said = f"Answers to the question {task!r}, a version a trained model; {best}."
            client().create_registered_model(task, description=said)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was first
                raise
    return client().get_registered_model(task)


def version_of(task: str, model: Evaluated, known: Sequence[Any]) -> Registered:
    """The version that is this model, with its files and metrics; made if there is none."""
    key, tag, value = model.key, f"tuning.{model.criterion}", f"{model.score:.6g}"
    mine = [each for each in known if each.tags.get(KEY_TAG) == key and is_whole(model_id(each))]
    if mine:
        version = max(mine, key=lambda each: int(each.version))
        link_metrics(model, model_id(version))
        if version.tags.get(tag) != value:
            client().set_model_version_tag(task, version.version, tag, value)
        return Registered(model, str(version.version), False)
    made_of = logged(model, key)
    link_metrics(model, made_of)
    about = {"model": model.name, "method": model.spec.method, "network": model.spec.network}
    made = client().create_model_version(
        task,
        f"models:/{made_of}",
        run_id=client().get_logged_model(made_of).source_run_id,
        tags={**about, tag: value, WEIGHTS_TAG: model.sha256, KEY_TAG: key},
        description=f"{model.name}: method {model.spec.method}, network {model.spec.network}",
        model_id=made_of,
    )
    return Registered(model, str(made.version), True)


def aliases_of(registered: Any) -> dict[str, str]:
    """Aliases and the versions they stand for, which some stores tell as numbers."""
    return {alias: str(version) for alias, version in registered.aliases.items()}


def model_id(version: Any) -> str:
    """The id of the logged model that a version is of, which not every store tells by itself."""
    return str(version.source).removeprefix("models:/")


def is_whole(model_id: str) -> bool:
    """Whether a logged model is there with its files."""
    from mlflow.exceptions import MlflowException

    try:
        ready = client().get_logged_model(model_id).status == "READY"
        files = client().list_logged_model_artifacts(model_id) if ready else []
    except MlflowException as error:
        if error.error_code != ABSENT:
            raise
        return False
    return "MLmodel" in {file.path for file in files}


def logged(model: Evaluated, key: str) -> str:
    """The id of the logged model with this key; made if there is none."""
    experiment = experiment_id(EXPERIMENT)
    found = client().search_logged_models([experiment], f"tags.`{KEY_TAG}` = '{key}'")
    for each in found:
        if is_whole(each.model_id):
            return str(each.model_id)
    run_id = run_of(model)
    spec = model.spec.model_dump(exclude_defaults=True)
    made = client().create_logged_model(
        experiment,
        name=model.name,
        source_run_id=run_id,
        tags={KEY_TAG: key, WEIGHTS_TAG: model.sha256},
        params={name: str(value) for name, value in spec.items()},
        model_type="sampler",
    )
    with TemporaryDirectory() as temporary:
        packing.save(Path(temporary) / "model", model, made.model_id, run_id)
        client().log_model_artifacts(made.model_id, f"{temporary}/model")
    client().finalize_logged_model(made.model_id, "READY")
    return str(made.model_id)


def run_of(model: Evaluated) -> str:
    """The id of the run that trained a model, or a new one in its place."""
    if run_id := newest_run(model.name, model.sha256):
        return run_id
    run_id = open_run(EXPERIMENT, model.name, uuid4().hex, provenance())
    client().set_terminated(run_id)
    client().set_tag(run_id, WEIGHTS_TAG, model.sha256)
    return run_id


def link_metrics(model: Evaluated, model_id: str) -> None:
    """Let a logged model have the test metrics of its run, under their names there, and its score."""
    from mlflow.entities import Metric

    wanted = {f"test_{name}": value for name, value in model.metrics.items()}
    wanted[f"tuning_{model.criterion}"] = model.score
    has = {metric.key: metric.value for metric in newest(client().get_logged_model(model_id).metrics or [])}
    missing = {name: value for name, value in wanted.items() if has.get(name) != value}
    if not missing:
        return
    run_id, now = run_of(model), int(time.time() * 1000)
    points = []
    for name, value in missing.items():  # at the time it has in the run, so that it stands there once
        times = [each.timestamp for each in client().get_metric_history(run_id, name) if each.value == value]
        points.append(Metric(name, value, max(times, default=now), 0, model_id=model_id))
    client().log_batch(run_id, metrics=points)


def newest(metrics: Sequence[Any]) -> list[Any]:
    """The metrics, the latest of a name last."""
    return sorted(metrics, key=lambda metric: metric.timestamp)


def set_aliases(task: str, ranked: Sequence[Registered], before: Mapping[str, str]) -> None:
    """Name the best, the second best, and each version by its model's name."""
    best = dict(zip((CHAMPION, CHALLENGER), ranked, strict=False))
    wanted = {alias: each.version for alias, each in best.items()}
    wanted |= {each.model.name: each.version for each in ranked}
    for alias, version in wanted.items():
        if before.get(alias) != version:
            client().set_registered_model_alias(task, alias, version)
    if CHALLENGER in before and CHALLENGER not in wanted:
        client().delete_registered_model_alias(task, CHALLENGER)
