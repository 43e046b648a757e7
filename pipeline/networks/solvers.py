"""From noise to data along a flow: dx/dt = (x-hat(x, t) - x) / (1 - t), with x-hat the data to be expected
behind x = (1 - t) noise + t data (Lipman et al. 2022, arXiv:2210.02747; Liu et al. 2022, arXiv:2209.03003).

Each takes N steps from t = 0 to 1. One step of Euler's returns x-hat(x, 0), the mean of all data whatever
the noise: what regression returns. The last step of each is Euler's: it ends at x-hat, and leaves no noise.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]  # x-hat, of x (N, ...) and t in [0, 1)


def velocity(denoise: Denoiser, x: Tensor, t: float) -> Tensor:
    return (denoise(x, t) - x) / (1 - t)


def steps(num_steps: int, spacing: float = 1.0) -> list[float]:
    """The N + 1 times from 0 to 1: s u / (1 + (s - 1) u) at even u, with s the spacing (Esser et al. 2024,
    arXiv:2403.03206). 1: even; below 1, more of them early, where it is decided which answer it will be.
    """
    return [spacing * k / (num_steps + (spacing - 1) * k) for k in range(num_steps + 1)]


def euler(denoise: Denoiser, x: Tensor, times: Sequence[float]) -> Tensor:
    """First order, N evaluations."""
    for t, then in pairwise(times):
        x = x + (then - t) * velocity(denoise, x, t)
    return x


def heun(denoise: Denoiser, x: Tensor, times: Sequence[float]) -> Tensor:
    """Second order, 2 N - 1 evaluations: at t = 1 the velocity would be 0 / 0."""
    for t, then in pairwise(times):
        v = velocity(denoise, x, t)
        if then < 1:
            v = (v + velocity(denoise, x + (then - t) * v, then)) / 2
        x = x + (then - t) * v
    return x


def adams_bashforth(denoise: Denoiser, x: Tensor, times: Sequence[float]) -> Tensor:
    """Second order, N evaluations: each step but the first and the last extrapolates the last two velocities
    to its middle.
    """
    length, before = 0.0, None
    for t, then in pairwise(times):
        v = velocity(denoise, x, t)
        ahead = (then - t) / (2 * length) * (v - before) if before is not None and then < 1 else 0.0
        x = x + (then - t) * (v + ahead)
        length, before = then - t, v
    return x


SOLVERS = {"euler": euler, "heun": heun, "adams_bashforth": adams_bashforth}


def num_evaluations(solver: str, num_steps: int) -> int:
    """Of the network, for one sample."""
    return 2 * num_steps - 1 if solver == "heun" else num_steps
