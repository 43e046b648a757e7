"""Where MLflow keeps runs, and from which code a run came."""

import logging
import os
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")  # seconds


def project_root() -> Path:
    """The user's checkout, also from the temporary folders in which DVC runs queued experiments."""
    here = Path(os.environ.get("DVC_ROOT", ".")).resolve()
    for parent in here.parents:
        if parent.name == ".dvc":
            return parent.parent
    return here


SQLITE = "sqlite:///"


def store_uri() -> str:
    """MLFLOW_TRACKING_URI if it is set, else the SQLite file of the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{project_root() / 'mlflow.db'}"


def client() -> Any:
    """An MLflow client on the right store."""
    return client_of(store_uri())


@cache  # opening a store takes a second
def client_of(uri: str) -> Any:
    from mlflow import MlflowClient

    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if uri.startswith(SQLITE):
        create(Path(uri.removeprefix(SQLITE)))
    return MlflowClient(uri)


def create(file: Path) -> None:
    """Make the database whole or not at all, whenever a process ends and however many make it at once."""
    from mlflow import MlflowClient

    if file.exists():
        return
    part = file.with_name(f".{file.name}.{uuid4().hex}.part")
    try:
        MlflowClient(f"{SQLITE}{part}").search_experiments(max_results=1)
        with suppress(FileExistsError):  # another process was first
            os.link(part, file)
    finally:
        part.unlink(missing_ok=True)


def experiment_id(name: str) -> str:
    """The experiment's id; made if it is not there, with its artifacts beside the project's own store."""
    from mlflow.exceptions import MlflowException

    found = client().get_experiment_by_name(name)
    if found:
        return str(found.experiment_id)
    artifacts = (project_root() / "mlruns").as_uri() if store_uri().startswith("sqlite:") else None
    try:
        return str(client().create_experiment(name, artifact_location=artifacts))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return str(client().get_experiment_by_name(name).experiment_id)  # another process was first


def provenance() -> dict[str, str]:
    """Tags that say from which code a run came."""
    commit, dirty = git("rev-parse", "HEAD"), git("status", "--porcelain")
    names = {"dvc.stage": "DVC_STAGE", "dvc.experiment": "DVC_EXP_NAME"}
    tags = {tag: os.environ[variable] for tag, variable in names.items() if variable in os.environ}
    return {
        **tags,
        "mlflow.source.git.commit": commit,
        "git.dirty": str(bool(dirty)).lower(),
        "mlflow.user": os.environ.get("USER", ""),
    }


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True).stdout.strip()
