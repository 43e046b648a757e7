"""One drawing in six tones of skin: its right answers are known, and beside them stand those given.

Colours are RGB in [0, 1].
"""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from pipeline.metrics import tones
from pipeline.report.figures.figures import Arrays
from pipeline.report.figures.images import LARGE, SMALL, canvas, lay, put, sheet, size

WIDTH = 1020  # pixels
TONES = ("yellow", "light", "medium-light", "medium", "medium-dark", "dark", "none of these", "regression")
MARKS = {"cgan": ("o", 22, "a sample of the cGAN"), "regression": ("X", 130, "regression's one answer")}


def six_tones(cgan: Arrays, regression: Arrays | None) -> Figure:
    """One sketch: its six right answers, regression's one, the cGAN's many, and the skin's colour in all.

    Args:
        cgan: what it left of the sketch: `tone_condition` (3, H, W), `tone_truth` (6, 3, H, W),
            `tone_samples` (k, 3, H, W), and the colours `tone_true_colours` (6, 3) and `tone_colours` (k, 3).
        regression: the same of regression, k = 1.
    """
    drawn, true = cgan["tone_samples"], cgan["tone_true_colours"]
    condition, truth = cgan["tone_condition"][None, None], cgan["tone_truth"][None]
    answers = {"condition": condition, "the six true answers": truth}
    colours = {"cgan": cgan["tone_colours"]}
    if regression is not None:
        answers["regression"] = regression["tone_samples"][None]
        colours["regression"] = regression["tone_colours"]
    upper = {name: sheet(images, LARGE) for name, images in answers.items()}
    lower = {f"the conditional GAN, asked {len(drawn)} times": sheet(in_square(drawn), SMALL)}
    top, (width, height) = size(upper)[1] + 50, size(lower)
    rest = max(WIDTH - width, 300)
    figure = canvas(width + rest, top + height)
    lay(figure, upper, 0)
    lay(figure, lower, top)
    plane(put(figure, (width + 50, top, rest - 50, 0.5 * height), "colours of the skin"), true, colours)
    swatches(put(figure, (width + 150, top + 0.56 * height, rest - 150, 0.44 * height)), true, colours)
    return figure


def in_square(images: np.ndarray) -> np.ndarray:
    """Images (k, 3, H, W) in as many rows as columns, or one fewer, the last filled up with white."""
    num_columns = int(np.ceil(np.sqrt(len(images))))
    blank = np.full((-len(images) % num_columns, *images.shape[1:]), 255, np.uint8)
    return np.concatenate([images, blank]).reshape(-1, num_columns, *images.shape[1:])


def plane(cell: Axes, true: np.ndarray, colours: Arrays) -> None:
    """Colours in the plane in which the true ones differ most; a hit is off by less than a ring's radius."""
    centre, radius = true.mean(0), tones.radii(torch.from_numpy(true)[None]).item()
    _, _, axes = np.linalg.svd(true - centre, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2].sum(1, keepdims=True))  # SVD leaves the signs open
    for colour, place in zip(true, (true - centre) @ axes.T, strict=True):
        cell.add_patch(Circle(place, radius, facecolor=(*colour, 0.3), edgecolor=colour, linewidth=2))
    for name, found in colours.items():
        marker, area, label = MARKS[name]
        x, y = ((found - centre) @ axes.T).T
        marks = cell.scatter(x, y, area, found, marker=marker, label=label, zorder=3)
        marks.set(edgecolors="#222222", linewidths=0.7)
    cell.set_aspect("equal", "datalim")
    cell.margins(0.08)
    cell.legend(loc="lower left")


def swatches(cell: Axes, true: np.ndarray, colours: Arrays) -> None:
    """A row a tone: its colour, and those of the samples that hit it with their number. Then those of the
    samples that hit none, and regression's colour.
    """
    found, regression = colours["cgan"], colours.get("regression", np.empty((0, 3)))
    hit = tones.hits(torch.from_numpy(found)[None], torch.from_numpy(true)[None])[0].numpy()
    rows = [found[hit == tone] for tone in (*range(len(true)), tones.MISS)]
    most = max(20, *(len(members) for members in rows))
    for i, members in enumerate(rows):
        lightest_first = members[members.sum(1).argsort(kind="stable")[::-1]]
        bar(cell, i, (0, len(members)), lightest_first)
        cell.text(len(members) + 0.01 * most, i, f"{len(members)}", va="center", fontsize=9)
    for i, colour in [*enumerate(true), *((len(rows), colour) for colour in regression)]:
        bar(cell, i, (-0.07 * most, -0.02 * most), colour[None])
    for i, name in enumerate(TONES[: len(rows) + len(regression)]):
        cell.text(-0.09 * most, i, name, ha="right", va="center", fontsize=9)
    cell.set(xlim=(-0.08 * most, 1.08 * most), ylim=(len(TONES) - 0.5, -0.5))


def bar(cell: Axes, row: int, ends: tuple[float, float], colours: np.ndarray) -> None:
    """Colours (n, 3) side by side from one end to the other; nothing for n = 0."""
    if len(colours):
        extent = (*ends, row + 0.38, row - 0.38)
        cell.imshow(colours[None], extent=extent, aspect="auto", interpolation="nearest")
