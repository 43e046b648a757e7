"""Images drawn for a condition each, side by side; and how far their spread may be trusted.

Images are (.., 3, H, W) uint8 and shown pixel by pixel, enlarged a whole number of times.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from PIL import Image

from pipeline.metrics.posterior import NUM_DRAWS, theoretical_gain
from pipeline.report.figures.figures import subplots, tiles
from pipeline.report.styles import STYLES

Blocks = Mapping[str, np.ndarray | list[str]]  # by heading, pixels (H, W, 3), or texts
DPI = 110  # of figures.png; lengths below are in pixels of that file
LARGE, SMALL = 96, 64  # side, at most, of an image as it is shown; SMALL if it has to be reduced
MAX_LARGE = 9  # in a row; if there are more, all are SMALL
GAP, WORDS = 18, 140  # between groups; width of a column of texts
HEADING = 9  # from a heading to its images
FRAME = 226  # grey of the line around an image
MAX_STYLED = 4  # methods in a panel; if there are more, several are of one style, and colours tell models
SPREAD = "magma_r"  # the colours of standard deviations: perceptually uniform


def strip(groups: Mapping[str, np.ndarray | list[str]], top: float | None = None) -> Figure:
    """A row a drawing, and in it groups, by heading, of images (n, k, 3, H, W) or n texts; `top` is the
    standard deviation at the end of the scale beneath the last group, None for no scale.
    """
    shapes = [group.shape for group in groups.values() if isinstance(group, np.ndarray)]
    few = sum(shape[1] for shape in shapes) <= MAX_LARGE
    side = LARGE if few and max(max(shape[3:]) for shape in shapes) <= LARGE else SMALL
    blocks = {
        name: sheet(group, side) if isinstance(group, np.ndarray) else group for name, group in groups.items()
    }
    figure = canvas(*size(blocks))
    lay(figure, blocks, 0)
    if top is not None:
        scale(figure, top)
    return figure


def size(blocks: Blocks) -> tuple[int, int]:
    """Width and height of blocks side by side."""
    shapes = [block.shape if isinstance(block, np.ndarray) else (0, WORDS) for block in blocks.values()]
    return sum(shape[1] for shape in shapes) + GAP * (len(shapes) - 1), max(shape[0] for shape in shapes)


def lay(figure: Figure, blocks: Blocks, top: float) -> None:
    """Blocks side by side, each under its heading."""
    left, (_, height) = 0, size(blocks)
    for name, block in blocks.items():
        width, _ = size({name: block})
        cell = put(figure, (left, top, width, height), name)
        if isinstance(block, np.ndarray):
            cell.imshow(block, interpolation="nearest", aspect="auto")
        else:
            write(cell, block)
        left += width + GAP


def write(cell: Axes, texts: list[str]) -> None:
    """Texts, one under the other."""
    for i, text in enumerate(texts):
        place = (1, 1 - (i + 0.5) / len(texts))
        lines = textwrap.fill(text, 20)
        cell.text(*place, lines, ha="right", va="center", fontsize=9, parse_math=False)


def canvas(width: float, height: float) -> Figure:
    """A figure of so many pixels; what is put outside of them is seen too."""
    return Figure(figsize=(width / DPI, height / DPI))


def put(figure: Figure, box: tuple[float, float, float, float], heading: str = "") -> Axes:
    """Axes without lines in a box: left, top, width and height, in pixels from the upper left corner."""
    (left, top, width, height), (wide, high) = box, figure.get_size_inches() * DPI
    place = left / wide, 1 - (top + height) / high, width / wide, height / high
    cell = figure.add_axes(place, xticks=[], yticks=[])
    cell.spines[:].set_visible(False)
    lines = textwrap.fill(heading, max(11, round(width / 7.5)))
    cell.set_title(lines, pad=HEADING * 72 / DPI, parse_math=False)
    return cell


def scale(figure: Figure, top: float) -> None:
    """The colours of standard deviations from 0 to `top`, beneath the axes made last."""
    (width, height), above = figure.get_size_inches() * DPI, figure.axes[-1].get_position()
    cell = put(figure, (above.x0 * width, height + 7, above.width * width, 8))
    cell.imshow(np.linspace(0, 1, 256)[None], cmap=SPREAD, aspect="auto")
    cell.text(0, -0.4, "0", transform=cell.transAxes, va="top", fontsize=8)
    cell.text(1, -0.4, f"{top:g}", transform=cell.transAxes, va="top", ha="right", fontsize=8)


def heat(sd: np.ndarray, top: float) -> np.ndarray:
    """Standard deviations (n, H, W) as images (n, 1, 3, H, W); `top` and more have the last colour."""
    colours = matplotlib.colormaps[SPREAD](np.clip(sd / top, 0, 1))[..., :3]
    return np.rint(255 * colours).astype(np.uint8).transpose(0, 3, 1, 2)[:, None]


def sheet(images: np.ndarray, side: int) -> np.ndarray:
    """Images (n, k, 3, H, W) in n rows, framed, (H', W', 3)."""
    shown = np.stack([fitted(image, side) for image in images.reshape(-1, *images.shape[2:])])
    return tiles(np.pad(shown, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=FRAME), images.shape[1])


def fitted(image: np.ndarray, side: int) -> np.ndarray:
    """An image (3, H, W) enlarged a whole number of times, or reduced, to `side` at most, (3, h, w)."""
    longest = max(image.shape[1:])
    if longest <= side:
        return image.repeat(side // longest, 1).repeat(side // longest, 2)
    height, width = (max(1, round(length * side / longest)) for length in image.shape[1:])
    reduced = Image.fromarray(image.transpose(1, 2, 0)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(reduced).transpose(2, 0, 1)


class Trust(NamedTuple):
    """How far the spread of a model's samples may be trusted."""

    ranks: np.ndarray  # (M + 1,): how often the truth has each among the samples
    spread: np.ndarray  # (2, B): the standard deviation that samples predict, and the error of their mean
    gains: Mapping[int, float]  # of the mean of P samples over one, in dB, by P
    colour: str


class Pace(NamedTuple):
    """How a model's FID fell."""

    pairs: Sequence[tuple[float, float]]  # of how far it had trained, and its FID
    colour: str


def ranks(methods: Mapping[str, Mapping[str, Trust]]) -> Figure:
    """How often the truth has each rank, over how often by chance: a column a method, a row a task."""
    tasks = list(dict.fromkeys(task for found in methods.values() for task in found))
    figure, cells = subplots(2.6 * len(methods) + 0.6, 1.15 * len(tasks) + 0.5, len(tasks), len(methods))
    for i, (task, (method, found)) in enumerate(product(tasks, methods.items())):
        cell = cells[i]
        if task not in found:
            cell.set_axis_off()
            continue
        shares = found[task].ranks
        ratios = shares * len(shares)
        cell.bar(np.arange(len(shares)), ratios, 1, color=found[task].colour, alpha=0.55)
        cell.axhline(1, color=STYLES["real"].colour, linewidth=1)
        cell.set_title(f"{task}: {method}")
        cell.set(xticks=[0, len(shares) - 1], xlim=(-0.5, len(shares) - 0.5))
        cell.set_ylim(0, max(2, 1.05 * ratios.max()))
        cell.locator_params(axis="y", nbins=3)
    figure.supxlabel("samples darker than the truth", fontsize=9)
    figure.supylabel("how often, over chance", fontsize=9)
    return figure


def trust(methods: Mapping[str, Mapping[str, Trust]]) -> Figure:
    """A column a method, a line a task. Above: the standard deviation that samples predict, and the error of
    their mean. Below: what the mean of P samples gains over one, in dB, and what posterior samples would.
    """
    figure, cells = subplots(3.5 * len(methods) + 1.4, 6.2, rows=2, columns=len(methods))
    tasks = list(dict.fromkeys(task for found in methods.values() for task in found))
    colours = dict(zip(tasks, (f"C{i}" for i in range(len(tasks))), strict=True))
    ideal = [theoretical_gain(num) for num in NUM_DRAWS]
    for upper, lower, (method, found) in zip(cells, cells[len(methods) :], methods.items(), strict=False):
        for task, each in found.items():
            upper.plot(*each.spread, marker=".", linewidth=1.2, label=task, color=colours[task])
            lower.plot(list(each.gains), list(each.gains.values()), marker=".", color=colours[task])
        end = max(float(each.spread.max()) for each in found.values())
        for cell, x, y in ((upper, [0, end], [0, end]), (lower, NUM_DRAWS, ideal)):
            cell.plot(x, y, ":", color=STYLES["real"].colour, label="samples of the posterior")
        upper.set(title=method, xlabel="standard deviation of samples", ylabel="error of their mean")
        lower.set(xscale="log", xlabel="P, samples averaged", ylabel="gain in PSNR over one sample, dB")
        lower.minorticks_off()
        lower.set_xticks(NUM_DRAWS, [str(num) for num in NUM_DRAWS])
    known: dict[str, Artist] = {}
    for cell in cells:
        lines, labels = cell.get_legend_handles_labels()
        known |= dict(zip(labels, lines, strict=True))
    figure.legend(list(known.values()), list(known), loc="outside right center")
    return figure


def paces(panels: Mapping[str, Mapping[str, Pace]], label: str) -> Figure:
    """FIDs falling, a panel a task, a line a method, both axes logarithmic; `label` says over what."""
    num_columns = min(3, len(panels))
    num_rows = -(-len(panels) // num_columns)
    figure, cells = subplots(4 * num_columns, 2.9 * num_rows, num_rows, num_columns)
    for cell in cells[len(panels) :]:
        cell.set_axis_off()
    for cell, (task, methods) in zip(cells, panels.items(), strict=False):
        for i, (name, pace) in enumerate(methods.items()):
            x, fid = np.reshape(pace.pairs, (-1, 2)).T
            colour = pace.colour if len(methods) <= MAX_STYLED else f"C{i % 10}"
            cell.plot(x, fid, label=name, marker=".", linewidth=1.2, color=colour)
        cell.set(xscale="log", yscale="log", xlabel=label, ylabel="FID, validation images", title=task)
        for axis in (cell.xaxis, cell.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        cell.grid(True, color="#eeeeee")
        cell.legend(fontsize=7, labelspacing=0.2)
    return figure


COSTS = {"train_seconds": "seconds of training", "milliseconds_per_sample": "milliseconds a sample"}
QUALITIES = {"energy_score": "energy score", "fid": "FID"}


def costs(models: Sequence[Mapping[str, Any]]) -> Figure:
    """Of one task's models a dot each, with `label`, `colour`, and the keys of QUALITIES over those of COSTS,
    on logarithmic axes; what is not known of a model is left out.
    """
    figure, cells = subplots(13.5, 2.7, 1, 4)
    for cell, (quality, cost) in zip(cells, product(QUALITIES, COSTS), strict=True):
        for label in dict.fromkeys(model["label"] for model in models):
            of_label = [model for model in models if model["label"] == label and model[cost] is not None]
            places = [(model[cost], model[quality]) for model in of_label]
            if places:
                cell.plot(*zip(*places, strict=True), "o", color=of_label[0]["colour"], label=label)
        cell.set(xscale="log", yscale="log", xlabel=COSTS[cost], ylabel=QUALITIES[quality])
        for axis in (cell.xaxis, cell.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        cell.grid(True, color="#eeeeee")
    cells[0].legend(fontsize=7, labelspacing=0.2)
    return figure
