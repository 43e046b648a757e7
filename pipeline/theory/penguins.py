"""The section `bayes` of params.yaml, and four answers to: a camera says x, how long is the flipper?

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
from pipeline.theory.posterior import Camera

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
    """The EMA copy after all steps."""
    while training.steps_done < training.settings.num_steps:
        training.step(task.train)
        training.steps_done += 1
    return training.ema


def measure(lengths: np.ndarray, settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All numbers, in mm, each with what it is compared to and the counts it comes from; and the curves."""
    networks = train(lengths, settings)
    camera, shown = networks.camera, np.array([settings.shown_x])
    low, high = camera.seen.quantiles(HELD)
    x = np.linspace(low, high, NUM_SHOWN)
    along = four_answers(networks, x, networks.draws_along(x, settings.num_draws, CURVE_LATENTS))
    drawn_at = networks.draws(shown, settings.num_draws, FIGURE_LATENTS)
    at_shown = four_answers(networks, shown, drawn_at)
    compared = {"compared_to": "mean of the exact posterior", "x_from": low, "x_to": high, "num_x": NUM_SHOWN}
    prior = {"num_lengths": len(lengths), "bandwidth": settings.bandwidth}
    counts = {"x": settings.shown_x, "num_draws": settings.num_draws}
    numbers = {
        "prior": prior | {"mean": camera.prior.mean, "sd": camera.prior.sd},
        "answers_at_shown_x": counts | {name: values[0] for name, values in at_shown.items()},
        "regression": compared | errors(along, "regression") | {"tolerance": REGRESSION_TOLERANCE},
        "conjugate": compared | errors(along, "conjugate_mean"),
        **on_held_out(networks, settings),
    }
    return numbers, curves(camera, settings.shown_x, drawn_at[0], {"x": x} | along)


def four_answers(networks: Networks, x: np.ndarray, drawn: np.ndarray) -> dict[str, np.ndarray]:
    """The four answers to each x, (N,), with draws of the cGAN, (N, M): by name, (N,), in mm."""
    posterior = bayes.exact(networks.camera, x)
    mean, sd = bayes.conjugate(networks.camera, x)
    return {
        "exact_mean": posterior.mean,
        "exact_sd": posterior.sd,
        "conjugate_mean": mean,
        "conjugate_sd": np.full(len(x), sd),
        "regression": networks.answers(x),
        "cgan_mean": drawn.mean(1),
        "cgan_sd": drawn.std(1),
    }


def errors(found: dict[str, np.ndarray], name: str) -> dict[str, float]:
    """How far an answer is from the posterior mean."""
    off = np.abs(found[name] - found["exact_mean"])
    return {"largest_error": off.max(), "mean_error": off.mean()}


def on_held_out(networks: Networks, settings: Settings) -> dict[str, dict[str, Any]]:
    """How far the cGAN's draws are from the posteriors of held-out measurements, and each answer from the
    truth; the floor is what as many draws from the posteriors themselves get.
    """
    pairs = networks.camera.pairs(settings.num_held_out, settings.seed, HELD_OUT)
    x, y = (part.double().numpy() for part in pairs)
    posterior = bayes.exact(networks.camera, x)
    drawn = networks.draws(x, settings.num_draws, HELD_OUT_LATENTS)
    best = bayes.draws(posterior, settings.num_draws, settings.seed, FLOOR)
    distances = bayes.wasserstein(posterior, drawn)
    of_draws = {
        "compared_to": "exact posteriors of held-out x",
        "wasserstein": distances.mean(),
        "floor": bayes.wasserstein(posterior, best).mean(),
        "tolerance": CGAN_TOLERANCE,
        "worst_wasserstein": distances.max(),
        "mean_error": np.abs(drawn.mean(1) - posterior.mean).mean(),
        "sd_error": np.abs(drawn.std(1) - posterior.sd).mean(),
        "num_held_out": settings.num_held_out,
        "num_draws": settings.num_draws,
    }
    rmse = {
        "posterior_mean": posterior.mean,
        "regression": networks.answers(x),
        "mean_of_cgan_draws": drawn.mean(1),
        "one_cgan_draw": drawn[:, 0],
    }
    errors = {name: float(np.sqrt(np.square(found - y).mean())) for name, found in rmse.items()}
    return {"cgan": of_draws, "rmse_held_out": {"num_held_out": settings.num_held_out} | errors}


def curves(
    camera: Camera, shown_x: float, drawn: np.ndarray, along: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What the figures show, by name; *_at is about the one x shown, the rest runs over x.

    In float32: in the last digits of float64 processors differ.
    """
    shown = np.array([shown_x])
    at, (mean, sd) = bayes.exact(camera, shown), bayes.conjugate(camera, shown)
    likelihood = np.exp(-np.square((shown_x - at.y) / camera.noise) / 2)
    normal = np.exp(-np.square((at.y - mean) / sd) / 2)
    found = {
        "y": at.y,
        "prior": np.exp(camera.prior.log_density(at.y)),
        "likelihood_at": likelihood / (camera.noise * np.sqrt(2 * np.pi)),
        "exact_at": at.density[0],
        "conjugate_at": normal / (sd * np.sqrt(2 * np.pi)),
        "drawn_at": drawn,
    }
    found |= {name: values for name, values in along.items() if name != "conjugate_sd"}
    return {name: values.astype(np.float32) for name, values in found.items()}
