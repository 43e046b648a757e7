"""Figures of digits and of trainings, and the files of all."""

import numpy as np
import pandas as pd
from helpers.report import noise, opened
from matplotlib.colors import to_hex

from pipeline.report.figures import figures

COLOURS = {"real": "#222222", "gan-x": "#2e8b57", "gan-a": "#2e8b57", "cgan-b": "#1f6fb2"}
HISTORY = pd.DataFrame({"step": [1, 2, 3], "d_loss": [1.0, 0.5, 0.2], "g_loss": [0.1, 0.5, 0.9]})


def test_equal_figures_are_equal_bytes_without_date_or_version() -> None:
    """This one; all others are compared in test_tables.py, as two runs of the stage made them."""
    first, second = (
        figures.png(figures.bars({"gan-a": 3.0, "cgan-b": 40.0}, COLOURS, {"one_class_missing": 5.0}, "FID"))
        for _ in range(2)
    )
    assert first == second
    for text in (b"tIME", b"tEXt", b"matplotlib"):
        assert text.lower() not in first.lower()
    assert opened(first).std() > 5  # not an empty page


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
    (cell,) = figures.pixel_histograms(dict.fromkeys(COLOURS, noise(3, 1, 4, 4)), COLOURS).axes
    found = [(to_hex(part.get_edgecolor()), part.get_linestyle()) for part in cell.patches[:4]]
    assert found == [("#222222", "--"), ("#2e8b57", "-"), ("#2e8b57", ":"), ("#1f6fb2", "-")]


def test_tiles_stand_in_rows_with_white_lines_around_each() -> None:
    pixels = np.array([10, 20, 30], np.uint8).reshape(3, 1, 1, 1)
    shown = np.full((6, 6), 255)
    shown[1, 1], shown[1, 4], shown[4, 1] = 10, 20, 30
    assert figures.tiles(pixels, 2).tolist() == shown.tolist()


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
