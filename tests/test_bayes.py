"""One flipper, four answers: each against what can be worked out by hand or in another way."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.runtime import params, randomness
from pipeline.theory import answers, bayes, regression
from pipeline.theory import cgan as duel
from pipeline.theory.bayes import Camera, Posterior
from pipeline.theory.normals import Normals

torch.set_num_threads(1)
OURS = params.read("bayes", answers.Params, Path(__file__).parent.parent / "params.yaml")
LENGTHS = np.array([178.0, 181, 184, 186, 187, 189, 190, 190, 191, 193, 195, 197, 201, 208])
ONE_NORMAL = Camera(Normals(means=[190.0], sds=[6.0], shares=[1.0]), 3.0)
SMOOTHED = Camera(bayes.smoothed(LENGTHS, 2.0), 5.0)
X = np.array([175.0, 190.0, 201.0])


# The exact and the conjugate answer.


def test_the_conjugate_posterior_is_the_one_worked_out_by_hand():
    means, sd = bayes.conjugate(ONE_NORMAL, np.array([190.0, 200.0]))
    assert means.tolist() == pytest.approx([190, 198])  # weights 1/9 for x and 1/36 for the prior: 4 to 1
    assert sd**2 == pytest.approx(1 / (1 / 9 + 1 / 36))


def test_with_a_normal_prior_the_exact_posterior_is_the_conjugate_one():
    posterior, (means, sd) = bayes.exact(ONE_NORMAL, X), bayes.conjugate(ONE_NORMAL, X)
    assert posterior.mean == pytest.approx(means, abs=1e-6)
    assert posterior.sd == pytest.approx([sd] * 3, abs=1e-6)
    normal = np.exp(-np.square((posterior.y - means[2]) / sd) / 2) / (sd * math.sqrt(2 * math.pi))
    np.testing.assert_allclose(posterior.density[2], normal, atol=1e-9)


def test_with_a_smoothed_prior_the_exact_posterior_is_a_mixture_of_conjugate_ones():
    """Each kernel N(m, h^2) has the conjugate posterior, and the weight N(x; m, h^2 + noise^2)."""
    posterior = bayes.exact(SMOOTHED, X)
    variance = 1 / (1 / 2**2 + 1 / 5**2)
    for x, mean, sd in zip(X, posterior.mean, posterior.sd, strict=True):
        weights = np.exp(-np.square(x - LENGTHS) / (2 * (2**2 + 5**2)))
        means = variance * (LENGTHS / 2**2 + x / 5**2)
        expected = np.average(means, weights=weights)
        second = np.average(means**2 + variance, weights=weights)
        assert mean == pytest.approx(expected, abs=1e-6)
        assert sd == pytest.approx(math.sqrt(second - expected**2), abs=1e-6)


def test_a_posterior_mean_lies_between_the_measurement_and_the_prior():
    (mean,) = bayes.exact(SMOOTHED, np.array([201.0])).mean
    assert SMOOTHED.prior.mean + 1 < mean < 200


def test_the_smoothed_prior_has_the_datas_mean_and_its_variance_and_the_kernels():
    prior = SMOOTHED.prior
    assert prior.mean == pytest.approx(LENGTHS.mean())
    assert prior.sd**2 == pytest.approx(LENGTHS.var() + 2**2)
    assert SMOOTHED.seen.sd**2 == pytest.approx(LENGTHS.var() + 2**2 + 5**2)


def test_pairs_follow_the_prior_and_the_cameras_error():
    x, y = SMOOTHED.pairs(50_000, 0, "here")
    assert y.mean().item() == pytest.approx(SMOOTHED.prior.mean, abs=0.1)
    assert y.std().item() == pytest.approx(SMOOTHED.prior.sd, rel=0.02)
    assert (x - y).mean().item() == pytest.approx(0, abs=0.1)
    assert (x - y).std().item() == pytest.approx(5, rel=0.02)
    assert torch.corrcoef(torch.stack([x - y, y]))[0, 1].item() == pytest.approx(0, abs=0.02)
    near = (x - 201).abs() < 0.5
    assert y[near].mean().item() == pytest.approx(bayes.exact(SMOOTHED, np.array([201.0])).mean[0], abs=0.4)


def test_standardised_lengths_come_back():
    y = torch.tensor([170.0, 200.0])
    assert SMOOTHED.in_mm(SMOOTHED.standardised(y)).tolist() == pytest.approx(y.tolist())
    assert SMOOTHED.standardised(torch.tensor(SMOOTHED.prior.mean)).item() == pytest.approx(0, abs=1e-6)


# Wasserstein's distance.


def spike(*at):
    """A posterior whose whole mass lies at one point of the grid, for each argument."""
    y = np.arange(0, 101) / 10
    return Posterior(y, np.stack([(np.abs(y - place) < 1e-9).astype(float) for place in at]))


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [([2.0, 2.0], 0.0), ([3.0, 3.0], 1.0), ([1.0, 4.0], 1.5), ([2.0, 5.0], 1.5), ([-7.0, 22.0], 14.5)],
)
def test_the_distance_to_a_spike_is_the_mean_distance_to_it(drawn, expected):
    assert bayes.wasserstein(spike(2.0), np.array([drawn])) == pytest.approx([expected], abs=1e-9)


def test_each_row_is_compared_with_its_own_posterior():
    found = bayes.wasserstein(spike(1.0, 5.0), np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert found == pytest.approx([0, 4])


def test_the_distance_of_a_moved_posterior_is_how_far_it_was_moved():
    posterior = bayes.exact(ONE_NORMAL, X)
    drawn = bayes.draws(posterior, 4000, 0, "here")
    assert bayes.wasserstein(posterior, drawn) == pytest.approx([0, 0, 0], abs=0.15)
    assert bayes.wasserstein(posterior, drawn + 2) == pytest.approx([2, 2, 2], abs=0.15)


def test_draws_have_the_posteriors_moments():
    posterior = bayes.exact(SMOOTHED, X)
    drawn = bayes.draws(posterior, 20_000, 0, "here")
    assert drawn.mean(1) == pytest.approx(posterior.mean, abs=0.12)
    assert drawn.std(1) == pytest.approx(posterior.sd, rel=0.03)


# The duel's steps.


def few(**changes):
    return OURS.cgan.model_copy(update={"num_steps": 3, "batch_size": 8} | changes)


def weights(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def moved(network, before):
    return any(not torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def batch(num):
    x, y = (SMOOTHED.standardised(length)[:, None] for length in SMOOTHED.pairs(num, 0, "batch"))
    return x, y, randomness.normal(num, OURS.cgan.num_latents, 0, "z")


def test_a_discriminator_step_moves_d_and_leaves_g_alone():
    state = duel.init_state(few(), 0)
    G, D = weights(state.generator), weights(state.discriminator)
    duel.discriminator_step(state, *batch(8), few())
    assert moved(state.discriminator, D)
    assert not moved(state.generator, G)
    assert all(parameter.grad is None for parameter in state.generator.parameters())


def test_a_generator_step_moves_g_and_leaves_d_alone():
    state = duel.init_state(few(), 0)
    G, D = weights(state.generator), weights(state.discriminator)
    duel.generator_step(state, *batch(8), few())
    assert moved(state.generator, G)
    assert not moved(state.discriminator, D)
    assert all(parameter.requires_grad for parameter in state.discriminator.parameters())
    assert all(parameter.grad is None for parameter in state.discriminator.parameters())


@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
def test_the_duel_is_fought_with_every_pair_of_losses(loss):
    settings = few(loss=loss, r2=0.1)
    generator = duel.train(SMOOTHED, settings, 0)
    drawn = duel.draw(generator, SMOOTHED, X, randomness.normal(6, settings.num_latents, 0, "z"))
    assert drawn.shape == (3, 2)
    assert np.isfinite(drawn).all()
    assert moved(generator, weights(duel.init_state(settings, 0).generator))


@pytest.mark.parametrize("penalty", ["r1", "r2"])
def test_a_penalty_changes_what_d_learns(penalty):
    learnt = []
    for weight in (0.0, 1.0):
        settings = few(**({"r1": 0.0, "r2": 0.0} | {penalty: weight}))
        state = duel.init_state(settings, 0)
        duel.discriminator_step(state, *batch(8), settings)
        learnt.append(weights(state.discriminator))
    assert any(not torch.equal(a, b) for a, b in zip(*learnt, strict=True))


def test_draws_stand_in_the_row_of_their_measurement():
    class Echo(torch.nn.Module):
        def forward(self, given):
            return given[:, :1] + given[:, 1:2] / SMOOTHED.prior.sd  # x itself, and the latent in mm

    z = torch.tensor([[0.0], [1.0], [0.0], [-2.0]])
    assert duel.draw(Echo(), SMOOTHED, np.array([180.0, 200.0]), z) == pytest.approx(
        np.array([[180, 181], [200, 198]]), abs=1e-3
    )


def test_both_networks_are_the_same_each_time_and_others_for_another_seed():
    settings = OURS.model_copy(
        update={"cgan": few(), "regression": OURS.regression.model_copy(update={"num_steps": 3})}
    )

    def asked(seed):
        networks = answers.train(LENGTHS, settings.model_copy(update={"seed": seed}))
        return networks.answers(X).tolist(), weights(networks.generator)[0].tolist()

    first, again, other = asked(0), asked(0), asked(1)
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_regressions_answers_are_in_the_order_of_the_measurements_and_in_mm():
    settings = OURS.regression.model_copy(update={"num_steps": 150, "batch_size": 256})
    found = regression.answers(regression.train(ONE_NORMAL, settings, 0), ONE_NORMAL, X)
    assert found == pytest.approx(bayes.conjugate(ONE_NORMAL, X)[0], abs=1.0)


# All of it, as the stage runs it: on lengths like the penguins', with the settings of params.yaml.


@pytest.fixture(scope="module")
def lengths():
    """Whole millimetres with the penguins' number, mean and spread."""
    return np.rint(np.random.default_rng(0).normal(190, 6.5, 151))


@pytest.fixture(scope="module")
def networks(lengths):
    return answers.train(lengths, OURS)


@pytest.fixture(scope="module")
def numbers(lengths, networks):
    return answers.measure(lengths, networks, OURS)


def test_regression_lands_on_the_posterior_mean(numbers):
    assert numbers["regression"]["largest_error"] < numbers["regression"]["tolerance"] == 0.3
    assert numbers["regression"]["mean_error"] < numbers["regression"]["largest_error"]


def test_the_cgans_draws_are_those_of_the_posterior(numbers):
    found = numbers["cgan"]
    assert found["floor"] < found["wasserstein"] < found["tolerance"] == 1.0
    assert found["sd_error"] < 1.0
    assert found["mean_error"] < 1.0


def test_one_draw_errs_by_root_two_of_the_mean(numbers):
    """Truth and draw are independent draws of one posterior, of variance s^2: their difference has 2 s^2."""
    rmse = numbers["rmse_held_out"]
    assert rmse["one_cgan_draw"] / rmse["posterior_mean"] == pytest.approx(math.sqrt(2), rel=0.2)
    assert rmse["regression"] == pytest.approx(rmse["posterior_mean"], rel=0.03)
    assert rmse["mean_of_cgan_draws"] == pytest.approx(rmse["posterior_mean"], rel=0.05)


def test_the_curves_are_those_of_the_answers(networks, numbers):
    curves = answers.curves(networks, OURS)
    shown, spacing = numbers["answers_at_shown_x"], curves["y"][1] - curves["y"][0]
    for name in ("prior", "exact_at", "conjugate_at"):
        assert curves[name].sum() * spacing == pytest.approx(1, abs=1e-3), name
    assert curves["y"][curves["likelihood_at"].argmax()] == pytest.approx(OURS.shown_x, abs=spacing)
    assert (curves["y"] * curves["exact_at"]).sum() * spacing == pytest.approx(shown["exact_mean"])
    assert curves["drawn_at"].mean() == pytest.approx(shown["cgan_mean"])
    off = np.abs(curves["regression"] - curves["exact_mean"])
    assert off.max() == pytest.approx(numbers["regression"]["largest_error"])
    held = (numbers["regression"]["x_from"], numbers["regression"]["x_to"])
    assert (curves["x"][0], curves["x"][-1]) == pytest.approx(held)
    assert np.abs(curves["cgan_sd"] - curves["exact_sd"]).mean() < 1
