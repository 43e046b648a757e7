"""What the training commands share: a model's run in MLflow."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.runtime.fingerprint import imported_code
from pipeline.tracking.runs import Run
from pipeline.training.trainer import Facts


def tracked(stage: str, model: str, data: Path | None) -> Callable[[Facts, bool], Run]:
    """What opens the run of a model, trained on the data at a path, or on what is made in memory."""

    def open_run(facts: Facts, resumed: bool) -> Run:
        tags = {
            "stage": stage,
            "data": str(data or facts["data"]),
            "data.sha256": str(facts["data"]),
            "code.sha256": imported_code(),
        }
        return Run(model, flat(facts), tags, Path("runs") / stage / "mlflow_run", resumed)

    return open_run


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts with dotted names, as MLflow shows parameters."""
    items: dict[str, Any] = {}
    for key, value in facts.items():
        items |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return items
