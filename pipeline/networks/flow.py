"""A denoiser as a generator (z, c) -> x: z is the noise image, and the forward pass solves the flow's
equation from noise to data in a few steps, each an evaluation of the denoiser or two.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.networks.layers import for_each
from pipeline.networks.solvers import SOLVERS, num_evaluations, steps
from pipeline.networks.times import gated

PREDICTIONS = ("data", "velocity")  # what the network's output is taken for


class Flow(nn.Module):
    """z (N, C H W) or (N, D) and c -> x, cut off to [-1, 1] where it is an image.

    Args:
        network: (x_t, t, c) -> x-hat or velocity, with t (N,); one of x-hat is shown no noise at t = 0.
        shape: of x.
        solver, num_steps, spacing: of the equation; see solvers.py.
        prediction: one of PREDICTIONS.
        guidance: of classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598); x-hat is led so many
            times as far from that of a blank condition. 1: none, and the posterior is left as it is.
    """

    num_noise = 0

    def __init__(
        self,
        network: nn.Module,
        shape: Sequence[int],
        solver: str,
        num_steps: int,
        prediction: str = "data",
        guidance: float = 1.0,
        spacing: float = 1.0,
    ) -> None:
        super().__init__()
        self.network, self.shape = network, tuple(shape)
        self.solver, self.num_steps, self.spacing = solver, num_steps, spacing
        self.prediction, self.guidance = prediction, guidance
        self.num_latents = math.prod(shape)

    @property
    def num_evaluations(self) -> int:
        """Of the network, for one sample."""
        return num_evaluations(self.solver, self.num_steps) * (1 if self.guidance == 1 else 2)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        c, x = for_each(c, z), z.unflatten(1, self.shape)
        times = steps(self.num_steps, self.spacing)
        x = SOLVERS[self.solver](lambda x_t, t: self.guided(x_t, t, c), x, times)
        return x.clamp(-1, 1) if len(self.shape) == 3 else x

    def guided(self, x_t: Tensor, t: float, c: Tensor) -> Tensor:
        """x-hat at one time for all of a batch."""
        times = x_t.new_full((len(x_t),), t)
        found = self.denoise(x_t, times, c)
        if self.guidance == 1:
            return found
        return torch.lerp(self.denoise(x_t, times, torch.zeros_like(c)), found, self.guidance)

    def denoise(self, x_t: Tensor, t: Tensor, c: Tensor, network: nn.Module | None = None) -> Tensor:
        """x-hat, of x_t (N, ...) and t (N,); by a replica of the network, where one is given."""
        network = network or self.network
        if self.prediction == "data":
            return cast(Tensor, network(gated(x_t, t), t, c))
        found: Tensor = network(x_t, t, c)
        return x_t + (1 - t).view(-1, *[1] * (x_t.ndim - 1)) * found


def flow_of(sampler: nn.Module) -> Flow | None:
    """The flow in a sampler, which may be a mixture of groups; None if it is none."""
    return next((module for module in sampler.modules() if isinstance(module, Flow)), None)


@contextmanager
def sampling_with(
    flow: Flow, solver: str, num_steps: int, guidance: float, spacing: float = 1.0
) -> Iterator[None]:
    """While the context lasts, the flow samples so."""
    before = flow.solver, flow.num_steps, flow.guidance, flow.spacing
    flow.solver, flow.num_steps, flow.guidance, flow.spacing = solver, num_steps, guidance, spacing
    try:
        yield
    finally:
        flow.solver, flow.num_steps, flow.guidance, flow.spacing = before
