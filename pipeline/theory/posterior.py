"""The exact answer: how plausible is each true length y, in mm, after a measurement x = y + noise?

p(y | x) = p(x | y) p(y) / p(x): the prior p(y) is the data's, the likelihood p(x | y) is N(x; y, noise^2).
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pipeline.runtime import randomness
from pipeline.tasks.examples import InMemory
from pipeline.tasks.task import Task
from pipeline.theory.normals import Normals

SPACING = 0.02  # mm between the points of a grid


@dataclass(frozen=True)
class Camera:
    """Animals as they are, and the camera that measures them with an error of standard deviation `noise`."""

    prior: Normals
    noise: float  # mm

    @property
    def seen(self) -> Normals:
        """p(x): the prior, blurred by the noise."""
        return self.prior.blurred(self.noise)

    def pairs(self, num: int, seed: int, purpose: str) -> tuple[Tensor, Tensor]:
        """x and y of so many animals, (num,) each."""
        y = self.prior.draw(num, seed, purpose)
        error = randomness.normal(num, 1, seed, f"{purpose}: noise")[:, 0]
        return y + self.noise * error, y

    def task(self, num: int, seed: int, purpose: str) -> Task:
        """What is y, given x? In standard deviations, of so many animals."""
        x, y = (self.standardised(lengths)[:, None] for lengths in self.pairs(num, seed, purpose))
        return Task("penguins", "penguins", "numbers", (1,), (1,), 1, InMemory(y, x), {}, {})

    def standardised(self, lengths: Tensor) -> Tensor:
        """In standard deviations of the prior from its mean: what the networks compute in."""
        return (lengths - self.prior.mean) / self.prior.sd

    def in_mm(self, standardised: Tensor) -> Tensor:
        return standardised * self.prior.sd + self.prior.mean


@dataclass(frozen=True)
class Posterior:
    """p(y | x) on a grid, for N values of x."""

    y: np.ndarray  # (G,), evenly spread
    p: np.ndarray  # (N, G), each row of sum 1

    @property
    def mean(self) -> np.ndarray:
        return self.p @ self.y

    @property
    def sd(self) -> np.ndarray:
        return np.sqrt(self.p @ np.square(self.y) - self.mean**2)

    @property
    def density(self) -> np.ndarray:
        return self.p / (self.y[1] - self.y[0])


def smoothed(lengths: np.ndarray, bandwidth: float) -> Normals:
    """The kernel density of the data: one normal of sd `bandwidth` about each length."""
    num = len(lengths)
    return Normals(means=lengths.tolist(), sds=[bandwidth] * num, shares=[1 / num] * num)


def exact(camera: Camera, x: np.ndarray) -> Posterior:
    """The posterior of each x, (N,), with the prior as it is."""
    low, high = camera.prior.support()
    y = np.linspace(low, high, round((high - low) / SPACING) + 1)
    log_p = camera.prior.log_density(y) - np.square((x[:, None] - y) / camera.noise) / 2
    p = np.exp(log_p - log_p.max(1, keepdims=True))
    return Posterior(y, p / p.sum(1, keepdims=True))


def conjugate(camera: Camera, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Means, (N,), and sd of the posterior if the prior were a normal of the same mean and sd.

    The mean lies between x and the prior's mean m, nearer to the more precise of the two:
    (x / noise^2 + m / sd^2) / (1 / noise^2 + 1 / sd^2); the precisions add up.
    """
    by_x, by_prior = camera.noise**-2, camera.prior.sd**-2
    means = (x * by_x + camera.prior.mean * by_prior) / (by_x + by_prior)
    return means, (by_x + by_prior) ** -0.5


def wasserstein(posterior: Posterior, drawn: np.ndarray) -> np.ndarray:
    """W1 between each of N posteriors and the draws in its row, (N, M), in mm, (N,).

    On a line W1 is the area between the two distribution functions.
    """
    y, spacing = posterior.y, posterior.y[1] - posterior.y[0]
    within = drawn.clip(y[0], y[-1])
    edges = y + spacing / 2
    shares = np.stack([np.searchsorted(row, edges, side="right") for row in np.sort(within, 1)])
    area = np.abs(shares / drawn.shape[1] - np.cumsum(posterior.p, 1)).sum(1) * spacing
    return area + np.abs(drawn - within).mean(1)  # the posterior has nothing beyond the grid


def draws(posterior: Posterior, num: int, seed: int, purpose: str) -> np.ndarray:
    """Draws from each posterior itself, (N, num): what the best sampler would give, so W1's noise floor."""
    u = randomness.uniform(len(posterior.p) * num, seed, purpose).double().numpy().reshape(-1, num)
    rows = zip(u, np.cumsum(posterior.p, 1), strict=True)
    return np.stack([np.interp(row, below, posterior.y) for row, below in rows])
