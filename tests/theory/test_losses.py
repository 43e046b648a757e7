"""The losses' facts, against values worked out by hand and integrals taken another way."""

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.theory import discriminator, divergence, game, saturation
from pipeline.theory.normals import Normals

OURS = game.Settings()
STANDARD = Normals(means=[0.0], sds=[1.0], shares=[1.0])
PAIR = Normals(means=[-1.0, 3.0], sds=[1.0, 2.0], shares=[0.75, 0.25])


# Mixtures of normals.


def test_the_density_is_the_one_worked_out_by_hand():
    found = np.exp(PAIR.log_density(np.array([[-1.0], [3.0]])))
    peak = 1 / math.sqrt(2 * math.pi)
    expected = [0.75 * peak + 0.25 * peak / 2 * math.exp(-2), 0.75 * peak * math.exp(-8) + 0.25 * peak / 2]
    assert found.shape == (2, 1)
    assert found[:, 0].tolist() == pytest.approx(expected, rel=1e-12)


def test_the_log_density_is_finite_where_the_density_is_zero_in_floating_point():
    assert STANDARD.log_density(np.array(100.0)) == pytest.approx(-5000 - math.log(2 * math.pi) / 2)


def test_mean_and_sd_are_those_of_the_mixture_and_blurring_adds_variances():
    assert PAIR.mean == PAIR.blurred(1.5).mean == pytest.approx(0.75 * -1 + 0.25 * 3)
    assert PAIR.sd**2 == pytest.approx(0.75 * (1 + 1) + 0.25 * (4 + 9))
    assert PAIR.blurred(1.5).sd ** 2 == pytest.approx(PAIR.sd**2 + 1.5**2)


def test_draws_have_the_mixtures_moments_and_are_a_function_of_seed_purpose_and_step():
    drawn = PAIR.draw(40_000, 0, "here", 3)
    assert drawn.mean().item() == pytest.approx(PAIR.mean, abs=0.05)
    assert drawn.std().item() == pytest.approx(PAIR.sd, abs=0.05)
    assert (drawn > 5).float().mean().item() == pytest.approx(0.25 * 0.1587, abs=0.004)
    assert drawn.equal(PAIR.draw(40_000, 0, "here", 3))
    for others in ((1, "here", 3), (0, "there", 3), (0, "here", 4)):
        assert not drawn[:9].equal(PAIR.draw(9, *others))


def test_quantiles_of_a_normal_are_those_of_the_tables():
    found = Normals(means=[10.0], sds=[2.0], shares=[1.0]).quantiles([0.025, 0.5, 0.975])
    assert found == pytest.approx([10 - 2 * 1.959964, 10, 10 + 2 * 1.959964], abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shares": [0.5, 0.4]}, "shares must add up to 1, not 0.9"),
        ({"sds": [1.0]}, "must be as many, not 2, 1, 2"),
        ({"sds": [1.0, 0.0]}, "greater than 0"),
        ({"means": [0.0, math.inf]}, "finite"),
        ({"means": [], "sds": [], "shares": []}, "at least 1 item"),
    ],
)
def test_what_is_no_mixture_is_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        Normals(**(PAIR.model_dump() | changes))


# Gradients.


def test_gradients_of_both_losses_are_their_closed_forms():
    found, curves = game.of_gradients(OURS)
    assert set(found) == {"saturating", "nonsaturating"} == curves.keys() - {"logits"}
    assert max(entry["largest_deviation"] for entry in found.values()) < game.EXACT


def test_a_loss_with_another_gradient_is_found_out(monkeypatch):
    wrong = ADVERSARIAL_LOSSES["nonsaturating"]
    monkeypatch.setitem(ADVERSARIAL_LOSSES, "saturating", wrong)
    found, _ = game.of_gradients(OURS.model_copy(update={"max_logit": 2.0, "num_logits": 5}))
    sure = 1 / (1 + math.exp(-2))
    assert found["saturating"]["largest_deviation"] == pytest.approx(sure - (1 - sure))


def test_gradients_have_the_values_worked_out_by_hand():
    found = saturation.gradients(torch.tensor([-math.log(3), 0.0, math.log(3)], dtype=torch.float64))
    assert found["saturating"].tolist() == pytest.approx([-0.25, -0.5, -0.75])
    assert found["nonsaturating"].tolist() == pytest.approx([-0.75, -0.5, -0.25])


# The value of the game.


@pytest.mark.parametrize("rule", [divergence.trapezoidal, divergence.gauss_legendre])
def test_both_rules_integrate_a_normal_density_and_its_moments(rule):
    def moment(k):
        return rule(lambda x: np.exp(STANDARD.log_density(x)) * x**k, -10, 10)

    assert [moment(k) for k in range(5)] == pytest.approx([1, 0, 1, 0, 3], abs=1e-10)


def test_the_divergence_is_symmetric_from_zero_for_equal_to_log_2_for_disjoint_densities():
    far = Normals(means=[100.0], sds=[1.0], shares=[1.0])
    assert divergence.jensen_shannon(PAIR, PAIR) == pytest.approx(0, abs=1e-12)
    assert divergence.jensen_shannon(STANDARD, far) == pytest.approx(math.log(2), abs=1e-9)
    one, other = (divergence.jensen_shannon(*pair) for pair in ((STANDARD, PAIR), (PAIR, STANDARD)))
    assert one == pytest.approx(other, abs=1e-9)
    assert 0 < one < math.log(2)


def test_the_optimal_discriminator_of_two_normals_is_the_line_worked_out_by_hand():
    moved = Normals(means=[2.0], sds=[1.0], shares=[1.0])
    found = divergence.optimal_logits(moved, STANDARD)(np.array([-1.0, 1.0, 4.0]))
    assert found.tolist() == pytest.approx([-4, 0, 6])  # 2 x - 2


@pytest.mark.parametrize(("p", "q"), [(OURS.real, OURS.fake), (PAIR, STANDARD), (PAIR, PAIR)])
def test_the_value_at_the_optimal_discriminator_is_twice_the_divergence_less_log_4(p, q):
    found = divergence.value(p, q, divergence.optimal_logits(p, q))
    assert found == pytest.approx(2 * divergence.jensen_shannon(p, q) - math.log(4), abs=1e-6)


def test_a_discriminator_that_cannot_tell_has_the_value_minus_log_4():
    assert divergence.value(PAIR, STANDARD, np.zeros_like) == pytest.approx(-math.log(4), abs=1e-9)


@pytest.mark.parametrize("wrong", [lambda D: D + 0.3, lambda D: 0.7 * D, lambda D: D + np.sin(5 * D) / 2])
def test_no_other_discriminator_has_a_larger_value(wrong):
    best = divergence.optimal_logits(PAIR, STANDARD)
    assert divergence.value(PAIR, STANDARD, lambda x: wrong(best(x))) < divergence.value(PAIR, STANDARD, best)


def test_the_value_is_minus_the_discriminators_loss_on_many_draws():
    real, fake = PAIR.draw(100_000, 0, "real"), STANDARD.draw(100_000, 0, "fake")

    def D(x):
        return 0.5 * x - 0.2

    loss = ADVERSARIAL_LOSSES["nonsaturating"].discriminator(D(real), D(fake))
    assert divergence.value(PAIR, STANDARD, D) == pytest.approx(-loss.item(), abs=0.01)


def test_the_deviation_of_a_discriminator_moved_by_a_constant_is_the_one_worked_out_by_hand():
    found = divergence.deviation(STANDARD, STANDARD, lambda x: np.full_like(x, math.log(3)))
    assert found == pytest.approx({"mean": 0.25, "largest": 0.25})


@pytest.fixture(scope="module")
def measured():
    half = OURS.discriminator.model_copy(update={"num_steps": OURS.discriminator.num_steps // 2})
    return game.of_value(OURS.model_copy(update={"discriminator": half}))


def test_a_trained_discriminator_comes_within_its_tolerance_and_stays_below_the_optimum(measured):
    numbers, _ = measured
    reached, best = (numbers[f"value_at_{name}_discriminator"] for name in ("trained", "optimal"))
    assert reached["value"] < best["value"] == reached["expected"]
    assert reached["relative_error"] < reached["tolerance"] == 0.02
    assert reached["relative_error"] == pytest.approx(1 - best["value"] / reached["value"], rel=0.01)
    assert numbers["jsd_from_trained_discriminator"]["relative_error"] < 0.02
    assert numbers["trained_probability_minus_optimal"]["mean"] < 0.02


def test_the_curves_are_those_of_densities_and_discriminators(measured):
    _, curves = measured
    p, q = (np.exp(density.log_density(curves["x"])) for density in (OURS.real, OURS.fake))
    seen = p + q > 1e-6
    np.testing.assert_allclose(curves["optimal"][seen], (p / (p + q))[seen], atol=1e-9)
    np.testing.assert_allclose(curves["real"], p)
    np.testing.assert_allclose(curves["fake"], q)
    assert 0 < np.abs(curves["trained"] - curves["optimal"])[seen].mean() < 0.1


def test_a_trained_discriminator_is_the_same_each_time_and_another_for_another_seed():
    few = OURS.discriminator.model_copy(update={"num_steps": 3})
    x = np.linspace(-3, 3, 7)
    first, again, other = (
        discriminator.logits(discriminator.train(OURS.real, OURS.fake, settings), x).tolist()
        for settings in (few, few, few.model_copy(update={"seed": 1}))
    )
    assert first == again
    assert first != other
