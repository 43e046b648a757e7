"""The report's section on the dial."""

import numpy as np
import pytest
from helpers.dials import MODELS, PENGUINS, STEPS, TOY
from helpers.report import noise, opened, rendered

from pipeline.report import dial
from pipeline.report.figures import dial as figures


def test_errors_stand_over_v_where_it_is_known_and_else_over_regressions() -> None:
    found = dial.section(MODELS, {"ring-flow": TOY}, PENGUINS, 2000).values["dials"]
    assert [row["error"] for row in found["digit"]["rows"]] == pytest.approx([0.5, 0.75, 1.0])  # over 0.04
    assert [row["error"] for row in found["tones"]["rows"]] == pytest.approx([2, 3, 4])  # over 0.01
    assert [row["error"] for row in found["penguins"]["rows"]] == [1, 2, 4]
    assert [found[task]["exact"] for task in ("digit", "tones", "penguins")] == [False, True, True]
    assert "ring-flow" not in found  # no flow: no dial


def test_the_page_shows_every_dial_and_what_is_known_exactly() -> None:
    section = dial.section(MODELS, {}, PENGUINS, 2000)
    turned = ["dial-given", "dial-1", "dial-2", "dial-4"]
    assert list(section.figures) == ["dial-curves", "dial-pictures", *turned]
    html = rendered(section)
    assert "<td>tones</td><td>1</td><td>2.000</td><td>0.1000</td><td>8</td><td>0.500</td><td>-</td>" in html
    assert "<td>flow</td><td>4.000</td><td>2.200</td><td>1.200</td>" in html
    assert "<td>the flow&#39;s network</td><td>0.250</td><td>0.250</td>" in html
    assert "V = 0.01000" in html
    assert "FIDs of the first 2,000 conditions" in html
    assert "The flow of digit is told a hidden group" in html
    assert "The flow of tones is told" not in html


def test_turned_by_hand_the_dial_shows_two_drawings_of_each_flow_and_their_errors() -> None:
    section = dial.section(MODELS, {}, PENGUINS, 2000)
    files, (digit, tones) = section.figures, (MODELS[f"flow-{task}"].samples for task in ("digit", "tones"))
    given, second = (opened(files[name]) for name in ("dial-given", "dial-2"))
    assert (given.shape, second.shape) == ((44, 88, 3), (22, 88, 3))  # 10 pixels enlarged twice, and lines
    assert (given[:22, :44] == 255).all()  # a class is no image
    assert (second[1:21:2, 45:65:2] == tones["dial"][1, 1].transpose(1, 2, 0)).all()
    assert (given[23:43:2, 67:87:2] == tones["dial_truth"][2].transpose(1, 2, 0)).all()
    assert (second[3:19:2, 25:41:2] == digit["dial"][1, 2].transpose(1, 2, 0)).all()
    of = section.values["frames"][1]
    assert (of["steps"], list(of["of"])) == (2, ["digit", "tones"])
    assert [row["error"] for row in of["of"].values()] == pytest.approx([0.75, 3])


def test_without_flows_the_penguins_are_shown_alone() -> None:
    section = dial.section({"regression-digit": MODELS["regression-digit"]}, {}, PENGUINS, 2000)
    assert list(section.figures) == ["dial-curves"]
    assert section.values["frames"] == []
    assert list(section.values["dials"]) == ["penguins"]
    assert "to the last pixel" not in rendered(section)


def test_images_of_all_sizes_stand_in_squares() -> None:
    image = noise(3, 4, 4)
    found = figures.framed(image, 6)
    assert (found[:, 1:5, 1:5] == image).all()
    assert (found[:, 0] == image[:, :1, 0]).all()


def test_pictures_have_a_column_a_number_of_steps() -> None:
    row = {"truth": noise(3, 4, 4), "answers": noise(3, 3, 4, 4)}
    titles = [cell.get_title() for cell in figures.pictures([row], STEPS).axes]
    assert titles == ["given", "truth", "N = 1", "N = 2", "N = 4"]


def test_lines_of_theory_stand_at_one_and_two() -> None:
    columns = {"steps": [1.0, 2.0], "error": [1.0, 1.5]}
    first, *_ = figures.curves({"penguins": columns}).axes
    assert sorted(line.get_ydata()[0] for line in first.lines[1:]) == [1, 2]
    assert np.asarray(first.lines[0].get_ydata()).tolist() == [1.0, 1.5]
