"""One flipper, four answers: each against what can be worked out by hand or in another way."""

import math

import numpy as np
import pytest
import torch

from pipeline.networks.layers import for_each
from pipeline.theory import penguins
from pipeline.theory import posterior as bayes
from pipeline.theory.normals import Normals
from pipeline.theory.posterior import Camera, Posterior

torch.set_num_threads(1)
OURS = penguins.Settings()
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


# The networks.


def test_draws_stand_in_the_row_of_their_measurement_and_in_mm():
    class Echo(torch.nn.Module):
        def forward(self, z, c):
            return for_each(c, z) + z / SMOOTHED.prior.sd  # x itself, and the latent in mm

    class Line(torch.nn.Module):
        def forward(self, z, c):
            return -2 * c

    networks, x = penguins.Networks(SMOOTHED, Line(), Echo(), 1, 0), np.array([180.0, 200.0])
    mean = SMOOTHED.prior.mean
    assert networks.answers(x) == pytest.approx(mean - 2 * (x - mean), abs=1e-3)
    z = torch.tensor([[0.0], [1.0], [0.0], [-2.0]])
    expected = np.array([[180, 181], [200, 198]])
    assert networks.ask(Echo(), x, z) == pytest.approx(expected, abs=1e-3)
    noise = networks.draws_along(x, 5, "here") - x[:, None]
    assert noise[0] == pytest.approx(noise[1], abs=1e-3)
    assert np.ptp(noise) > 0.1
    noise = networks.draws(x, 5, "here") - x[:, None]
    assert np.abs(noise[0] - noise[1]).max() > 0.1


def test_the_examples_of_a_task_are_the_cameras_pairs_in_standard_deviations():
    task = SMOOTHED.task(100, 3, "here")
    y, x = (SMOOTHED.in_mm(part)[:, 0] for part in task.train.batch(torch.arange(100)))
    for found, expected in zip((x, y), SMOOTHED.pairs(100, 3, "here"), strict=True):
        assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-3)


def test_both_networks_are_the_same_each_time_and_others_for_another_seed():
    few = {"num_steps": 3, "batch_size": 8}
    changes = {"cgan": OURS.cgan.model_copy(update=few), "regression": OURS.regression.model_copy(update=few)}

    def answers(seed):
        networks = penguins.train(LENGTHS, OURS.model_copy(update=changes | {"seed": seed}))
        generator = next(networks.generator.parameters())
        return networks.answers(X).tolist(), generator.tolist()

    first, again, other = answers(0), answers(0), answers(1)
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


# All of it, on lengths like the penguins', with a third of the stage's steps.


@pytest.fixture(scope="module")
def measured():
    """Numbers and curves, of whole millimetres with the penguins' number, mean and spread."""
    trained = {name: getattr(OURS, name) for name in ("regression", "cgan")}
    third = {
        name: each.model_copy(update={"num_steps": each.num_steps // 3}) for name, each in trained.items()
    }
    lengths = np.rint(np.random.default_rng(0).normal(190, 6.5, 151))
    return penguins.measure(lengths, OURS.model_copy(update=third))


@pytest.fixture(scope="module")
def numbers(measured):
    return measured[0]


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


def test_the_curves_are_those_of_the_answers(measured):
    numbers, curves = measured
    curves = {name: rows.astype(float) for name, rows in curves.items()}
    shown, spacing = numbers["answers_at_shown_x"], np.ptp(curves["y"]) / (len(curves["y"]) - 1)
    for name in ("prior", "exact_at", "conjugate_at"):
        assert curves[name].sum() * spacing == pytest.approx(1, abs=1e-3), name
    assert curves["y"][curves["likelihood_at"].argmax()] == pytest.approx(OURS.shown_x, abs=spacing)
    assert (curves["y"] * curves["exact_at"]).sum() * spacing == pytest.approx(shown["exact_mean"], rel=1e-5)
    assert curves["drawn_at"].mean() == pytest.approx(shown["cgan_mean"])
    for name, part in (("regression", "regression"), ("conjugate_mean", "conjugate")):
        off = np.abs(curves[name] - curves["exact_mean"])
        assert off.max() == pytest.approx(numbers[part]["largest_error"], abs=1e-4)
    held = (numbers["regression"]["x_from"], numbers["regression"]["x_to"])
    assert (curves["x"][0], curves["x"][-1]) == pytest.approx(held)
    assert np.abs(curves["cgan_sd"] - curves["exact_sd"]).mean() < 1
