"""Figures of digits and of trainings, and what all figures are made with. Writes nothing; equal inputs give
equal bytes.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

NUM_COLOURS = 256
LINES = ("-", ":", "-.")
Arrays = Mapping[str, np.ndarray]
Coloured = Mapping[str, str]  # colour by name

matplotlib.use("Agg")
matplotlib.rcParams["axes.spines.right"] = matplotlib.rcParams["axes.spines.top"] = False
matplotlib.rcParams["axes.titlesize"] = 9
matplotlib.rcParams["legend.fontsize"] = 8
matplotlib.rcParams["legend.frameon"] = False


def subplots(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of this size, in inches, and its axes, row by row."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file, without date or version; of lines and areas alone in 256 colours."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    if any(np.ndim(np.asarray(image.get_array())) == 3 for cell in figure.axes for image in cell.images):
        return buffer.getvalue()
    drawn, buffer = Image.open(buffer).convert("RGB"), BytesIO()
    drawn.quantize(NUM_COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG")
    return buffer.getvalue()


def webp(png: bytes) -> bytes:
    """A PNG file as a smaller one, pixel for pixel the same."""
    buffer = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").save(buffer, "WEBP", lossless=True, quality=60)
    return buffer.getvalue()


def sheet(pixels: np.ndarray, columns: int, zoom: int = 2) -> bytes:
    """A PNG file of images (N, C, H, W) uint8 in rows of `columns`, each pixel `zoom` times as large."""
    buffer = BytesIO()
    Image.fromarray(tiles(pixels.repeat(zoom, 2).repeat(zoom, 3), columns)).save(buffer, "PNG")
    return buffer.getvalue()


def tiles(pixels: np.ndarray, columns: int) -> np.ndarray:
    """Images (N, C, H, W) uint8 in rows of `columns` with white lines between, (H', W') or (H', W', 3)."""
    num, channels, height, width = pixels.shape
    rows = -(-num // columns)
    sheet = np.full((rows, columns, channels, height + 2, width + 2), 255, np.uint8)
    sheet.reshape(rows * columns, *sheet.shape[2:])[:num, :, 1:-1, 1:-1] = pixels
    joined = sheet.transpose(0, 3, 1, 4, 2).reshape(rows * sheet.shape[3], columns * sheet.shape[4], channels)
    return joined[..., 0] if channels == 1 else joined


def labelled_rows(rows: Arrays) -> Figure:
    """Each row of images, (n, C, H, W) uint8, beside its name."""
    num = len(next(iter(rows.values())))
    figure, cells = subplots(1.6 + 0.82 * num, 0.84 * len(rows), len(rows))
    for cell, (name, images) in zip(cells, rows.items(), strict=True):
        cell.imshow(tiles(images, num), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        cell.set(xticks=[], yticks=[])
        cell.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
        cell.spines[:].set_visible(False)
    return figure


def curves(history: pd.DataFrame, panels: Sequence[Sequence[str]]) -> Figure:
    """The columns of a training's history over its steps, one panel a group of names."""
    figure, cells = subplots(4.6 * len(panels), 2.8, columns=len(panels))
    for cell, names in zip(cells, panels, strict=True):
        for name in names:
            cell.plot(history["step"], history[name], label=name.replace("_", " "), linewidth=1)
        cell.set_xlabel("step")
        cell.legend()
    return figure


def pixel_histograms(images: Arrays, colours: Coloured) -> Figure:
    """How often each grey value occurs, by model; the range that sharp digits have few of is shaded. Models
    of one colour have different lines; the first name is the real images'.
    """
    figure, (cell,) = subplots(9.5, 3.4)
    edges = np.linspace(0, 256, 33)
    used: list[str] = []
    for i, (name, pixels) in enumerate(images.items()):
        counts, _ = np.histogram(pixels, edges)
        used.append(colours[name])
        style = LINES[(used.count(used[-1]) - 1) % len(LINES)] if i else "--"
        cell.stairs(counts / counts.sum(), edges / 256, label=name, color=used[-1], linestyle=style)
    cell.axvspan(0.1, 0.9, color="#eeeeee", zorder=0)
    cell.set(yscale="log", xlabel="pixel value (0 black)", ylabel="share of pixels")
    cell.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def bars(values: Mapping[str, float], colours: Coloured, marks: Mapping[str, float], label: str) -> Figure:
    """Horizontal bars on a logarithmic scale, one a model, and named vertical marks to compare them with."""
    figure, (cell,) = subplots(8, 1.4 + 0.35 * len(values))
    cell.barh(list(values), list(values.values()), color=[colours[name] for name in values])
    for i, (name, value) in enumerate(marks.items()):
        cell.axvline(value, color="#888888", linestyle=":")
        cell.text(value, -0.7 - 0.5 * (i % 2), f" {name.replace('_', ' ')}", fontsize=8, va="bottom")
    cell.set(xscale="log", xlabel=label)
    cell.spines[:].set_visible(True)
    cell.invert_yaxis()
    return figure


def descents(curves: Mapping[str, Sequence[tuple[float, float]]], label: str) -> Figure:
    """FIDs falling, one line a model, both axes logarithmic: pairs of how far it had trained, and its FID."""
    figure, (cell,) = subplots(8, 4.2)
    for i, (name, pairs) in enumerate(curves.items()):
        x, fid = np.reshape(pairs, (-1, 2)).T
        cell.plot(x, fid, "-" if i < 10 else "--", label=name, marker=".", linewidth=1.2)
    cell.set(xscale="log", yscale="log", xlabel=label, ylabel="FID of 2,000 samples")
    cell.grid(True, which="both", color="#eeeeee")
    cell.legend()
    return figure


def truncations(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """FID, precision and recall by the share of the latents' distribution that is kept, one line a model."""
    figure, cells = subplots(12, 3.2, columns=3)
    for cell, name in zip(cells, ("fid", "precision", "recall"), strict=True):
        for model, rows in curves.items():
            cell.plot(
                [row["truncation"] for row in rows], [row[name] for row in rows], label=model, marker="."
            )
        cell.set(xlabel="truncation", ylabel="FID" if name == "fid" else name)
        cell.grid(True, color="#eeeeee")
        cell.legend()
    return figure


def saturation(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """By loss: the length of G's gradient, D's mean logit of fakes, and the FID, over the steps."""
    labels = {"g_gradient": "length of G's gradient", "fake_logits": "D's mean logit of fakes"}
    labels |= {"fid": "FID of 2,000 samples"}
    figure, cells = subplots(12, 3.2, columns=3)
    for cell, (column, label) in zip(cells, labels.items(), strict=True):
        for (loss, history), colour in zip(histories.items(), ("#c0392b", "#1f6fb2"), strict=True):
            shown = history.dropna(subset=[column])
            cell.plot(shown["step"], shown[column], label=loss, linewidth=1.2, color=colour)
        cell.set(xlabel="step", ylabel=label, yscale="linear" if column == "fake_logits" else "log")
        cell.legend()
    return figure
