"""Small multiples of one task: what each test of posteriors says of each method."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.metrics.evidence import excess
from pipeline.metrics.functions import TARP
from pipeline.metrics.posterior import NUM_DRAWS, theoretical_gain
from pipeline.report.figures.figures import subplots
from pipeline.report.styles import STYLES

Evidence = Mapping[str, Any]  # what metrics/evidence.py leaves of a model
LINE = STYLES["real"].colour


def row(methods: Mapping[str, tuple[Evidence, str]]) -> Figure:
    """Four panels, a line a method, by label, its evidence and colour: ranks of the function that is furthest
    out of its band; ranks of TARP; how often intervals hold the truth; gains.
    """
    figure, cells = subplots(13.5, 2.9, 1, 4)
    for label, (evidence, colour) in methods.items():
        found = excess(evidence)
        line(cells[1], found.pop(TARP), label, colour)
        worst = max(found, key=lambda name: max(map(abs, found[name])))
        line(cells[0], found[worst], f"{label}: {worst}", colour)
        covered(cells[2], evidence["coverage"], label, colour)
        gains(cells[3], evidence["gains"], label, colour)
    for cell, title in zip(cells, ("ranks of the truth", TARP, "coverage", "gain"), strict=True):
        cell.set_title(title)
        cell.legend(fontsize=6, labelspacing=0.2, loc="best")
    for cell in cells[:2]:
        cell.axhspan(-1, 1, color="#eeeeee", zorder=0)
        cell.set(xlabel="rank, over the number of samples", ylabel="excess below, over the band's width")
    for cell in cells[:3]:
        cell.axhline(0, color=LINE, linewidth=0.8)
    cells[2].set(xlabel="intervals should hold", ylabel="they hold, less that")
    some = [num for num in NUM_DRAWS if num <= max(row["num_draws"] for row in evidence["gains"])]
    cells[3].plot(some, [theoretical_gain(num) for num in some], ":", color=LINE)
    cells[3].set(xscale="log", xlabel="P, samples averaged", ylabel="gain in PSNR over one, dB")
    cells[3].minorticks_off()
    cells[3].set_xticks(some, [str(num) for num in some])
    return figure


def line(cell: Axes, values: list[float], label: str, colour: str) -> None:
    cell.plot(
        np.arange(1, len(values) + 1) / (len(values) + 1), values, label=label, color=colour, linewidth=1.2
    )


def covered(cell: Axes, rows: list[dict[str, Any]], label: str, colour: str) -> None:
    """How much more, or less, of the pixels than they should intervals hold, with its own interval."""
    levels, shares = (np.array([row[key] for row in rows]) for key in ("level", "share"))
    low, high = np.array([row["interval"] for row in rows]).T
    bars = np.abs(np.stack([shares - low, high - shares]))
    cell.errorbar(
        levels, shares - levels, bars, label=label, color=colour, marker=".", linewidth=1.2, capsize=2
    )


def gains(cell: Axes, rows: list[dict[str, Any]], label: str, colour: str) -> None:
    num, found = ([row[key] for row in rows] for key in ("num_draws", "gain"))
    low, high = np.array([row["interval"] for row in rows]).T
    cell.plot(num, found, label=label, color=colour, marker=".", linewidth=1.2)
    cell.fill_between(num, low, high, color=colour, alpha=0.15, linewidth=0)
