"""One drawing in six tones of skin: its right answers are known, and beside them stand those given.

Colours are RGB in [0, 1].
"""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from pipeline.metrics import tones
from pipeline.report.figures.figures import Arrays
from pipeline.report.figures.images import GAP, LARGE, SMALL, canvas, lay, put, sheet, size

NUM_SHOWN = 25  # samples of each method
PLANE, SWATCHES = 300, 190  # pixels: side of the plane of colours, height of the swatches
TONES = ("yellow", "light", "medium-light", "medium", "medium-dark", "dark", "none of these", "regression")
MARKERS = "ov^sDP"  # of the methods, in their order


def six_tones(sampled: Mapping[str, Arrays], regression: Arrays | None) -> Figure:
    """One drawing: its six right answers, regression's one, samples of each other method, and the colour of
    the skin in all.

    Args:
        sampled: by method, what it left of the drawing: `tone_condition` (3, H, W), `tone_truth` (6, 3, H,
            W), `tone_samples` (k, 3, H, W), the colours `tone_true_colours` (6, 3) and `tone_colours` (k, 3).
        regression: the same of regression, k = 1.
    """
    first = next(iter(sampled.values()))
    condition, truth, true = first["tone_condition"], first["tone_truth"], first["tone_true_colours"]
    answers = {"condition": condition[None, None], "the six true answers": truth[None]}
    own = np.empty((0, 3))
    if regression is not None:
        answers["regression"], own = regression["tone_samples"][None], regression["tone_colours"]
    upper = {name: sheet(images, LARGE) for name, images in answers.items()}
    lower = {
        f"{name}, {min(NUM_SHOWN, len(found['tone_samples']))} samples": sheet(
            in_square(found["tone_samples"][:NUM_SHOWN]), SMALL
        )
        for name, found in sampled.items()
    }
    top, (width, height) = size(upper)[1] + 50, size(lower)
    bottom, each = top + height + 50, (width - GAP * (len(lower) - 1)) / len(lower)
    figure = canvas(max(width, size(upper)[0]) + PLANE + 70, bottom + SWATCHES)
    lay(figure, upper, 0)
    lay(figure, lower, top)
    colours = {name: found["tone_colours"] for name, found in sampled.items()}
    place = (max(width, size(upper)[0]) + 60, top, PLANE, PLANE)
    plane(put(figure, place, "colours of the skin"), true, colours, own)
    for i, (name, found) in enumerate(colours.items()):
        left = i * (each + GAP) + 80
        heading = f"{name}: {len(found)} samples by the tone they hit"
        swatches(put(figure, (left, bottom, each - 80, SWATCHES), heading), true, found, own)
    return figure


def in_square(images: np.ndarray) -> np.ndarray:
    """Images (k, 3, H, W) in as many rows as columns, or one fewer, the last filled up with white."""
    num_columns = int(np.ceil(np.sqrt(len(images))))
    blank = np.full((-len(images) % num_columns, *images.shape[1:]), 255, np.uint8)
    return np.concatenate([images, blank]).reshape(-1, num_columns, *images.shape[1:])


def plane(cell: Axes, true: np.ndarray, colours: Arrays, regression: np.ndarray) -> None:
    """Colours in the plane in which the true ones differ most; a hit is off by less than a ring's radius."""
    centre, radius = true.mean(0), tones.radii(torch.from_numpy(true)[None]).item()
    _, _, axes = np.linalg.svd(true - centre, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2].sum(1, keepdims=True))  # SVD leaves the signs open
    for colour, place in zip(true, (true - centre) @ axes.T, strict=True):
        cell.add_patch(Circle(place, radius, facecolor=(*colour, 0.3), edgecolor=colour, linewidth=2))
    marks = [(name, found, MARKERS[i % len(MARKERS)], 22) for i, (name, found) in enumerate(colours.items())]
    if len(regression):
        marks.append(("regression's one answer", regression, "X", 130))
    for name, found, marker, area in marks:
        x, y = ((found - centre) @ axes.T).T
        drawn = cell.scatter(x, y, area, found, marker=marker, label=name, zorder=3)
        drawn.set(edgecolors="#222222", linewidths=0.7)
    cell.set_aspect("equal", "datalim")
    cell.margins(0.08)
    cell.legend(loc="upper left", bbox_to_anchor=(0, -0.02))


def swatches(cell: Axes, true: np.ndarray, found: np.ndarray, regression: np.ndarray) -> None:
    """A row a tone: its colour, and those of the samples that hit it with their number. Then those of the
    samples that hit none, and regression's colour.
    """
    hit = tones.hits(torch.from_numpy(found)[None], torch.from_numpy(true)[None])[0].numpy()
    rows = [found[hit == tone] for tone in (*range(len(true)), tones.MISS)]
    most = max(20, *(len(members) for members in rows))
    for i, members in enumerate(rows):
        lightest_first = members[members.sum(1).argsort(kind="stable")[::-1]]
        bar(cell, i, (0, len(members)), lightest_first)
        cell.text(len(members) + 0.01 * most, i, f"{len(members)}", va="center", fontsize=8)
    for i, colour in [*enumerate(true), *((len(rows), colour) for colour in regression)]:
        bar(cell, i, (-0.07 * most, -0.02 * most), colour[None])
    for i, name in enumerate(TONES[: len(rows) + len(regression)]):
        cell.text(-0.09 * most, i, name, ha="right", va="center", fontsize=8)
    cell.set(xlim=(-0.08 * most, 1.08 * most), ylim=(len(TONES) - 0.5, -0.5))


def bar(cell: Axes, row: int, ends: tuple[float, float], colours: np.ndarray) -> None:
    """Colours (n, 3) side by side from one end to the other; nothing for n = 0."""
    if len(colours):
        extent = (*ends, row + 0.38, row - 0.38)
        cell.imshow(colours[None], extent=extent, aspect="auto", interpolation="nearest")
