"""Pictures of duels over points in the plane: where the samples are, and what the discriminator makes of the
plane. Writes nothing; equal inputs give equal bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.figures.digits import finish

GOOD, ASTRAY, CENTRE = "#1f6fb2", "#c0392b", "#222222"
COLOURS = {"plain": "#c0392b", "remedied": "#1f6fb2"}  # by the last word of an entry's name


@dataclass(frozen=True)
class Course:
    """One member's training, at a few steps.

    Args:
        steps: (T,).
        clouds: what it drew, (T, N, 2).
        good: which of these lie near a mode, (T, N).
        landscapes: its discriminator's logits over the window, (T, side, side), lowest row first.
        centres: of the modes, (modes, 2).
        extent: half the side of the window.
    """

    steps: np.ndarray
    clouds: np.ndarray
    good: np.ndarray
    landscapes: np.ndarray
    centres: np.ndarray
    extent: float


def courses(rows: Mapping[str, Course]) -> Figure:
    """One row a course, one column a step."""
    num_columns = max(len(course.steps) for course in rows.values())
    figure = Figure(figsize=(0.5 + 1.9 * num_columns, 2.05 * len(rows)), layout="constrained")
    table = figure.subplots(len(rows), num_columns, squeeze=False)
    for cells, (name, course) in zip(table, rows.items(), strict=True):
        cells[0].set_ylabel(name, fontsize=11)
        for cell in cells:
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set_visible(False)
        for i, cell in enumerate(cells[: len(course.steps)]):
            moment(cell, course, i)
    return figure


def moment(cell: Axes, course: Course, i: int) -> None:
    """The cloud over the landscape at one step; what lies outside of the window is not seen."""
    low, high = -course.extent, course.extent
    cell.imshow(
        shade(course.landscapes[i]),
        extent=(low, high, low, high),
        origin="lower",
        cmap="Greys_r",
        vmin=-2.2,
        vmax=1,
        interpolation="bilinear",
    )
    cell.scatter(
        course.centres[:, 0], course.centres[:, 1], s=34, facecolors="none", edgecolors=CENTRE, linewidths=0.6
    )
    for chosen, colour in ((~course.good[i], ASTRAY), (course.good[i], GOOD)):
        x, y = course.clouds[i, chosen].T
        cell.scatter(x, y, s=2.2, color=colour, linewidths=0, alpha=0.7)
    cell.set(xlim=(low, high), ylim=(low, high))
    cell.set_title(f"step {course.steps[i]}", fontsize=9)


def shade(landscape: np.ndarray) -> np.ndarray:
    """Logits by rank, from -1, the least real place of the window, to 1: their height says little, and that
    of a relativistic discriminator nothing.
    """
    ranks = landscape.ravel().argsort(kind="stable").argsort(kind="stable")
    return (2 * ranks / max(ranks.size - 1, 1) - 1).reshape(landscape.shape)


def modes(histories: Mapping[str, pd.DataFrame], totals: Mapping[str, int]) -> Figure:
    """Modes hit in the course of training, mean over members; one panel a target, which `totals` names with
    its number of modes; entries are called "<target>-<what>".
    """
    figure = Figure(figsize=(4.6 * len(totals), 2.8), layout="constrained")
    for cell, (target, total) in zip(
        figure.subplots(1, len(totals), squeeze=False)[0], totals.items(), strict=True
    ):
        for name, history in histories.items():
            if name.startswith(f"{target}-"):
                known = history.dropna(subset="modes")
                cell.plot(known["step"], known["modes"], label=name, color=COLOURS.get(name.split("-")[-1]))
        cell.axhline(total, color="#888888", linestyle=":")
        cell.set(xlabel="step", ylabel="modes hit", ylim=(0, 1.08 * total))
        finish(cell)
    return figure
