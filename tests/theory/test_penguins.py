"""One flipper, five answers: each against what can be worked out by hand or in another way."""

import math

import numpy as np
import pytest
import torch

from pipeline.metrics import denoisers
from pipeline.networks.flow import Flow
from pipeline.networks.layers import for_each
from pipeline.theory import learned, penguins
from pipeline.theory import posterior as bayes
from pipeline.theory.normals import Normals
from pipeline.theory.posterior import Camera, Posterior

OURS = learned.Settings(folder="")
SAMPLED = ("engression", "cgan", "flow")
LENGTHS = np.array([178.0, 181, 184, 186, 187, 189, 190, 190, 191, 193, 195, 197, 201, 208])
LIKE_OURS = np.rint(np.random.default_rng(0).normal(190, 6.5, 151))  # number, mean, spread of the penguins
ONE_NORMAL = Camera(Normals(means=[190.0], sds=[6.0], shares=[1.0]), 3.0)
SMOOTHED = Camera(bayes.smoothed(LENGTHS, 2.0), 5.0)
X = np.array([175.0, 190.0, 201.0])


# The networks.


class Echo(torch.nn.Module):
    """x itself, and the sum of the latents in mm."""

    num_noise = 0

    def __init__(self, num_latents=1):
        super().__init__()
        self.num_latents = num_latents

    def forward(self, z, c):
        return for_each(c, z) + z.sum(1, keepdim=True) / SMOOTHED.prior.sd


class Line(torch.nn.Module):
    def forward(self, z, c):
        return -2 * c


ECHOES = learned.Networks(SMOOTHED, Line(), {"one": Echo(1), "two": Echo(2)}, 0)


def test_draws_stand_in_the_row_of_their_measurement_and_in_mm():
    x, mean = np.array([180.0, 200.0]), SMOOTHED.prior.mean
    assert ECHOES.answers(x) == pytest.approx(mean - 2 * (x - mean), abs=1e-3)
    z = torch.tensor([[0.0], [1.0], [0.0], [-2.0]])
    expected = np.array([[180, 181], [200, 198]])
    assert ECHOES.ask(Echo(), x, z) == pytest.approx(expected, abs=1e-3)
    noise = ECHOES.draws_along("one", x, 5, "here") - x[:, None]
    assert noise[0] == pytest.approx(noise[1], abs=1e-3)
    assert np.ptp(noise) > 0.1
    noise = ECHOES.draws("one", x, 5, "here") - x[:, None]
    assert np.abs(noise[0] - noise[1]).max() > 0.1


def test_each_sampler_is_asked_with_as_many_latents_as_it_has():
    x = np.full(1, 190.0)
    variances = [ECHOES.draws(name, x, 20_000, "here").var() for name in ("one", "two")]
    assert variances == pytest.approx([1, 2], rel=0.05)


def test_answers_are_the_moments_of_each_samplers_own_draws():
    drawn = {"one": np.array([[1.0, 3.0], [5.0, 5.0]]), "two": np.array([[0.0, 0.0], [2.0, 8.0]])}
    found = penguins.answers(ECHOES, np.array([180.0, 200.0]), drawn)
    moments = {name: values.tolist() for name, values in found.items() if name[:4] in ("one_", "two_")}
    assert moments == {"one_mean": [2, 5], "one_sd": [1, 0], "two_mean": [0, 5], "two_sd": [0, 3]}


def test_deviations_are_those_of_mean_and_spread():
    """Posteriors are spikes, and the draws of the second lie 1 above it, give or take 3."""
    y = np.arange(101) / 10
    spikes = Posterior(y, np.stack([y == 2, y == 5]).astype(float))
    found = penguins.deviations(spikes, np.array([[2.0, 2.0], [3.0, 9.0]]))
    expected = {"wasserstein": 1.5, "worst_wasserstein": 3, "mean_error": 0.5, "sd_error": 1.5}
    assert found == pytest.approx(expected, abs=1e-6)


class Exact(torch.nn.Module):
    """x-hat of a flow whose data are the conjugate posterior of ONE_NORMAL: (x_t, t, c) -> (N, 1)."""

    def forward(self, x_t, t, c):
        means, sd = bayes.conjugate(ONE_NORMAL, ONE_NORMAL.in_mm(c).double().numpy())
        m, s = ONE_NORMAL.standardised(torch.from_numpy(means)), sd / ONE_NORMAL.prior.sd
        t = t[:, None]
        return (m + t * s**2 / ((1 - t) ** 2 + (t * s) ** 2) * (x_t - t * m)).float()


def test_the_dial_of_an_exact_flow_goes_from_the_variance_to_twice_as_much():
    """One step has the error V of the mean; N steps V and the variance that Euler leaves of the draws."""
    sampler = Flow(Exact(), (1,), "heun", 3)
    networks = learned.Networks(ONE_NORMAL, Line(), {"flow": sampler}, 0)
    found = penguins.dial(networks, OURS.model_copy(update={"num_held_out": 50, "num_draws": 500}))
    _, sd = bayes.conjugate(ONE_NORMAL, X)
    assert found["variance"] == pytest.approx(sd**2, rel=1e-6)
    assert [row["steps"] for row in found["rows"]] == [1, 2, 4, 8, 16, 32]
    left = [denoisers.euler_sd(sd / 6, row["steps"]) * 6 for row in found["rows"]]  # in units of the prior
    errors = [row["sample_mse"] for row in found["rows"]]
    assert left[0] == 0
    assert errors == pytest.approx([sd**2 + each**2 for each in left], rel=0.04)
    distances = [row["wasserstein"] for row in found["rows"]]
    expected = [math.sqrt(2 / math.pi) * (sd - each) for each in left]
    assert distances[:4] == pytest.approx(expected[:4], abs=0.1)
    assert distances == sorted(distances, reverse=True)
    assert (sampler.solver, sampler.num_steps) == ("heun", 3)


def test_the_dials_numbers_do_not_depend_on_how_many_posteriors_are_held_at_a_time(monkeypatch):
    networks = learned.Networks(SMOOTHED, Line(), {"flow": Flow(Exact(), (1,), "euler", 1)}, 0)
    settings = OURS.model_copy(update={"num_dial": 25, "num_held_out": 2, "num_draws": 2})
    found = penguins.dial(networks, settings)["variance"]
    monkeypatch.setattr(penguins, "TOGETHER", 10)
    assert penguins.dial(networks, settings)["variance"] == pytest.approx(found, rel=1e-12)


def test_the_examples_of_a_task_are_the_cameras_pairs_in_standard_deviations():
    task = SMOOTHED.task(100, 3, "here")
    y, x = (SMOOTHED.in_mm(part)[:, 0] for part in task.train.batch(torch.arange(100)))
    for found, expected in zip((x, y), SMOOTHED.pairs(100, 3, "here"), strict=True):
        assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-3)


def test_all_networks_are_the_same_each_time_and_others_for_another_seed():
    few = {"num_steps": 3, "batch_size": 8}
    changes = {name: getattr(OURS, name).model_copy(update=few) for name in learned.START}

    def weights(seed):
        found = learned.train(LENGTHS, OURS.model_copy(update=changes | {"seed": seed}))
        networks = found.samplers | {"regression": found.regression}
        return {name: next(network.parameters()).tolist() for name, network in networks.items()}

    first, again, other = weights(0), weights(0), weights(1)
    assert set(first) == {"regression", *SAMPLED}
    assert first == again
    assert [name for name in first if first[name] == other[name]] == []


def test_each_method_sees_pairs_of_its_own(monkeypatch):
    seen, few = {}, {"num_steps": 1, "batch_size": 8}
    for name, start in learned.START.items():

        def spied(settings, task, name=name, start=start):
            seen[name] = task.train.batch(torch.arange(8))[1][:, 0].tolist()
            return start(settings, task)

        monkeypatch.setitem(learned.START, name, spied)
    changes = {name: getattr(OURS, name).model_copy(update=few) for name in learned.START}
    learned.train(LENGTHS, OURS.model_copy(update=changes))
    everything = [value for pairs in seen.values() for value in pairs]
    assert len(everything) == len(set(everything)) == 8 * 4


def test_the_flow_knows_what_to_expect_behind_noise():
    """Given x the data are a mixture of normals, one a measured length, so that x-hat is known; the network's
    is off by an eighth of a posterior's sd, of 4 mm, at most.
    """
    camera = Camera(bayes.smoothed(LIKE_OURS, 2.0), 5.0)
    network, in_units = learned.trained("flow", camera, OURS), camera.standardised
    x, y = camera.pairs(200, 0, "here")
    noise = torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    variance, lengths = 1 / (1 / 2**2 + 1 / 5**2), torch.from_numpy(LIKE_OURS).float()
    weights = (-(x[:, None] - lengths).square() / (2 * (2**2 + 5**2))).softmax(1)
    centres = in_units(variance * (lengths / 2**2 + x[:, None] / 5**2))[..., None]
    sd = math.sqrt(variance) / camera.prior.sd
    for t in (0.0, 0.25, 0.5, 0.75):
        x_t = (1 - t) * noise + t * in_units(y)[:, None]
        with torch.no_grad():
            found = network.denoise(x_t, torch.full((200,), t), in_units(x)[:, None])
        rows = [denoisers.mixture(x_t[[i]], t, centres[i], sd, weights[i]) for i in range(200)]
        off = camera.prior.sd * (found - torch.cat(rows))
        assert off.square().mean().sqrt() < 0.5, t


# All of it, on lengths like the penguins', with a third of the stage's steps and half of its draws.


@pytest.fixture(scope="module")
def measured():
    """Numbers and curves."""
    trained = {name: getattr(OURS, name) for name in learned.START}
    third = {
        name: each.model_copy(update={"num_steps": each.num_steps // 3}) for name, each in trained.items()
    }
    return penguins.measure(LIKE_OURS, OURS.model_copy(update=third | {"num_draws": 500}))


@pytest.fixture(scope="module")
def numbers(measured):
    return measured[0]


def test_regression_lands_on_the_posterior_mean(numbers):
    assert numbers["regression"]["largest_error"] < numbers["regression"]["tolerance"] == 0.3
    assert numbers["regression"]["mean_error"] < numbers["regression"]["largest_error"]


@pytest.mark.parametrize("name", SAMPLED)
def test_draws_are_those_of_the_posterior(numbers, name):
    found = numbers[name]
    assert found["floor"] < found["wasserstein"] < found["tolerance"] == 1.0
    assert found["wasserstein"] < found["worst_wasserstein"]
    assert found["sd_error"] < 1.0
    assert found["mean_error"] < 1.0


@pytest.mark.parametrize("name", SAMPLED)
def test_one_draw_errs_by_root_two_of_the_mean(numbers, name):
    """Truth and draw are independent draws of one posterior, of variance s^2: their difference has 2 s^2."""
    rmse = numbers["rmse_held_out"]
    assert rmse[f"one_{name}_draw"] / rmse["posterior_mean"] == pytest.approx(math.sqrt(2), rel=0.2)
    assert rmse["regression"] == pytest.approx(rmse["posterior_mean"], rel=0.03)
    assert rmse[f"mean_of_{name}_draws"] == pytest.approx(rmse["posterior_mean"], rel=0.05)


@pytest.mark.parametrize("name", SAMPLED)
def test_the_crps_is_least_of_the_posterior_and_of_draws_near_it(numbers, name):
    crps = numbers["crps_held_out"]
    assert crps["posterior"] <= crps[name] * 1.005 < 1.05 * crps["posterior"]
    assert crps[name] < crps["regression"] / 1.2


def test_the_trained_flow_goes_from_the_mean_to_a_draw_with_its_number_of_steps(numbers):
    dial = numbers["dial"]
    errors = [row["sample_mse"] / dial["variance"] for row in dial["rows"]]
    assert errors[0] == pytest.approx(1, abs=0.05)
    assert errors[:4] == sorted(errors[:4])
    assert errors[-1] == pytest.approx(2, abs=0.2)
    assert dial["rows"][-1]["wasserstein"] == numbers["flow"]["wasserstein"]  # 32 steps, as it samples


def test_the_curves_are_those_of_the_answers(measured):
    numbers, curves = measured
    curves = {name: rows.astype(float) for name, rows in curves.items()}
    shown, spacing = numbers["answers_at_shown_x"], np.ptp(curves["y"]) / (len(curves["y"]) - 1)
    for name in ("prior", "exact_at", "conjugate_at"):
        assert curves[name].sum() * spacing == pytest.approx(1, abs=1e-3), name
    assert curves["y"][curves["likelihood_at"].argmax()] == pytest.approx(OURS.shown_x, abs=spacing)
    assert (curves["y"] * curves["exact_at"]).sum() * spacing == pytest.approx(shown["exact_mean"], rel=1e-5)
    for name in SAMPLED:
        assert curves[f"{name}_drawn_at"].shape == (500,)
        assert curves[f"{name}_drawn_at"].mean() == pytest.approx(shown[f"{name}_mean"])
        assert curves[f"{name}_drawn_at"].std() == pytest.approx(shown[f"{name}_sd"], rel=1e-5)
        assert np.abs(curves[f"{name}_sd"] - curves["exact_sd"]).mean() < 1
    for name, part in (("regression", "regression"), ("conjugate_mean", "conjugate")):
        off = np.abs(curves[name] - curves["exact_mean"])
        assert off.max() == pytest.approx(numbers[part]["largest_error"], abs=1e-4)
    held = (numbers["regression"]["x_from"], numbers["regression"]["x_to"])
    assert (curves["x"][0], curves["x"][-1]) == pytest.approx(held)
