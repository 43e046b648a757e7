"""The section `bayes` of params.yaml, and four answers to one question: a camera says x, how long is the
flipper?

The exact posterior, the conjugate-normal one, a network trained by squared error and a conditional GAN, both
by the methods that train images. They see pairs drawn from the same prior and camera that the exact answer
knows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.methods import adversarial, regression
from pipeline.methods.adversarial_settings import NumberSettings as CganSettings
from pipeline.methods.method import Training
from pipeline.methods.regression import NumberSettings as RegressionSettings
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, Positive, Section, Seed
from pipeline.tasks.task import Task
from pipeline.theory import posterior as bayes
from pipeline.theory.posterior import Camera, Posterior

HELD = [0.025, 0.975]  # shares of p(x) below and above which regression is not measured
REGRESSION_TOLERANCE, CGAN_TOLERANCE = 0.3, 1.0  # mm: of regression's mean, and of W1 of the cGAN's samples
NUM_SHOWN = 201  # values of x along the figure

# purposes of random numbers
REGRESSION_PAIRS, CGAN_PAIRS, HELD_OUT = "regression: pairs", "cgan: pairs", "held out"
HELD_OUT_LATENTS, FIGURE_LATENTS = "latents of held-out draws", "latents of the figure"
CURVE_LATENTS, FLOOR = "latents of the curves", "W1's floor"


class Settings(Section):
    noise: Positive = 5.0  # mm, standard deviation of the camera's error
    bandwidth: Positive = 2.0  # mm, of the kernel density of the measured lengths: the prior
    shown_x: Positive = 201.0  # mm, the measurement that the figure asks about
    num_held_out: Count = 200  # measurements on which the cGAN is compared
    num_draws: Count = 1000  # of the cGAN for each
    regression: RegressionSettings = RegressionSettings()
    cgan: CganSettings = CganSettings()
    seed: Seed = 0


@dataclass(frozen=True)
class Networks:
    """The two that were trained, and what to ask them with."""

    camera: Camera
    regression: nn.Module
    generator: nn.Module
    num_latents: int
    seed: int

    def answers(self, x: np.ndarray) -> np.ndarray:
        """Regression's answer to each x, (N,) -> (N,), in mm."""
        return self.ask(self.regression, x, torch.empty(len(x), 0))[:, 0]

    def draws(self, x: np.ndarray, num: int, purpose: str) -> np.ndarray:
        """So many of the cGAN's lengths for each x, (N, num), in mm."""
        z = randomness.normal(len(x) * num, self.num_latents, self.seed, purpose)
        return self.ask(self.generator, x, z)

    def draws_along(self, x: np.ndarray, num: int, purpose: str) -> np.ndarray:
        """The same with one set of latents for all x: what changes along x is then the generator's doing."""
        z = randomness.normal(num, self.num_latents, self.seed, purpose).repeat(len(x), 1)
        return self.ask(self.generator, x, z)

    @torch.no_grad()
    def ask(self, sampler: nn.Module, x: np.ndarray, z: Tensor) -> np.ndarray:
        """Lengths in mm, (N, M), for x (N,) in mm and latents (N * M, Z)."""
        c = self.camera.standardised(torch.as_tensor(x, dtype=torch.float32))[:, None]
        y: Tensor = sampler(z, c)[:, 0]
        return self.camera.in_mm(y).double().numpy().reshape(len(x), -1)


def train(lengths: np.ndarray, settings: Settings) -> Networks:
    """Both networks, on pairs from the smoothed lengths, fresh ones at each step."""
    camera = Camera(bayes.smoothed(lengths, settings.bandwidth), settings.noise)
    squares = settings.regression.num_steps * settings.regression.batch_size
    pairs = settings.cgan.num_steps * settings.cgan.batch_size
    task = camera.task(squares, settings.seed, REGRESSION_PAIRS)
    network = trained(regression.start(settings.regression, task), task)
    task = camera.task(pairs, settings.seed, CGAN_PAIRS)
    generator = trained(adversarial.start(settings.cgan, task), task)
    return Networks(camera, network, generator, settings.cgan.num_latents, settings.seed)


def trained(training: Training, task: Task) -> nn.Module:
    """The averaged network after all steps."""
    while training.steps_done < training.settings.num_steps:
        training.step(task.train)
        training.steps_done += 1
    return training.ema


def measure(lengths: np.ndarray, networks: Networks, settings: Settings) -> dict[str, Any]:
    """All numbers, in mm, each with what it is compared to and the counts it comes from."""
    camera = networks.camera
    low, high = camera.seen.quantiles(HELD)
    x = np.linspace(low, high, NUM_SHOWN)
    means = bayes.exact(camera, x).mean
    x_held_out, y_held_out = (
        part.double().numpy() for part in camera.pairs(settings.num_held_out, settings.seed, HELD_OUT)
    )
    posterior = bayes.exact(camera, x_held_out)
    drawn = networks.draws(x_held_out, settings.num_draws, HELD_OUT_LATENTS)
    compared = {"compared_to": "mean of the exact posterior", "x_from": low, "x_to": high, "num_x": NUM_SHOWN}
    off = np.abs(networks.answers(x) - means)
    conjugate = np.abs(bayes.conjugate(camera, x)[0] - means)
    prior = {"num_lengths": len(lengths), "bandwidth": settings.bandwidth}
    return {
        "prior": prior | {"mean": camera.prior.mean, "sd": camera.prior.sd},
        "answers_at_shown_x": at_shown(networks, settings),
        "regression": compared
        | {"largest_error": off.max(), "mean_error": off.mean(), "tolerance": REGRESSION_TOLERANCE},
        "conjugate": compared | {"largest_error": conjugate.max(), "mean_error": conjugate.mean()},
        "cgan": of_draws(posterior, drawn, settings),
        "rmse_held_out": {"num_held_out": settings.num_held_out}
        | {
            "posterior_mean": rmse(posterior.mean, y_held_out),
            "regression": rmse(networks.answers(x_held_out), y_held_out),
            "mean_of_cgan_draws": rmse(drawn.mean(1), y_held_out),
            "one_cgan_draw": rmse(drawn[:, 0], y_held_out),
        },
    }


def at_shown(networks: Networks, settings: Settings) -> dict[str, float]:
    """The four answers to the measurement that the figure shows."""
    x = np.array([settings.shown_x])
    posterior = bayes.exact(networks.camera, x)
    conjugate_mean, conjugate_sd = bayes.conjugate(networks.camera, x)
    drawn = networks.draws(x, settings.num_draws, FIGURE_LATENTS)
    return {
        "x": settings.shown_x,
        "exact_mean": posterior.mean[0],
        "exact_sd": posterior.sd[0],
        "conjugate_mean": conjugate_mean[0],
        "conjugate_sd": conjugate_sd,
        "regression": networks.answers(x)[0],
        "cgan_mean": drawn.mean(),
        "cgan_sd": drawn.std(),
        "num_draws": settings.num_draws,
    }


def of_draws(posterior: Posterior, drawn: np.ndarray, settings: Settings) -> dict[str, Any]:
    """How far the cGAN's draws are from the posteriors of held-out measurements; the floor is what as many
    draws from the posteriors themselves get.
    """
    distances = bayes.wasserstein(posterior, drawn)
    floor = bayes.wasserstein(posterior, bayes.draws(posterior, settings.num_draws, settings.seed, FLOOR))
    return {
        "compared_to": "exact posteriors of held-out x",
        "wasserstein": distances.mean(),
        "floor": floor.mean(),
        "tolerance": CGAN_TOLERANCE,
        "worst_wasserstein": distances.max(),
        "mean_error": np.abs(drawn.mean(1) - posterior.mean).mean(),
        "sd_error": np.abs(drawn.std(1) - posterior.sd).mean(),
        "num_held_out": settings.num_held_out,
        "num_draws": settings.num_draws,
    }


def flat(found: dict[str, Any]) -> dict[str, float]:
    """The numbers that a metrics file holds of these."""
    return {
        "regression_largest_error": found["regression"]["largest_error"],
        "cgan_wasserstein": found["cgan"]["wasserstein"],
        "cgan_mean_error": found["cgan"]["mean_error"],
        "cgan_sd_error": found["cgan"]["sd_error"],
        "rmse_posterior_mean": found["rmse_held_out"]["posterior_mean"],
        "rmse_regression": found["rmse_held_out"]["regression"],
        "rmse_one_cgan_draw": found["rmse_held_out"]["one_cgan_draw"],
    }


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(found - truth).mean()))


def curves(networks: Networks, settings: Settings) -> dict[str, np.ndarray]:
    """What the figures show, by name; *_at is about the one x shown, the rest runs over x.

    In float32: in the last digits of float64 processors differ.
    """
    camera, shown = networks.camera, np.array([settings.shown_x])
    low, high = camera.seen.quantiles(HELD)
    x = np.linspace(low, high, NUM_SHOWN)
    posterior, at = bayes.exact(camera, x), bayes.exact(camera, shown)
    conjugate_mean, conjugate_sd = bayes.conjugate(camera, shown)
    drawn = networks.draws_along(x, settings.num_draws, CURVE_LATENTS)
    error = np.exp(-np.square((settings.shown_x - at.y) / camera.noise) / 2)
    normal = np.exp(-np.square((at.y - conjugate_mean) / conjugate_sd) / 2)
    shown_curves = {
        "y": at.y,
        "prior": np.exp(camera.prior.log_density(at.y)),
        "likelihood_at": error / (camera.noise * np.sqrt(2 * np.pi)),
        "exact_at": at.density[0],
        "conjugate_at": normal / (conjugate_sd * np.sqrt(2 * np.pi)),
        "drawn_at": networks.draws(shown, settings.num_draws, FIGURE_LATENTS)[0],
        "x": x,
        "exact_mean": posterior.mean,
        "exact_sd": posterior.sd,
        "conjugate_mean": bayes.conjugate(camera, x)[0],
        "regression": networks.answers(x),
        "cgan_mean": drawn.mean(1),
        "cgan_sd": drawn.std(1),
    }
    return {name: values.astype(np.float32) for name, values in shown_curves.items()}
