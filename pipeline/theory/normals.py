"""Mixtures of normal distributions on the line: densities to write down, draw from and integrate."""

import math
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.runtime import randomness
from pipeline.runtime.params import Positive, PositiveFraction, Section

Finite = Annotated[float, Field(allow_inf_nan=False)]
NUM_SDS = 10  # a mixture has no mass worth counting farther than this from all of its normals


class Normals(Section):
    """sum_k share_k N(mean_k, sd_k^2)."""

    means: Annotated[list[Finite], Field(min_length=1)]  # of the components
    sds: list[Positive]  # their standard deviations
    shares: list[PositiveFraction]  # their weights, in sum 1

    @model_validator(mode="after")
    def _each_normal_has_all_three(self) -> Self:
        sizes = len(self.means), len(self.sds), len(self.shares)
        if len(set(sizes)) > 1:
            raise ValueError(f"means, sds and shares must be as many, not {sizes[0]}, {sizes[1]}, {sizes[2]}")
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"shares must add up to 1, not {sum(self.shares):g}")
        return self

    @property
    def mean(self) -> float:
        return float(np.dot(self.shares, self.means))

    @property
    def sd(self) -> float:
        """Law of total variance: the normals' own variances, and that of their means."""
        second = np.dot(self.shares, np.square(self.means) + np.square(self.sds))
        return math.sqrt(second - self.mean**2)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """log p(x) at each point, of any shape; float64, and finite far out in the tails."""
        means, sds = np.array(self.means), np.array(self.sds)
        z = (x[..., None] - means) / sds
        terms = np.log(self.shares) - np.log(sds) - math.log(2 * math.pi) / 2 - z**2 / 2
        return np.logaddexp.reduce(terms, axis=-1)

    def draw(self, num: int, seed: int, purpose: str, step: int = 0) -> Tensor:
        """Independent draws, (num,), float32."""
        source = randomness.generator(seed, purpose, step)
        k = torch.multinomial(torch.tensor(self.shares), num, replacement=True, generator=source)
        noise = torch.randn(num, generator=source)
        return torch.tensor(self.means)[k] + torch.tensor(self.sds)[k] * noise

    def blurred(self, sd: float) -> "Normals":
        """The distribution of a draw plus an independent error of N(0, sd^2)."""
        return Normals(means=self.means, sds=[math.hypot(own, sd) for own in self.sds], shares=self.shares)

    def quantiles(self, shares: list[float]) -> list[float]:
        """The points below which these shares of the mass lie."""
        x = np.linspace(*self.support(), 20_001)
        p = np.exp(self.log_density(x))
        below = np.cumsum((p[1:] + p[:-1]) / 2)
        return [float(q) for q in np.interp(shares, below / below[-1], x[1:])]

    def support(self) -> tuple[float, float]:
        """The ends of the range outside which there is next to nothing."""
        reach = NUM_SDS * np.array(self.sds)
        return float((self.means - reach).min()), float((self.means + reach).max())
