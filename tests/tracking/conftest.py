"""A store of each test's own."""

import shutil
from pathlib import Path

import pytest

from pipeline.tracking import store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database, which takes seconds to make."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    store.create(file)
    return file


@pytest.fixture
def own_store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of it for one test."""
    shutil.copy(empty_store, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(store, "project_root", lambda: tmp_path)
