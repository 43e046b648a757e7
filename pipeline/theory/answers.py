"""The section `bayes` of params.yaml, and four answers to one question: a camera says x, how long is the
flipper?

The exact posterior, the conjugate-normal one, a network trained by squared error and a conditional GAN. The
networks see pairs drawn from the same prior and camera that the exact answer knows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from pipeline.runtime import randomness
from pipeline.runtime.params import Count, Positive, Section, Seed
from pipeline.theory import bayes, regression
from pipeline.theory import cgan as duel
from pipeline.theory.bayes import Camera, Posterior

HELD = [0.025, 0.975]  # shares of p(x) below and above which regression is not judged
REGRESSION, DUEL = 0.3, 1.0  # mm: what its mean, and W1 of its draws, may be off by
NUM_SHOWN = 201  # values of x along the figure


class Params(Section):
    noise: Positive  # mm, standard deviation of the camera's error
    bandwidth: Positive  # mm, of the kernel density that is the prior
    shown_x: Positive  # mm, the measurement that the figure asks about
    num_held_out: Count  # measurements that the cGAN is judged on
    num_draws: Count  # of the cGAN for each
    regression: regression.Params
    cgan: duel.Params
    seed: Seed


@dataclass(frozen=True)
class Networks:
    """The two that were trained, and what to ask them with."""

    camera: Camera
    regression: nn.Module
    generator: nn.Module
    num_latents: int
    seed: int

    def answers(self, x: np.ndarray) -> np.ndarray:
        return regression.answers(self.regression, self.camera, x)

    def draws(self, x: np.ndarray, num: int, purpose: str) -> np.ndarray:
        """So many of the cGAN's lengths for each x, (N, num), in mm."""
        z = randomness.normal(len(x) * num, self.num_latents, self.seed, purpose)
        return duel.draw(self.generator, self.camera, x, z)

    def draws_along(self, x: np.ndarray, num: int, purpose: str) -> np.ndarray:
        """The same with one set of latents for all x: what changes along x is then the generator's doing."""
        z = randomness.normal(num, self.num_latents, self.seed, purpose).repeat(len(x), 1)
        return duel.draw(self.generator, self.camera, x, z)


def train(lengths: np.ndarray, params: Params) -> Networks:
    """Both networks, on pairs from the smoothed lengths."""
    camera = Camera(bayes.smoothed(lengths, params.bandwidth), params.noise)
    network = regression.train(camera, params.regression, params.seed)
    generator = duel.train(camera, params.cgan, params.seed)
    return Networks(camera, network, generator, params.cgan.num_latents, params.seed)


def measure(lengths: np.ndarray, networks: Networks, params: Params) -> dict[str, Any]:
    """All numbers, in mm, each with what it is compared to and the counts it comes from."""
    camera = networks.camera
    low, high = camera.seen.quantiles(HELD)
    x = np.linspace(low, high, NUM_SHOWN)
    means = bayes.exact(camera, x).mean
    x_held_out, y_held_out = (
        part.double().numpy() for part in camera.pairs(params.num_held_out, params.seed, "held out")
    )
    posterior = bayes.exact(camera, x_held_out)
    drawn = networks.draws(x_held_out, params.num_draws, "latents of held-out draws")
    compared = {"compared_to": "mean of the exact posterior", "x_from": low, "x_to": high, "num_x": NUM_SHOWN}
    off = np.abs(networks.answers(x) - means)
    conjugate = np.abs(bayes.conjugate(camera, x)[0] - means)
    prior = {"num_lengths": len(lengths), "bandwidth": params.bandwidth}
    return {
        "prior": prior | {"mean": camera.prior.mean, "sd": camera.prior.sd},
        "answers_at_shown_x": at_shown(networks, params),
        "regression": compared
        | {"largest_error": off.max(), "mean_error": off.mean(), "tolerance": REGRESSION},
        "conjugate": compared | {"largest_error": conjugate.max(), "mean_error": conjugate.mean()},
        "cgan": of_draws(posterior, drawn, params),
        "rmse_held_out": {"num_held_out": params.num_held_out}
        | {
            "posterior_mean": rmse(posterior.mean, y_held_out),
            "regression": rmse(networks.answers(x_held_out), y_held_out),
            "mean_of_cgan_draws": rmse(drawn.mean(1), y_held_out),
            "one_cgan_draw": rmse(drawn[:, 0], y_held_out),
        },
    }


def at_shown(networks: Networks, params: Params) -> dict[str, float]:
    """The four answers to the measurement that the figure shows."""
    x = np.array([params.shown_x])
    posterior = bayes.exact(networks.camera, x)
    conjugate_mean, conjugate_sd = bayes.conjugate(networks.camera, x)
    drawn = networks.draws(x, params.num_draws, "latents of the figure")
    return {
        "x": params.shown_x,
        "exact_mean": posterior.mean[0],
        "exact_sd": posterior.sd[0],
        "conjugate_mean": conjugate_mean[0],
        "conjugate_sd": conjugate_sd,
        "regression": networks.answers(x)[0],
        "cgan_mean": drawn.mean(),
        "cgan_sd": drawn.std(),
        "num_draws": params.num_draws,
    }


def of_draws(posterior: Posterior, drawn: np.ndarray, params: Params) -> dict[str, Any]:
    """How far the cGAN's draws are from the posteriors of held-out measurements; the floor is what as many
    draws from the posteriors themselves get.
    """
    distances = bayes.wasserstein(posterior, drawn)
    floor = bayes.wasserstein(posterior, bayes.draws(posterior, params.num_draws, params.seed, "W1's floor"))
    return {
        "compared_to": "exact posteriors of held-out x",
        "wasserstein": distances.mean(),
        "floor": floor.mean(),
        "tolerance": DUEL,
        "worst_wasserstein": distances.max(),
        "mean_error": np.abs(drawn.mean(1) - posterior.mean).mean(),
        "sd_error": np.abs(drawn.std(1) - posterior.sd).mean(),
        "num_held_out": params.num_held_out,
        "num_draws": params.num_draws,
    }


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(found - truth).mean()))


def curves(networks: Networks, params: Params) -> dict[str, np.ndarray]:
    """What the figures show, by name; *_at is about the one x shown, the rest runs over x."""
    camera, shown = networks.camera, np.array([params.shown_x])
    low, high = camera.seen.quantiles(HELD)
    x = np.linspace(low, high, NUM_SHOWN)
    posterior, at = bayes.exact(camera, x), bayes.exact(camera, shown)
    conjugate_mean, conjugate_sd = bayes.conjugate(camera, shown)
    drawn = networks.draws_along(x, params.num_draws, "latents of the curves")
    error = np.exp(-np.square((params.shown_x - at.y) / camera.noise) / 2)
    normal = np.exp(-np.square((at.y - conjugate_mean) / conjugate_sd) / 2)
    return {
        "y": at.y,
        "prior": np.exp(camera.prior.log_density(at.y)),
        "likelihood_at": error / (camera.noise * np.sqrt(2 * np.pi)),
        "exact_at": at.density[0],
        "conjugate_at": normal / (conjugate_sd * np.sqrt(2 * np.pi)),
        "drawn_at": networks.draws(shown, params.num_draws, "latents of the figure")[0],
        "x": x,
        "exact_mean": posterior.mean,
        "exact_sd": posterior.sd,
        "conjugate_mean": bayes.conjugate(camera, x)[0],
        "regression": networks.answers(x),
        "cgan_mean": drawn.mean(1),
        "cgan_sd": drawn.std(1),
    }
