"""The figures and the sections of the page about what is known exactly."""

import json
import math

import numpy as np
import pytest
from helpers.report import rendered
from matplotlib.colors import to_hex, to_rgb

from pipeline.report import theory
from pipeline.report.figures import theory as figures_theory
from pipeline.report.styles import STYLES

X = np.linspace(-3, 3, 31)
LOSSES = {"logits": X, "saturating": -1 / (1 + np.exp(-X)), "nonsaturating": -1 / (1 + np.exp(X))}
DENSITIES = {"x": X, "real": np.exp(-(X**2)), "fake": np.exp(-((X - 1) ** 2))}
DENSITIES |= {"optimal": 1 / (1 + np.exp(2 * X - 1)), "trained": 1 / (1 + np.exp(2 * X))}
Y, MEASURED = np.linspace(170, 220, 101), np.linspace(175, 205, 7)
ANSWERS = {name: np.exp(-np.square((Y - 195) / 8)) / 14 for name in ("prior", "likelihood_at", "exact_at")}
ANSWERS |= {"y": Y, "conjugate_at": ANSWERS["exact_at"] * 0.9}
ANSWERS |= {"x": MEASURED, "exact_mean": MEASURED, "conjugate_mean": MEASURED + 0.1}
ANSWERS |= {"regression": MEASURED + 0.2, "exact_sd": np.full(7, 4.0)}
OFF = {"engression": (0.4, 0.6), "cgan": (-0.3, -0.5), "flow": (0.1, -0.2)}  # mean and sd, mm
for name, (mean, sd) in OFF.items():
    ANSWERS |= {f"{name}_mean": MEASURED + mean, f"{name}_sd": np.full(7, 4 + sd)}
    ANSWERS |= {f"{name}_drawn_at": np.linspace(185, 205, 40) + 10 * mean}


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


def of_middle(cell):
    """Where each named line of these axes is at the fourth measurement."""
    return {label: line.get_ydata()[3] for label, line in lines(cell).items() if not label.startswith("_")}


def test_the_answers_stand_where_their_numbers_say():
    one, upper, means, sds = figures_theory.posteriors(ANSWERS, 201.0, 197.0).axes
    assert list(lines(one)["regression's one answer"].get_xdata()) == [197.0, 197.0]
    assert list(lines(one)["the camera: 201 mm"].get_xdata()) == [201.0, 201.0]
    assert lines(one)["posterior, exact"].get_ydata() == pytest.approx(ANSWERS["exact_at"])
    assert lines(upper)["regression"].get_ydata() == pytest.approx(MEASURED + 0.2)
    assert lines(upper)["conditional GAN: mean ± sd"].get_ydata() == pytest.approx(MEASURED - 0.3 - 3.5)
    assert lines(upper)["engression: mean ± sd"].get_ydata() == pytest.approx(MEASURED + 0.4 - 4.6)
    assert lines(upper)["flow: mean ± sd"].get_ydata() == pytest.approx(MEASURED + 0.1 - 3.8)
    off = {"engression": 0.4, "conditional GAN": -0.3, "flow": 0.1}
    others = {"posterior of a normal prior": 0.1, "regression": 0.2}
    assert of_middle(means) == pytest.approx(off | others)
    assert of_middle(sds) == pytest.approx({"engression": 0.6, "conditional GAN": -0.5, "flow": -0.2})


def test_the_draws_of_each_sampler_are_an_outline_of_area_one_about_their_mean():
    one = figures_theory.posteriors(ANSWERS, 201.0, 197.0).axes[0]
    outlines = {patch.get_label(): patch for patch in one.patches}
    assert set(outlines) == {f"{name}: 40 draws" for name in ("engression", "conditional GAN", "flow")}
    for name, (mean, _) in OFF.items():
        patch = outlines[f"{STYLES[name].label}: 40 draws"]
        heights, edges, _ = patch.get_data()
        middles = (edges[1:] + edges[:-1]) / 2
        assert (heights * np.diff(edges)).sum() == pytest.approx(1)
        assert (heights * np.diff(edges) * middles).sum() == pytest.approx(195 + 10 * mean, abs=1)
        assert to_hex(patch.get_edgecolor()) == STYLES[name].colour
        assert not patch.get_fill()


def test_no_two_answers_have_one_colour():
    shown = [STYLES[name].colour for name in ("real", "regression", *figures_theory.SAMPLED)]
    shown += [figures_theory.CONJUGATE, figures_theory.OTHER]
    for i, colour in enumerate(shown):
        for other in shown[:i]:
            assert math.dist(to_rgb(colour), to_rgb(other)) > 0.2, (colour, other)


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
    for text in ("3e-16", "-f(l)", "-1.250100", "-1.300000", "4.00 %", "50.00 %", "3,000", "0.250"):
        assert text in html


def test_the_section_on_bayes_shows_the_five_answers_and_the_dial(tmp_path):
    at = {"x": 201.0, "exact_mean": 196.91, "exact_sd": 4.06, "conjugate_mean": 197.14, "num_draws": 1000}
    at |= {"conjugate_sd": 4.03, "regression": 196.98, "cgan_mean": 197.02, "cgan_sd": 4.23}
    at |= {"engression_mean": 196.71, "engression_sd": 3.96, "flow_mean": 197.41, "flow_sd": 3.87}
    rmse = {"posterior_mean": 3.77, "regression": 3.76}
    rmse |= {"mean_of_engression_draws": 3.71, "mean_of_cgan_draws": 3.74, "mean_of_flow_draws": 3.79}
    rmse |= {"one_engression_draw": 5.12, "one_cgan_draw": 5.39, "one_flow_draw": 5.31}
    compared = {"floor": 0.16, "tolerance": 1.0, "num_held_out": 8, "num_draws": 1000}
    rows = [{"steps": 1, "sample_mse": 16.61, "wasserstein": 3.22}]
    rows += [{"steps": 32, "sample_mse": 31.84, "wasserstein": 0.27}]
    numbers = {
        "prior": {"num_lengths": 151, "mean": 190.0, "sd": 6.8, "bandwidth": 2.0},
        "answers_at_shown_x": at,
        "regression": {"largest_error": 0.14, "tolerance": 0.3, "num_x": 9, "x_from": 173.4, "x_to": 206.8},
        "conjugate": {"largest_error": 0.29},
        "engression": compared | {"wasserstein": 0.21},
        "cgan": compared | {"wasserstein": 0.23},
        "flow": compared | {"wasserstein": 0.25},
        "rmse_held_out": rmse,
        "crps_held_out": {"posterior": 2.1, "regression": 3.0, "engression": 2.2, "cgan": 2.3, "flow": 2.4},
        "dial": {"variance": 16.23, "num_x": 10_000, "rows": rows},
    }
    section = theory.of_penguins(*saved(tmp_path, "bayes", numbers, "bayes", ANSWERS))
    html = rendered(section)
    assert section.name == "bayes"
    for cells in (
        ("posterior, exact", "196.91", "4.06", "", "", "", "3.77 (its mean)", "2.100"),
        ("posterior of a normal prior", "197.14", "4.03", "mean, at worst", "0.29", "-", "-", "-"),
        ("regression", "196.98", "-", "mean, at worst", "0.14", "0.3", "3.76", "3.000"),
        ("engression", "196.71", "3.96", "Wasserstein-1, on average", "0.21", "1.0", "5.12", "2.200"),
        ("conditional GAN", "197.02", "4.23", "Wasserstein-1, on average", "0.23", "1.0", "5.39", "2.300"),
        ("flow", "197.41", "3.87", "Wasserstein-1, on average", "0.25", "1.0", "5.31", "2.400"),
        ("as many draws from the posterior itself", "", "", "Wasserstein-1, on average", "0.16", "", "", ""),
        ("mean of the posterior itself: V", "16.2", ""),
        ("1", "16.6", "3.22"),
        ("32", "31.8", "0.27"),
        ("a draw from the posterior itself: 2 V", "32.5", "0.16"),
    ):
        assert "".join(f"<td>{cell}</td>" for cell in cells) in html, cells
    assert "3.71 mm (engression), 3.74 mm (conditional GAN), 3.79 mm (flow)." in html
    assert "(16.2 mm²,\naveraged over 10,000 measurements)" in html
    assert "smoothed by 2 mm" in html
