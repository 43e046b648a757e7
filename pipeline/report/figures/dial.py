"""The dial: a flow's samples by the number of steps that they take."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline.report.figures.figures import Arrays, subplots
from pipeline.report.figures.images import strip
from pipeline.report.styles import STYLES

COLOURS = ("#7a3fb0", "#1f6fb2", "#2e8b57", "#e08e0b", "#c0392b", "#4f9d96", "#8a8a8f")
LINE = STYLES["real"].colour


def curves(errors: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """By task, over `steps`: the error of a sample, `error`, over that of the average, between the lines of
    theory; `fid`, over that of one step; `gradient_energy`, sharpness. The last two where a task has them.
    """
    figure, cells = subplots(12, 3.6, columns=3)
    for (name, rows), colour in zip(errors.items(), COLOURS * len(errors), strict=False):
        for cell, key in zip(cells, ("error", "fid", "gradient_energy"), strict=True):
            if key in rows:
                cell.plot(rows["steps"], rows[key], marker=".", label=name, color=colour, linewidth=1.3)
    for height in (1, 2):
        cells[0].axhline(height, color=LINE, linestyle=":")
    cells[0].set_yticks([1, 1.5, 2, 2.5, 3], ["V", "1.5 V", "2 V", "2.5 V", "3 V"])
    cells[2].axhline(1, color=LINE, linestyle=":")
    cells[0].set(ylabel="error of a sample, over the average's", ylim=(0.9, None))
    cells[1].set(ylabel="FID, over that of one step", yscale="log")
    cells[2].set(ylabel="sharpness, over that of real images")
    for cell in cells:
        cell.set(xscale="log", xlabel="steps N")
        cell.minorticks_off()
        steps = next(iter(errors.values()))["steps"]
        cell.set_xticks(steps, [f"{step:g}" for step in steps])
    figure.legend(*cells[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def pictures(rows: Sequence[Arrays], steps: Sequence[int]) -> Figure:
    """A row a drawing: what is given of it, `condition`, where that is an image, the truth, and `answers`, by
    number of steps; all images (3, H, W).
    """
    side = max(row["truth"].shape[1] for row in rows)
    blank = np.full((3, side, side), 255, np.uint8)
    groups = {"given": np.stack([framed(row.get("condition", blank), side) for row in rows])[:, None]}
    groups["truth"] = np.stack([framed(row["truth"], side) for row in rows])[:, None]
    for i, num in enumerate(steps):
        name = f"N = {num}"
        groups[name] = np.stack([framed(row["answers"][i], side) for row in rows])[:, None]
    return strip(groups)


def framed(image: np.ndarray, side: int) -> np.ndarray:
    """An image (3, H, W) in the middle of a square, the margin as its corner."""
    height, width = image.shape[1:]
    found = np.broadcast_to(image[:, :1, :1], (3, side, side)).copy()
    top, left = (side - height) // 2, (side - width) // 2
    found[:, top : top + height, left : left + width] = image
    return found
