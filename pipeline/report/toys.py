"""The report's section on mode collapse where the truth is known."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.points import NUM_SIGMAS
from pipeline.report.figures import digits as figures
from pipeline.report.figures import points as figures_toys
from pipeline.report.figures.points import Course
from pipeline.report.sections import Section
from pipeline.tasks.points import TARGETS


@dataclass(frozen=True)
class ToyResult:
    """All that the stage left of one entry of toys."""

    scores: dict[str, Any]
    history: pd.DataFrame
    steps: np.ndarray  # (T,)
    clouds: np.ndarray  # (T, S, N, 2)
    landscapes: np.ndarray  # (T, S, side, side)


def load(name: str, models: Path, metrics: Path) -> ToyResult:
    """Gather what the stage left of entry `name`."""
    with np.load(models / f"toy-{name}" / "clouds.npz") as kept:
        return ToyResult(
            json.loads((metrics / f"toy-{name}.json").read_text()),
            pd.read_csv(models / f"toy-{name}" / "history.csv"),
            kept["steps"],
            kept["clouds"],
            kept["landscapes"],
        )


def section(results: Mapping[str, ToyResult]) -> Section:
    """The section on all entries, by name."""
    totals = {result.scores["target"]: result.scores["num_modes"] for result in results.values()}
    histories = {name: result.history for name, result in results.items()}
    pictures = {
        "toys-courses": figures_toys.courses({name: worst(result) for name, result in results.items()}),
        "toys-modes": figures_toys.modes(histories, totals),
    }
    scores = {name: result.scores for name, result in results.items()}
    num_members = max(len(score["members"]) for score in scores.values())
    values = {"toys": scores, "num_members": num_members}
    return Section(
        "toys", "toys.html", {name: figures.png(figure) for name, figure in pictures.items()}, values
    )


def worst(result: ToyResult) -> Course:
    """The course of the member that ended with the fewest modes; of these, with the fewest good samples."""
    members = result.scores["members"]
    k = min(range(len(members)), key=lambda i: (members[i]["modes"], members[i]["good_share"]))
    target = TARGETS[result.scores["target"]]
    centres, clouds = target.centres.numpy(), result.clouds[:, k]
    distance = np.linalg.norm(clouds[:, :, None] - centres, axis=3).min(2)
    return Course(
        result.steps,
        clouds,
        distance < NUM_SIGMAS * target.sigma,
        result.landscapes[:, k].astype(np.float32),
        centres,
        target.extent,
    )
