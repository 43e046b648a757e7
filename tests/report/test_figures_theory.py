"""The figures and the sections of the page about what is known exactly."""

import json

import numpy as np
import pytest
from helpers.report import rendered

from pipeline.report import theory
from pipeline.report.figures import theory as figures_theory

X = np.linspace(-3, 3, 31)
LOSSES = {"logits": X, "saturating": -1 / (1 + np.exp(-X)), "nonsaturating": -1 / (1 + np.exp(X))}
DENSITIES = {"x": X, "real": np.exp(-(X**2)), "fake": np.exp(-((X - 1) ** 2))}
DENSITIES |= {"optimal": 1 / (1 + np.exp(2 * X - 1)), "trained": 1 / (1 + np.exp(2 * X))}
Y, MEASURED = np.linspace(170, 220, 101), np.linspace(175, 205, 7)
ANSWERS = {name: np.exp(-np.square((Y - 195) / 8)) / 14 for name in ("prior", "likelihood_at", "exact_at")}
ANSWERS |= {"y": Y, "conjugate_at": ANSWERS["exact_at"] * 0.9, "drawn_at": np.linspace(185, 205, 40)}
ANSWERS |= {"x": MEASURED, "exact_mean": MEASURED, "conjugate_mean": MEASURED + 0.1}
ANSWERS |= {"regression": MEASURED + 0.2, "cgan_mean": MEASURED - 0.3}
ANSWERS |= {"exact_sd": np.full(7, 4.0), "cgan_sd": np.full(7, 3.5)}


def lines(cell):
    return {line.get_label(): line for line in cell.lines}


def test_gradients_are_drawn_by_their_size_over_probability_and_logit():
    left, right = figures_theory.gradients(LOSSES).axes
    for name in ("saturating", "nonsaturating"):
        assert lines(left)[name].get_ydata() == pytest.approx(np.abs(LOSSES[name]))
        assert lines(right)[name].get_ydata() == pytest.approx(np.abs(LOSSES[name]))
    assert lines(left)["saturating"].get_xdata() == pytest.approx(np.abs(LOSSES["saturating"]))
    assert lines(right)["saturating"].get_xdata() == pytest.approx(X)
    assert right.get_yscale() == "log"


def test_the_trained_discriminator_is_drawn_beside_the_best():
    _, right = figures_theory.discriminators(DENSITIES).axes
    assert lines(right)["best: p / (p + q)"].get_ydata() == pytest.approx(DENSITIES["optimal"])
    assert lines(right)["trained on draws"].get_ydata() == pytest.approx(DENSITIES["trained"])


def test_the_answers_stand_where_their_numbers_say():
    one, upper, lower = figures_theory.posteriors(ANSWERS, 201.0, 197.0).axes
    assert list(lines(one)["regression's one answer"].get_xdata()) == [197.0, 197.0]
    assert list(lines(one)["the camera: 201 mm"].get_xdata()) == [201.0, 201.0]
    assert lines(one)["posterior, exact"].get_ydata() == pytest.approx(ANSWERS["exact_at"])
    assert sum(bar.get_height() * bar.get_width() for bar in one.patches) == pytest.approx(1)
    assert lines(upper)["regression"].get_ydata() == pytest.approx(MEASURED + 0.2)
    assert lines(upper)["cGAN: mean ± sd"].get_ydata() == pytest.approx(MEASURED - 0.3 - 3.5)
    found = {label: line.get_ydata()[3] for label, line in lines(lower).items() if not label.startswith("_")}
    assert found == pytest.approx({"cGAN": -0.3, "posterior of a normal prior": 0.1, "regression": 0.2})


def saved(folder, part, numbers, name, curves):
    """What the stage leaves of one part: details, and a folder of curves."""
    (folder / "theory.json").write_text(json.dumps({part: numbers}))
    np.savez_compressed(folder / f"{name}.npz", **curves)
    return folder / "theory.json", folder


def test_the_theorys_section_shows_its_numbers_beside_what_they_should_be(tmp_path):
    gradient = {"largest_deviation": 3e-16, "compared_to": "-f(l)", "tolerance": 1e-6, "num_logits": 7}
    numbers = {
        "gradients": {"saturating": gradient},
        "value_at_optimal_discriminator": {"value": -1.25, "expected": -1.2501, "deviation": 1e-4}
        | {"tolerance": 1e-6},
        "value_at_trained_discriminator": {"value": -1.3, "expected": -1.25, "relative_error": 0.04}
        | {"tolerance": 0.02, "num_steps": 30, "batch_size": 100},
        "jsd_from_trained_discriminator": {"value": 0.04, "expected": 0.07, "relative_error": 0.5},
        "trained_probability_minus_optimal": {"mean": 0.0125, "largest": 0.25},
    }
    section = theory.of_losses(*saved(tmp_path, "losses", numbers, "losses", LOSSES | DENSITIES))
    html = rendered(section)
    assert section.name == "theory"
    assert html.startswith('<h2 id="theory">')
    for text in ("3e-16", "-f(l)", "-1.250100", "-1.300000", "4.00 %", "50.00 %", "3,000", "0.250"):
        assert text in html


def test_the_section_on_bayes_shows_the_four_answers(tmp_path):
    at = {"x": 201.0, "exact_mean": 196.91, "exact_sd": 4.06, "conjugate_mean": 197.14, "num_draws": 1000}
    at |= {"conjugate_sd": 4.03, "regression": 196.98, "cgan_mean": 197.02, "cgan_sd": 4.23}
    numbers = {
        "prior": {"num_lengths": 151, "mean": 190.0, "sd": 6.8, "bandwidth": 2.0},
        "answers_at_shown_x": at,
        "regression": {"largest_error": 0.14, "tolerance": 0.3, "num_x": 9, "x_from": 173.4, "x_to": 206.8},
        "conjugate": {"largest_error": 0.29},
        "cgan": {"wasserstein": 0.23, "floor": 0.16, "tolerance": 1.0, "num_held_out": 8, "num_draws": 1000},
        "rmse_held_out": {"posterior_mean": 3.77, "regression": 3.76, "mean_of_cgan_draws": 3.74}
        | {"one_cgan_draw": 5.39},
    }
    section = theory.of_penguins(*saved(tmp_path, "bayes", numbers, "bayes", ANSWERS))
    html = rendered(section)
    assert section.name == "bayes"
    assert '<h2 id="bayes">' in html
    for text in ("196.91", "197.14", "196.98", "197.02", "4.23", "0.14", "0.29", "0.23", "0.16"):
        assert f"{text}</td>" in html
    assert "a single draw by 5.39;" in html
    assert "smoothed by 2 mm" in html
