"""What the stages left of a model, trained from one seed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report.styles import Style, style_of
from pipeline.training.trainer import HISTORY, SNAPSHOTS

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Result:
    """A model's files, read when asked for.

    Args:
        section: of params.yaml.
        entry: in it.
        name: of the model without its seed.
        seed: None for a variant.
        models, reports: the folders of all models and of all that is reported.
    """

    section: str
    entry: str
    name: str
    seed: int | None
    models: Path
    reports: Path

    @property
    def model(self) -> str:
        return self.name if self.seed is None else f"{self.name}-{self.seed}"

    @cached_property
    def metrics(self) -> dict[str, float]:
        return read(self.reports / "metrics" / f"{self.model}.json")

    @cached_property
    def details(self) -> dict[str, Any]:
        return read(self.reports / "details" / f"{self.model}.json")

    @cached_property
    def samples(self) -> Arrays:
        return arrays(self.reports / "samples" / f"{self.model}.npz")

    @cached_property
    def snapshots(self) -> Arrays:
        return arrays(self.models / self.model / SNAPSHOTS)

    @cached_property
    def history(self) -> pd.DataFrame:
        return pd.read_csv(self.models / self.model / HISTORY)

    @property
    def task(self) -> str:
        return str(self.details["task"])

    @property
    def kind(self) -> str:
        """Of the task's conditions."""
        return str(self.details["kind"])

    @property
    def style(self) -> Style:
        return style_of(self.details)


Results = Mapping[str, Result]  # of the first seed, by name without seed


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as found:
        return dict(found)
