"""The section `bayes` of params.yaml, and the networks that answer: a camera says x, how long is the flipper?

Regression, engression, a conditional GAN and flow matching, by the methods that train images, on pairs drawn
from the prior and the camera that the exact answer knows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.data.download.choice import Source
from pipeline.methods import adversarial, engression, flow, regression
from pipeline.methods.adversarial_settings import NumberSettings as CganSettings
from pipeline.methods.engression import NumberSettings as EngressionSettings
from pipeline.methods.method import Training
from pipeline.methods.regression import NumberSettings as RegressionSettings
from pipeline.networks.network import num_inputs
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, Positive, Seed
from pipeline.tasks.task import Task
from pipeline.theory import posterior as bayes
from pipeline.theory.posterior import Camera

START: dict[str, Callable[[Any, Task], Training]] = {
    "regression": regression.start,
    "engression": engression.start,
    "cgan": adversarial.start,
    "flow": flow.start,
}


class FlowSettings(flow.NumberSettings):
    num_steps: Count = 2000
    solver_steps: Count = 32


class Settings(Source):
    noise: Positive = 5.0  # mm, standard deviation of the camera's error
    bandwidth: Positive = 2.0  # mm, of the kernel density of the measured lengths: the prior
    shown_x: Positive = 201.0  # mm, the measurement that the figure asks about
    num_held_out: Count = 200  # measurements on which samples are compared
    num_draws: Count = 1000  # of each sampler for each
    num_dial: Count = 10_000  # measurements, with one draw each, for the errors along the flow's dial
    regression: RegressionSettings = RegressionSettings()  # keys of regression, of numbers
    engression: EngressionSettings = EngressionSettings()  # of engression
    cgan: CganSettings = CganSettings()  # of adversarial training
    flow: FlowSettings = FlowSettings()  # of flow matching; 2000 steps, 32 of the solver
    seed: Seed = 0  # of pairs, latents and held-out measurements

    def scaled(self, budget: float) -> Self:
        """The same with so many times as many steps of all networks."""
        return self.model_copy(update={name: getattr(self, name).scaled(budget) for name in START})


@dataclass(frozen=True)
class Networks:
    """Those that were trained, and what to ask them with."""

    camera: Camera
    regression: nn.Module
    samplers: dict[str, nn.Module]  # (z, c) -> y by name, each with its num_latents
    seed: int

    def answers(self, x: np.ndarray) -> np.ndarray:
        """Regression's answer to each x, (N,) -> (N,), in mm."""
        return self.ask(self.regression, x, torch.empty(len(x), 0))[:, 0]

    def draws(self, name: str, x: np.ndarray, num: int, purpose: str) -> np.ndarray:
        """So many of a sampler's lengths for each x (N,), (N, num), in mm."""
        sampler = self.samplers[name]
        z = randomness.normal(len(x) * num, num_inputs(sampler), self.seed, purpose)
        return self.ask(sampler, x, z)

    def draws_along(self, name: str, x: np.ndarray, num: int, purpose: str) -> np.ndarray:
        """The same with one set of latents for all x: what changes along x is then the sampler's doing."""
        sampler = self.samplers[name]
        z = randomness.normal(num, num_inputs(sampler), self.seed, purpose).repeat(len(x), 1)
        return self.ask(sampler, x, z)

    @torch.no_grad()
    def ask(self, sampler: nn.Module, x: np.ndarray, z: Tensor) -> np.ndarray:
        """Lengths in mm, (N, M), for x (N,) in mm and latents (N * M, Z)."""
        c = self.camera.standardised(torch.as_tensor(x, dtype=torch.float32))[:, None]
        y: Tensor = sampler(z, c)[:, 0]
        return self.camera.in_mm(y).double().numpy().reshape(len(x), -1)


def train(lengths: np.ndarray, settings: Settings) -> Networks:
    """All networks, on pairs from the smoothed lengths, fresh ones at each step."""
    camera = Camera(bayes.smoothed(lengths, settings.bandwidth), settings.noise)
    networks = {name: trained(name, camera, settings) for name in START}
    return Networks(camera, networks.pop("regression"), networks, settings.seed)


def trained(name: str, camera: Camera, settings: Settings) -> nn.Module:
    """The EMA copy of this method's network after all steps, (z, c) -> y in standard deviations."""
    own = getattr(settings, name)
    task = camera.task(own.num_steps * own.batch_size, settings.seed, f"{name}: pairs")
    training = START[name](own, task)
    while training.steps_done < own.num_steps:
        training.step(task.train)
        training.steps_done += 1
    return training.ema
