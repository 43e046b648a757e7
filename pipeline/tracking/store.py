"""Where MLflow keeps runs, and from which code a run came."""

import logging
import os
import re
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from pipeline.runtime.errors import InputError

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
UNKNOWN = "unknown"


def store_uri() -> str:
    """MLFLOW_TRACKING_URI if it is set, else the SQLite file of the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{quoted(project_root() / 'mlflow.db')}"


def quoted(path: Path) -> str:
    """A path as SQLAlchemy reads it in a URI, where % and ? mean something."""
    return str(path).replace("%", "%25").replace("?", "%3F")


def shown_uri() -> str:
    """The store's URI, masked."""
    return masked(store_uri())


def masked(text: str) -> str:
    """A text in which URIs have no user and no password, and no secret in their query."""
    text = re.sub(r"(?<=://)[^\s'\"]*@", "***@", text)  # to the last @: passwords may hold one, and slashes
    return re.sub(r"(?i)(?<=[?&])(\w*(?:password|passwd|pwd|token|secret|key)=)[^&\s'\"]+", r"\1***", text)


def client() -> Any:
    """An MLflow client on the right store."""
    return client_of(store_uri())


def open_store() -> None:
    """Before it is needed, as it takes a second or two."""
    client()


@cache  # opening a store takes a second
def client_of(uri: str) -> Any:
    from mlflow import MlflowClient

    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if uri.startswith(SQLITE):
        create(Path(unquote(uri.removeprefix(SQLITE))))
    return MlflowClient(uri)


def create(file: Path) -> None:
    """Make the database whole or not at all, whenever a process ends and however many make it at once."""
    from mlflow import MlflowClient

    if file.is_dir():
        raise InputError(f"{file}: a folder")  # at which MLflow would try for minutes
    if file.exists():
        return
    part = file.with_name(f".{file.name}.{uuid4().hex}.part")
    try:
        MlflowClient(f"{SQLITE}{quoted(part)}").search_experiments(max_results=1)
        with suppress(FileExistsError):  # another process was first
            os.link(part, file)
    finally:
        part.unlink(missing_ok=True)


def experiment_id(name: str) -> str:
    """The experiment's id; made if it is not there, with its artifacts beside the project's own store."""
    from mlflow.exceptions import MlflowException

    found = client().get_experiment_by_name(name)
    if found and found.lifecycle_stage == "deleted":
        return experiment_id(successor(name, str(found.experiment_id)))
    if found:
        return str(found.experiment_id)
    artifacts = (project_root() / "mlruns").as_uri() if store_uri().startswith("sqlite:") else None
    try:
        return str(client().create_experiment(name, artifact_location=artifacts))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return str(client().get_experiment_by_name(name).experiment_id)  # another process was first


def successor(name: str, deleted: str) -> str:
    """The name under which recording goes on if the experiment of this name was deleted; says so, once."""
    if name not in _told:
        _told.add(name)
        restore = f"MLFLOW_TRACKING_URI={shown_uri()} mlflow experiments restore --experiment-id {deleted}"
        told = f"warning: MLflow's experiment {name!r} was deleted; recording goes on in '{name}-again'"
        print(f"{told} (to have it back: {restore})", file=sys.stderr, flush=True)
    return f"{name}-again"


_told = set[str]()


def provenance() -> dict[str, str]:
    """Tags that say from which code a run came."""
    commit, changed = git("rev-parse", "HEAD"), git("status", "--porcelain")
    names = {"dvc.stage": "DVC_STAGE", "dvc.experiment": "DVC_EXP_NAME"}
    tags = {tag: os.environ[variable] for tag, variable in names.items() if variable in os.environ}
    return {
        **tags,
        "mlflow.source.git.commit": commit or UNKNOWN,
        "git.dirty": UNKNOWN if changed is None else str(bool(changed)).lower(),
        "mlflow.user": os.environ.get("USER", ""),
    }


def git(*arguments: str) -> str | None:
    """What git prints; None where there is no git, or no repository that it would read."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, errors="replace")
    except OSError:
        return None
    return None if done.returncode else done.stdout.strip()
