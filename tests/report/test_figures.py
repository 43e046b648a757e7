"""Numbers and images -> figures."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from pipeline.report.figures import figures

COLOURS = {"real": "#222222", "gan-x": "#2e8b57", "gan-a": "#2e8b57", "cgan-b": "#1f6fb2"}
HISTORY = pd.DataFrame({"step": [1, 2, 3], "d_loss": [1.0, 0.5, 0.2], "g_loss": [0.1, 0.5, 0.9]})


def images(num: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (num, 1, 4, 4), dtype=np.uint8)


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)))


FIGURES: dict[str, Callable[[], Figure]] = {
    "labelled_rows": lambda: figures.labelled_rows({"a": images(3), "b": images(3)}),
    "curves": lambda: figures.curves(HISTORY, [["d_loss", "g_loss"], ["d_loss"]]),
    "pixel_histograms": lambda: figures.pixel_histograms({"real": images(9), "gan-x": images(4)}, COLOURS),
    "bars": lambda: figures.bars({"gan-a": 3.0, "cgan-b": 40.0}, COLOURS, {"one_class_missing": 5.0}, "FID"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_equal_figures_are_equal_bytes_without_date_or_version(name: str) -> None:
    first = figures.png(FIGURES[name]())
    assert figures.png(FIGURES[name]()) == first
    assert b"tIME" not in first
    assert b"tEXt" not in first
    assert b"matplotlib" not in first.lower()
    assert opened(first).std() > 5  # not an empty page


def test_other_numbers_are_another_figure() -> None:
    other = HISTORY.assign(d_loss=[1.0, 0.5, 0.3])
    panels = [["d_loss"]]
    assert figures.png(figures.curves(other, panels)) != figures.png(figures.curves(HISTORY, panels))


def test_a_curve_is_drawn_for_each_name_in_its_panel() -> None:
    left, right = figures.curves(HISTORY, [["d_loss", "g_loss"], ["g_loss"]]).axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in left.lines}
    assert drawn == {"d loss": [1.0, 0.5, 0.2], "g loss": [0.1, 0.5, 0.9]}
    assert list(left.lines[0].get_xdata()) == [1, 2, 3]
    assert [line.get_label() for line in right.lines] == ["g loss"]


def test_a_bar_is_as_long_as_its_value_and_a_mark_stands_at_its_own() -> None:
    (cell,) = figures.bars({"gan-a": 3.0, "cgan-b": 40.0}, COLOURS, {"blurred": 5.0}, "FID").axes
    assert [bar.get_width() for bar in cell.patches] == [3.0, 40.0]
    assert [to_hex(bar.get_facecolor()) for bar in cell.patches] == [COLOURS["gan-a"], COLOURS["cgan-b"]]
    assert [label.get_text() for label in cell.get_yticklabels()] == ["gan-a", "cgan-b"]
    assert list(cell.lines[0].get_xdata()) == [5.0, 5.0]
    assert cell.get_xscale() == "log"


def test_histograms_are_shares_of_the_pixels() -> None:
    black_and_white = np.array([0, 0, 0, 255], np.uint8).reshape(1, 1, 2, 2)
    (cell,) = figures.pixel_histograms({"real": black_and_white}, COLOURS).axes
    values, edges, _ = cell.patches[0].get_data()
    assert (values[0], values[-1], values.sum()) == (0.75, 0.25, 1.0)
    assert (edges[0], edges[-1]) == (0.0, 1.0)


def test_histograms_of_one_colour_differ_in_their_lines_and_the_real_one_is_dashed() -> None:
    shown = {"real": images(3), "gan-x": images(3), "gan-a": images(3), "cgan-b": images(3)}
    (cell,) = figures.pixel_histograms(shown, COLOURS).axes
    found = [(to_hex(part.get_edgecolor()), part.get_linestyle()) for part in cell.patches[:4]]
    assert found == [("#222222", "--"), ("#2e8b57", "-"), ("#2e8b57", ":"), ("#1f6fb2", "-")]


def test_tiles_stand_in_rows_with_white_lines_around_each() -> None:
    pixels = np.array([10, 20, 30], np.uint8).reshape(3, 1, 1, 1)
    w = 255
    assert figures.tiles(pixels, 2).tolist() == [
        [w, w, w, w, w, w],
        [w, 10, w, w, 20, w],
        [w, w, w, w, w, w],
        [w, w, w, w, w, w],
        [w, 30, w, w, w, w],
        [w, w, w, w, w, w],
    ]


def test_a_sheet_shows_each_pixel_zoomed_exactly() -> None:
    pixels = np.array([[10, 20], [30, 40]], np.uint8).reshape(1, 1, 2, 2)
    found = opened(figures.sheet(pixels, 1, zoom=2))
    inside = [[10, 10, 20, 20], [10, 10, 20, 20], [30, 30, 40, 40], [30, 30, 40, 40]]
    assert found.shape == (6, 6)
    assert found[1:-1, 1:-1].tolist() == inside
    assert (found[[0, -1]] == 255).all()
    assert (found[:, [0, -1]] == 255).all()
    assert figures.sheet(pixels, 1) == figures.sheet(pixels.copy(), 1, zoom=2)


def test_a_sheet_in_colour_keeps_its_channels() -> None:
    pixels = np.array([[1, 2, 3], [4, 5, 6]], np.uint8).reshape(2, 3, 1, 1)
    found = opened(figures.sheet(pixels, 2, zoom=1))
    assert found.shape == (3, 6, 3)
    assert found[1, 1].tolist() == [1, 2, 3]
    assert found[1, 4].tolist() == [4, 5, 6]
