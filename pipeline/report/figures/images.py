"""Images drawn for a condition each, side by side; and how far their spread may be trusted.

Images are (.., 3, H, W) uint8 and shown pixel by pixel, enlarged a whole number of times.
"""

import textwrap
from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from pipeline.metrics.posterior import NUM_DRAWS, theoretical_gain
from pipeline.report.figures.figures import Arrays, subplots, tiles
from pipeline.report.styles import STYLES

Blocks = Mapping[str, np.ndarray | list[str]]  # by heading, pixels (H, W, 3), or texts
DPI = 110  # of figures.png; lengths below are in pixels of that file
LARGE, SMALL = 96, 64  # side, at most, of an image as it is shown; SMALL if it has to be reduced
MAX_LARGE = 9  # in a row; if there are more, all are SMALL
GAP, WORDS = 18, 140  # between groups; width of a column of texts
HEADING = 9  # from a heading to its images
FRAME = 226  # grey of the line around an image
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
    lines = textwrap.fill(heading, max(8, round(width / 7.5)))
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


def ranks(histograms: Arrays) -> Figure:
    """How often the truth has each rank among a model's samples, (M + 1,), over how often by chance."""
    num_columns = min(4, len(histograms))
    num_rows = -(-len(histograms) // num_columns)
    figure, cells = subplots(2.4 * num_columns, 1.7 * num_rows + 0.3, num_rows, num_columns)
    for cell in cells[len(histograms) :]:
        cell.set_axis_off()
    for cell, (name, shares) in zip(cells, histograms.items(), strict=False):
        ratios = shares * len(shares)
        cell.bar(np.arange(len(shares)), ratios, 1, color=STYLES["cgan"].colour, alpha=0.55)
        cell.axhline(1, color=STYLES["real"].colour, linewidth=1)
        cell.set_title(name)
        cell.set(xticks=[0, len(shares) - 1], xlim=(-0.5, len(shares) - 0.5))
        cell.set_ylim(0, max(2, 1.05 * ratios.max()))
        cell.locator_params(axis="y", nbins=3)
    figure.supxlabel("samples darker than the truth", fontsize=9)
    figure.supylabel("how often, over chance", fontsize=9)
    return figure


def trust(spreads: Arrays, gains: Mapping[str, Mapping[int, float]]) -> Figure:
    """Left: (2, B) by model, the standard deviation that samples predict and the error of their mean. Right:
    what the mean of P samples gains over one, in dB by P, and what that of posterior samples would.
    """
    figure, (left, right) = subplots(9.6, 3.7, columns=2)
    for i, (name, (predicted, actual)) in enumerate(spreads.items()):
        style = "-" if i < 10 else "--"
        left.plot(predicted, actual, style, marker=".", linewidth=1.2, label=name)
        right.plot(list(gains[name]), list(gains[name].values()), style, marker=".", linewidth=1.2)
    end = max(float(pair.max()) for pair in spreads.values())
    ideal = [theoretical_gain(num) for num in NUM_DRAWS]
    for cell, x, y in ((left, [0, end], [0, end]), (right, NUM_DRAWS, ideal)):
        cell.plot(x, y, ":", color=STYLES["real"].colour, label="samples of the posterior")
    left.set(xlabel="standard deviation of the samples", ylabel="error of the samples' mean")
    right.set(xscale="log", xlabel="P, samples averaged", ylabel="gain in PSNR over one sample, dB")
    right.minorticks_off()
    right.set_xticks(NUM_DRAWS, [str(num) for num in NUM_DRAWS])
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center")
    return figure
