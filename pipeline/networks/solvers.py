"""From noise to data along a flow: dx/dt = (x-hat(x, t) - x) / (1 - t), with x-hat the data to be expected
behind x = (1 - t) noise + t data (Lipman et al. 2022, arXiv:2210.02747; Liu et al. 2022, arXiv:2209.03003).

Each takes N steps of equal length from t = 0 to 1. One step of Euler's returns x-hat(x, 0), the mean of all
data whatever the noise: what regression returns.
"""

from collections.abc import Callable

from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]  # x-hat, of x (N, ...) and t in [0, 1)


def velocity(denoise: Denoiser, x: Tensor, t: float) -> Tensor:
    return (denoise(x, t) - x) / (1 - t)


def euler(denoise: Denoiser, x: Tensor, num_steps: int) -> Tensor:
    """First order, N evaluations."""
    for k in range(num_steps):
        x = x + velocity(denoise, x, k / num_steps) / num_steps
    return x


def heun(denoise: Denoiser, x: Tensor, num_steps: int) -> Tensor:
    """Second order, 2 N - 1 evaluations: the last step is Euler's, as the velocity is 0 / 0 at t = 1."""
    for k in range(num_steps):
        v = velocity(denoise, x, k / num_steps)
        if k < num_steps - 1:
            ahead = velocity(denoise, x + v / num_steps, (k + 1) / num_steps)
            v = (v + ahead) / 2
        x = x + v / num_steps
    return x


def adams_bashforth(denoise: Denoiser, x: Tensor, num_steps: int) -> Tensor:
    """Second order, N evaluations: each step but the first extrapolates the last two velocities."""
    before = None
    for k in range(num_steps):
        v = velocity(denoise, x, k / num_steps)
        x = x + (v if before is None else 1.5 * v - 0.5 * before) / num_steps
        before = v
    return x


SOLVERS = {"euler": euler, "heun": heun, "adams_bashforth": adams_bashforth}


def num_evaluations(solver: str, num_steps: int) -> int:
    """Of the network, for one sample."""
    return 2 * num_steps - 1 if solver == "heun" else num_steps
