"""Adversarial training on points in the plane: where the samples are, and what the discriminator makes of the
plane. Writes nothing; equal inputs give equal bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.figures.figures import finish

GOOD, ASTRAY, CENTRE = "#1f6fb2", "#c0392b", "#222222"
COLOURS = ("#c0392b", "#1f6fb2", "#2e8b57", "#e08e0b")  # of a target's entries, in their order


@dataclass(frozen=True)
class Evolution:
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


def evolutions(rows: Mapping[str, Evolution]) -> Figure:
    """One row a evolution, one column a step."""
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
    low, high = -evolution.extent, evolution.extent
    cell.imshow(
        shade(evolution.landscapes[i]),
        extent=(low, high, low, high),
        origin="lower",
        cmap="Greys_r",
        vmin=-2.2,
        vmax=1,
        interpolation="bilinear",
    )
    cell.scatter(
        evolution.centres[:, 0],
        evolution.centres[:, 1],
        s=34,
        facecolors="none",
        edgecolors=CENTRE,
        linewidths=0.6,
    )
    for chosen, colour in ((~evolution.good[i], ASTRAY), (evolution.good[i], GOOD)):
        x, y = evolution.clouds[i, chosen].T
        cell.scatter(x, y, s=2.2, color=colour, linewidths=0, alpha=0.7)
    cell.set(xlim=(low, high), ylim=(low, high))
    cell.set_title(f"step {evolution.steps[i]}", fontsize=9)


def shade(landscape: np.ndarray) -> np.ndarray:
    """Logits by rank, from -1, the least real place of the window, to 1: their height says little, and that
    of a relativistic discriminator nothing.
    """
    ranks = landscape.ravel().argsort(kind="stable").argsort(kind="stable")
    return (2 * ranks / max(ranks.size - 1, 1) - 1).reshape(landscape.shape)


def modes(histories: Mapping[str, Mapping[str, pd.DataFrame]], totals: Mapping[str, int]) -> Figure:
    """Modes hit as training goes on, mean over members; one panel a target, with its entries' histories and
    its number of modes.
    """
    figure = Figure(figsize=(4.6 * len(totals), 2.8), layout="constrained")
    for cell, (target, total) in zip(
        figure.subplots(1, len(totals), squeeze=False)[0], totals.items(), strict=True
    ):
        for i, (name, history) in enumerate(histories[target].items()):
            known = history.dropna(subset="modes")
            cell.plot(known["step"], known["modes"], label=name, color=COLOURS[i % len(COLOURS)])
        cell.axhline(total, color="#888888", linestyle=":")
        cell.set(xlabel="step", ylabel="modes hit", ylim=(0, 1.08 * total))
        finish(cell)
    return figure
