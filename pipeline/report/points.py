"""The report's section on mode collapse where the truth is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.points import NUM_SIGMAS
from pipeline.report.figures import points
from pipeline.report.figures.figures import png
from pipeline.report.figures.points import Evolution
from pipeline.report.results import arrays, read
from pipeline.report.sections import Section
from pipeline.tasks.points import TARGETS
from pipeline.training.trainer import HISTORY, SNAPSHOTS


@dataclass(frozen=True)
class ToyResult:
    """All that the stage left of one entry of toys; snapshots: `steps` (T,), `clouds` (T, S, N, 2) and
    `landscapes` (T, S, side, side).
    """

    details: dict[str, Any]
    metrics: dict[str, float]
    history: pd.DataFrame
    snapshots: Mapping[str, np.ndarray]


def load(name: str, models: Path, reports: Path) -> ToyResult:
    """Gather what the stage left of entry `name`."""
    folder = models / f"toy-{name}"
    details, metrics = (read(reports / part / f"toy-{name}.json") for part in ("details", "metrics"))
    return ToyResult(details, metrics, pd.read_csv(folder / HISTORY), arrays(folder / SNAPSHOTS))


def section(results: Mapping[str, ToyResult]) -> Section:
    """The section on all entries, by name."""
    totals: dict[str, int] = {}
    histories: dict[str, dict[str, pd.DataFrame]] = {}
    for name, result in results.items():
        target = result.details["target"]
        totals[target] = result.details["num_modes"]
        histories.setdefault(target, {})[name] = result.history
    figures = {
        "points-evolution": points.evolutions({name: worst(result) for name, result in results.items()}),
        "points-modes": points.modes(histories, totals),
    }
    scores = {name: result.details | {"mean": result.metrics} for name, result in results.items()}
    num_members = max(len(score["members"]) for score in scores.values())
    drawn = {name: png(figure) for name, figure in figures.items()}
    return Section("toys", "points.html", drawn, {"toys": scores, "num_members": num_members})


def worst(result: ToyResult) -> Evolution:
    """The training of the member that ended with the fewest modes; of these, with the fewest good samples."""
    members = result.details["members"]
    k = min(range(len(members)), key=lambda i: (members[i]["modes"], members[i]["good_share"]))
    target = TARGETS[result.details["target"]]
    centres, clouds = target.centres.numpy(), result.snapshots["clouds"][:, k]
    distance = np.linalg.norm(clouds[:, :, None] - centres, axis=3).min(2)
    landscapes = result.snapshots["landscapes"][:, k].astype(np.float32)
    good = distance < NUM_SIGMAS * target.sigma
    return Evolution(result.snapshots["steps"], clouds, good, landscapes, centres, target.extent)
