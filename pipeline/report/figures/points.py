"""Training on points in the plane: the samples, and how a discriminator ranks the plane."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.figures.figures import subplots

GOOD, ASTRAY, CENTRE = "#1f6fb2", "#c0392b", "#222222"
COLOURS = ("#c0392b", "#1f6fb2", "#2e8b57", "#e08e0b")  # of a target's entries, in their order


class Evolution(NamedTuple):
    """One member's training, at a few steps."""

    steps: np.ndarray  # (T,)
    clouds: np.ndarray  # what it drew, (T, N, 2)
    good: np.ndarray  # which of these lie near a mode, (T, N)
    landscapes: np.ndarray | None  # its discriminator's logits over the window, (T, side, side), lowest first
    centres: np.ndarray  # of the modes, (modes, 2)
    extent: float  # half the side of the window


def evolutions(rows: Mapping[str, Evolution]) -> Figure:
    """One row an evolution, one column a step."""
    num_columns = max(len(evolution.steps) for evolution in rows.values())
    figure = Figure(figsize=(0.5 + 1.9 * num_columns, 2.05 * len(rows)), layout="constrained")
    table = figure.subplots(len(rows), num_columns, squeeze=False)
    for cells, (name, evolution) in zip(table, rows.items(), strict=True):
        cells[0].set_ylabel(name, fontsize=11)
        for cell in cells:
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set_visible(False)
        for i, cell in enumerate(cells[: len(evolution.steps)]):
            moment(cell, evolution, i)
    return figure


def moment(cell: Axes, evolution: Evolution, i: int) -> None:
    """The cloud over the landscape at one step; what lies outside of the window is not seen."""
    window = -evolution.extent, evolution.extent
    if evolution.landscapes is not None:
        ranks, box = shade(evolution.landscapes[i]), (*window, *window)
        cell.imshow(ranks, "Greys_r", extent=box, origin="lower", vmin=-2.2, vmax=1, interpolation="bilinear")
    x, y = evolution.centres.T
    cell.scatter(x, y, s=34, facecolors="none", edgecolors=CENTRE, linewidths=0.6)
    for chosen, colour in ((~evolution.good[i], ASTRAY), (evolution.good[i], GOOD)):
        x, y = evolution.clouds[i, chosen].T
        cell.scatter(x, y, s=2.2, color=colour, linewidths=0, alpha=0.7)
    cell.set(xlim=window, ylim=window, title=f"step {evolution.steps[i]}")


def shade(landscape: np.ndarray) -> np.ndarray:
    """Logits by rank, from -1, the least real, to 1: heights of a relativistic discriminator mean nothing."""
    ranks = landscape.ravel().argsort(kind="stable").argsort(kind="stable")
    return (2 * ranks / max(ranks.size - 1, 1) - 1).reshape(landscape.shape)


def modes(histories: Mapping[str, Mapping[str, pd.DataFrame]], totals: Mapping[str, int]) -> Figure:
    """Modes hit and good samples over the steps, means over members; a column a target: entries, number
    of modes.
    """
    figure, cells = subplots(4.6 * len(totals), 5.2, rows=2, columns=len(totals))
    for cell, below, (target, total) in zip(cells, cells[len(totals) :], totals.items(), strict=False):
        for i, (name, history) in enumerate(histories[target].items()):
            known, colour = history.dropna(subset="modes"), COLOURS[i % len(COLOURS)]
            cell.plot(known["step"], known["modes"], label=name, color=colour)
            below.plot(known["step"], known["good_share"], color=colour)
        cell.axhline(total, color="#888888", linestyle=":")
        cell.set(ylabel="modes hit", ylim=(0, 1.08 * total))
        below.set(xlabel="step", ylabel="share of good samples", ylim=(0, 1.02))
        cell.legend()
    return figure
