"""The report's section on the dial."""

from typing import Any

import numpy as np
import pytest
from helpers.report import noise, rendered, result

from pipeline.report import dial
from pipeline.report.figures import dial as figures
from pipeline.report.results import Result

STEPS = (1, 2, 4)
ROWS = [{"steps": n, "sample_mse": 16.0 * n, "wasserstein": 1 / n} for n in STEPS]
PENGUINS = {"dial": {"variance": 16.0, "rows": ROWS}}


def rows(error: float, apsd: float) -> list[dict[str, float]]:
    """Errors of 1, 1.5 and 2 times this."""
    values = {"energy_score": 0.1, "gradient_energy": 0.5, "apsd": apsd}
    return [
        {"steps": n, "sample_mse": error * factor, "fid": 8.0 / n} | values
        for n, factor in zip(STEPS, (1, 1.5, 2), strict=True)
    ]


def flow(task: str, side: int, **details: Any) -> Result:
    images = {"dial": noise(3, 3, 3, side, side), "dial_truth": noise(3, 3, side, side)}
    if task != "digit":
        images["dial_condition"] = noise(3, 3, side, side)
    details = {
        "task": task,
        "method": "flow",
        "kind": "image",
        "dial": rows(0.02, 0.1 if task == "digit" else 0.0),
        "num_draws": 8,
    } | details
    return result(
        "flows", task, details=details, samples=images, metrics={"sample_mse": 0.04, "mean_mse": 0.022}
    )


EXACT = {"variance": 0.01, "energy_score": 0.06, "energy_score_least": 0.05, "num_conditions": 46}
DENOISER = [{"t": t, "network": 0.25, "mean": 0.5, "training_colours": 0.125} for t in (0.0, 0.5)]
REGRESSION = result(
    "regressions",
    "digit",
    details={"task": "digit", "method": "regression", "kind": "class"},
    metrics={"sample_mse": 0.04},
)
TOY = result("toys", "ring-flow", None, details={"dial": [], "variance": 4.0})
MODELS = {
    "regression-digit": REGRESSION,
    "flow-digit": flow("digit", 8),
    "flow-tones": flow("tones", 10, exact=EXACT | {"denoiser": DENOISER}),
}


def test_errors_stand_over_v_where_it_is_known_and_else_over_regressions() -> None:
    found = dial.section(MODELS, {"ring-flow": TOY}, PENGUINS, 2000).values["dials"]
    assert [row["error"] for row in found["digit"]["rows"]] == pytest.approx([0.5, 0.75, 1.0])  # over 0.04
    assert [row["error"] for row in found["tones"]["rows"]] == pytest.approx([2, 3, 4])  # over 0.01
    assert [row["error"] for row in found["penguins"]["rows"]] == [1, 2, 4]
    assert [found[task]["exact"] for task in ("digit", "tones", "penguins")] == [False, True, True]
    assert "ring-flow" not in found  # no flow: no dial


def test_the_page_shows_every_dial_and_what_is_known_exactly() -> None:
    section = dial.section(MODELS, {}, PENGUINS, 2000)
    assert list(section.figures) == ["dial-curves", "dial-pictures"]
    html = rendered(section)
    assert html.startswith('<h2 id="dial">')
    assert "<td>tones</td><td>1</td><td>2.000</td><td>0.1000</td><td>8</td><td>0.500</td><td>-</td>" in html
    assert "<td>flow</td><td>4.000</td><td>2.200</td><td>1.200</td>" in html
    assert "<td>the flow&#39;s network</td><td>0.250</td><td>0.250</td>" in html
    assert "V = 0.01000" in html
    assert "FIDs of the first 2,000 conditions" in html
    assert "The flow of digit is told a hidden group" in html
    assert "The flow of tones is told" not in html


def test_without_flows_the_penguins_are_shown_alone() -> None:
    section = dial.section({"regression-digit": REGRESSION}, {}, PENGUINS, 2000)
    assert list(section.figures) == ["dial-curves"]
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
