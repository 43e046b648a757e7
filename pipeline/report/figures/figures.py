"""Numbers and images -> figures. Writes nothing; equal inputs give equal bytes."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

LINES = ("-", ":", "-.")
Coloured = Mapping[str, str]  # colour by name


def png(figure: Figure) -> bytes:
    """The figure as a PNG file, without date or version."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
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


def labelled_rows(rows: Mapping[str, np.ndarray]) -> Figure:
    """Each row of images, (n, C, H, W) uint8, beside its name."""
    num = len(next(iter(rows.values())))
    figure = Figure(figsize=(1.6 + 0.82 * num, 0.84 * len(rows)), layout="constrained")
    for cell, (name, images) in zip(
        figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows.items(), strict=True
    ):
        cell.imshow(tiles(images, num), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        cell.set(xticks=[], yticks=[])
        cell.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
        cell.spines[:].set_visible(False)
    return figure


def curves(history: pd.DataFrame, panels: Sequence[Sequence[str]]) -> Figure:
    """The columns of a training's history over its steps, one panel a group of names."""
    figure = Figure(figsize=(4.6 * len(panels), 2.8), layout="constrained")
    for cell, names in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name in names:
            cell.plot(history["step"], history[name], label=name.replace("_", " "), linewidth=1)
        cell.set_xlabel("step")
        finish(cell)
    return figure


def pixel_histograms(images: Mapping[str, np.ndarray], colours: Coloured) -> Figure:
    """How often each grey value occurs, by model; the range that sharp digits have few of is shaded. Models
    of one colour have different lines; the first name is the real images'.
    """
    figure = Figure(figsize=(9.5, 3.4), layout="constrained")
    cell = figure.subplots()
    edges = np.linspace(0, 256, 33)
    used: list[str] = []
    for i, (name, pixels) in enumerate(images.items()):
        counts, _ = np.histogram(pixels, edges)
        used.append(colours[name])
        style = LINES[(used.count(used[-1]) - 1) % len(LINES)] if i else "--"
        cell.stairs(counts / counts.sum(), edges / 256, label=name, color=used[-1], linestyle=style)
    cell.axvspan(0.1, 0.9, color="#eeeeee", zorder=0)
    cell.set(yscale="log", xlabel="pixel value (0 black)", ylabel="share of pixels")
    cell.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    cell.spines[["top", "right"]].set_visible(False)
    return figure


def bars(values: Mapping[str, float], colours: Coloured, marks: Mapping[str, float], label: str) -> Figure:
    """Horizontal bars on a logarithmic scale, one a model, and named vertical marks to compare them with."""
    figure = Figure(figsize=(8, 1.4 + 0.35 * len(values)), layout="constrained")
    cell = figure.subplots()
    cell.barh(list(values), list(values.values()), color=[colours[name] for name in values])
    for i, (name, value) in enumerate(marks.items()):
        cell.axvline(value, color="#888888", linestyle=":")
        cell.text(value, -0.7 - 0.5 * (i % 2), f" {name.replace('_', ' ')}", fontsize=8, va="bottom")
    cell.set(xscale="log", xlabel=label)
    cell.invert_yaxis()
    return figure


def finish(cell: Axes) -> None:
    cell.legend(frameon=False, fontsize=8)
    cell.spines[["top", "right"]].set_visible(False)


def training_curves(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """The FID of each model over the images it had seen; columns `images` and `fid`."""
    points = {name: (curve["images"].tolist(), curve["fid"].tolist()) for name, curve in curves.items()}
    return descents(points, "images seen")


def paces(curves: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """The FID of each model over the seconds it had trained; pairs of seconds and FID."""
    points = {name: ([x for x, _ in curve], [fid for _, fid in curve]) for name, curve in curves.items()}
    return descents(points, "seconds of training")


def descents(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], label: str) -> Figure:
    """FIDs falling, one line a model, both axes logarithmic."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    cell = figure.subplots()
    for i, (name, (x, fid)) in enumerate(curves.items()):
        cell.plot(x, fid, "-" if i < 10 else "--", label=name, marker=".", linewidth=1.2)
    cell.set(xscale="log", yscale="log", xlabel=label, ylabel="FID of 2,000 samples")
    cell.grid(True, which="both", color="#eeeeee")
    finish(cell)
    return figure


def saturation(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """By loss: the length of G's gradient, D's mean logit of fakes, and the FID, over the steps."""
    figure = Figure(figsize=(12, 3.2), layout="constrained")
    panels = {
        "g_gradient": "length of G's gradient",
        "fake_logits": "D's mean logit of fakes",
        "fid": "FID of 2,000 samples",
    }
    for cell, (column, label) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for (loss, history), colour_of in zip(histories.items(), ("#c0392b", "#1f6fb2"), strict=True):
            shown = history.dropna(subset=[column])
            cell.plot(shown["step"], shown[column], label=loss, linewidth=1.2, color=colour_of)
        cell.set(xlabel="step", ylabel=label, yscale="linear" if column == "fake_logits" else "log")
        finish(cell)
    return figure
