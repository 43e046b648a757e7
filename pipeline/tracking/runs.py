"""What goes to MLflow: a model's training, its evaluation, a stage's time.

What is sent is a function of this file and what it is called with: `courier.carried` may call it in another
process. Calls are idempotent: each carries its own key and timestamps. A server that carried one out and died
before it answered is sent the same again, and keeps it once.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from pipeline.tracking.courier import carried
from pipeline.tracking.outbox import send
from pipeline.tracking.store import client, experiment_id, provenance

EXPERIMENT = "plausible-answers"  # one run a model
STAGES_EXPERIMENT = "plausible-answers-stages"  # one run a stage's execution: how long it took
WEIGHTS_TAG = "weights.sha256"
KEY_TAG = "key"  # made here, so that a run whose making nobody heard of can be found

SPEEDS = ("train_seconds", "images_per_second", "milliseconds_per_sample")

Row = tuple[str, float, int, int]  # of a metric: name, value, milliseconds, step


class Run:
    """The MLflow run of one model's training, fed from the side; a `Tracker` of `training.trainer`.

    `tags` identify data, code and stage; `key_file` holds the run's key while training is unfinished.
    Resumed, the run that it names goes on.
    """

    FLUSH_EVERY = 5.0  # seconds

    def __init__(
        self, name: str, params: Mapping[str, Any], tags: Mapping[str, str], key_file: Path, resumed: bool
    ) -> None:
        self.run_id, self.key_file = "", key_file
        self.pending: list[Row] = []
        self.flushed = time.monotonic()
        if not (resumed and key_file.exists()):
            key_file.write_text(uuid4().hex, "utf-8")
        key = key_file.read_text("utf-8")
        send(lambda: self._open(name, key, params, tags))

    def _open(self, name: str, key: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self.run_id = carried(begin, name, key, params, {**tags, **provenance()})

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        self.pending += [(name, value, now, step) for name, value in scalars.items()]
        if time.monotonic() - self.flushed > self.FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        pending, self.pending, self.flushed = self.pending, [], time.monotonic()
        send(lambda: carried(log_metrics, self.run_id, pending))

    def show(self, step: int, image: np.ndarray) -> None:
        send(lambda: carried(log_image, self.run_id, image, key="samples", step=step))

    def finish(self, weights_sha256: str, files: list[Path]) -> None:
        """Tag the run with its weights' hash, by which evaluation finds it, attach files and close it."""
        self.flush()
        send(lambda: carried(end, self.run_id, weights_sha256, [str(file.resolve()) for file in files]))
        send(lambda: self.key_file.unlink(missing_ok=True))

    def fail(self) -> None:
        """Close the run of a training that an error or the user ended."""
        self.flush()
        send(lambda: carried(close, self.run_id, "FAILED"))


def begin(name: str, key: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Open the run of a training, and say of what; its id."""
    from mlflow.entities import Dataset, DatasetInput, Param

    run_id = open_run(EXPERIMENT, name, key, tags)
    client().log_batch(run_id, params=[Param(name, str(value)) for name, value in params.items()])
    data = Dataset(tags["data"], tags["data.sha256"][:36], "local", tags["data"])
    client().log_inputs(run_id, [DatasetInput(data, [])])
    return run_id


def end(run_id: str, weights_sha256: str, files: Sequence[str]) -> None:
    client().set_tag(run_id, WEIGHTS_TAG, weights_sha256)
    for file in files:
        client().log_artifact(run_id, file)
    close(run_id, "FINISHED")


def close(run_id: str, status: str) -> None:
    client().set_terminated(run_id, status)


def log_image(run_id: str, image: np.ndarray, **where: Any) -> None:
    client().log_image(run_id, image, **where)


def log_metrics(run_id: str, rows: Sequence[Row]) -> None:
    from mlflow.entities import Metric

    for start in range(0, len(rows), 1000):  # MLflow's limit for a batch
        client().log_batch(run_id, metrics=[Metric(*row) for row in rows[start : start + 1000]])


def open_run(
    experiment_name: str, name: str, key: str, tags: Mapping[str, str], started: int | None = None
) -> str:
    """The id of the run with this key, made only if it is not there; `started` in milliseconds, else now."""
    experiment = experiment_id(experiment_name)
    if found := client().search_runs([experiment], f"tags.`{KEY_TAG}` = '{key}'", max_results=1):
        client().update_run(found[0].info.run_id, status="RUNNING")
        return str(found[0].info.run_id)
    made = client().create_run(experiment, started, {**tags, KEY_TAG: key}, name)
    return str(made.info.run_id)


def newest_run(model: str, weights_sha256: str) -> str | None:
    """The id of the newest run of the model that ended with these weights."""
    where = f"tags.`{WEIGHTS_TAG}` = '{weights_sha256}' and attributes.run_name = '{model}'"
    found = client().search_runs(
        [experiment_id(EXPERIMENT)], where, order_by=["attributes.start_time DESC"], max_results=1
    )
    return str(found[0].info.run_id) if found else None


def add_evaluation(
    model: str,
    weights_sha256: str,
    metrics: Mapping[str, float],
    curves: Mapping[str, Sequence[tuple[int, float]]],
    images: Mapping[str, np.ndarray],
) -> None:
    """Add metrics, curves as pairs of a step and a value, and images, (H, W, C) uint8, to the model's newest
    run with these weights, or a new one.
    """
    key, now = uuid4().hex, int(time.time() * 1000)
    about = model, weights_sha256, metrics, curves, images
    send(lambda: carried(evaluated, *about, key, now, provenance()))


def evaluated(
    model: str,
    weights_sha256: str,
    metrics: Mapping[str, float],
    curves: Mapping[str, Sequence[tuple[int, float]]],
    images: Mapping[str, np.ndarray],
    key: str,
    now: int,
    tags: Mapping[str, str],
) -> None:
    """`add_evaluation` of then, with the key and tags of a run if it is to be made."""
    run_id = newest_run(model, weights_sha256)
    if not run_id:
        run_id = open_run(EXPERIMENT, model, key, tags)
        client().set_terminated(run_id)
        client().set_tag(run_id, WEIGHTS_TAG, weights_sha256)  # last: by it the whole run is found
    log_metrics(run_id, [(name, value, now, 0) for name, value in metrics.items()])
    log_metrics(run_id, [(name, y, now, x) for name, pairs in curves.items() for x, y in pairs])
    for name, image in images.items():
        log_image(run_id, image, artifact_file=f"{name}.png")


def add_stage(stage: str, seconds: float, loop_seconds: float) -> None:
    """Record how long a stage took in all, and in its training or evaluation loops."""
    key, now = uuid4().hex, int(time.time() * 1000)
    send(lambda: carried(ran, stage, seconds, loop_seconds, key, now, provenance()))


def ran(stage: str, seconds: float, loop_seconds: float, key: str, now: int, tags: Mapping[str, str]) -> None:
    """`add_stage` of then."""
    run_id = open_run(STAGES_EXPERIMENT, stage, key, tags, now - round(1000 * seconds))
    log_metrics(run_id, [("seconds", seconds, now, 0), ("loop_seconds", loop_seconds, now, 0)])
    client().set_terminated(run_id, end_time=now)


def stage_seconds() -> dict[str, dict[str, float]]:
    """The latest times of each stage: name -> {seconds, loop_seconds}; empty where MLflow gives none."""
    try:
        found = client().get_experiment_by_name(STAGES_EXPERIMENT)
        if not found:
            return {}
        done, newest_first = "attributes.status = 'FINISHED'", ["attributes.end_time DESC"]
        runs = client().search_runs([found.experiment_id], done, order_by=newest_first, max_results=1000)
    except Exception:  # no times are no reason to have no report
        return {}
    return {run.info.run_name: dict(run.data.metrics) for run in reversed(runs)}


def speed(model: str, weights_sha256: str) -> dict[str, Any]:
    """How fast a model trained and samples: SPEEDS and `curve`, pairs of seconds and cheap FID; empty where
    MLflow does not know it or does not answer.
    """
    try:
        run_id = newest_run(model, weights_sha256)
        if not run_id:
            return {}
        figures = client().get_run(run_id).data.metrics
        fids, seconds = (
            {point.step: point.value for point in client().get_metric_history(run_id, name)}
            for name in ("fid", "train_seconds")
        )
    except Exception:  # as above
        return {}
    curve = [(seconds[step], fids[step]) for step in sorted(fids.keys() & seconds.keys())]
    return {name: figures.get(name) for name in SPEEDS} | {"curve": curve}
