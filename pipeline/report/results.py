"""What the stages left of a model, and what the page shows of models: sections."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.report.figures.figures import Arrays
from pipeline.report.styles import Style, style_of
from pipeline.training.trainer import HISTORY, SNAPSHOTS

Figures = Mapping[str, Figure | bytes]  # by name; bytes are a PNG file


class Section(NamedTuple):
    """A part of the page that a module of its own makes."""

    name: str  # the heading's id, and the template: <name>.html in this folder
    figures: Figures
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """A model's files, read when asked for."""

    section: str  # of params.yaml
    entry: str  # in it
    name: str  # of the model without its seed
    seed: int | None  # None for a variant or a toy
    models: Path  # the folder of all models
    reports: Path  # the folder of all that is reported

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
    return json.loads(path.read_text("utf-8"))


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as found:
        return dict(found)
