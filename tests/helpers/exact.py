"""Denoisers that are known exactly, in the place of a flow's network."""

import torch
from torch import Tensor, nn

from pipeline.metrics import denoisers
from pipeline.networks.flow import Flow


class Exact(nn.Module):
    """x-hat of data (K, ...), all equally often, each coordinate blurred by `sd`; a condition says nothing.

    Asked about one time for all of a batch, as solvers ask.
    """

    num_members, turn = 1, 1  # as networks of points have them

    def __init__(self, data: Tensor, sd: float = 0.0) -> None:
        super().__init__()
        self.data, self.sd = data, sd

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        assert (t == t[0]).all()
        x, centres = (rows.flatten(1).double() for rows in (x_t, self.data))
        return denoisers.mixture(x, t[0].item(), centres, self.sd).view_as(x_t).to(x_t.dtype)


class Known(nn.Module):
    """x-hat where the right answers to a condition are those of `x` (N, ...) whose `c` (N, ...) it is."""

    def __init__(self, x: Tensor, c: Tensor) -> None:
        super().__init__()
        self.x, self.c = x, c

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        found = []
        for i, asked in enumerate(c):
            answers = self.x[(self.c == asked).flatten(1).all(1)]
            found.append(Exact(answers)(x_t[i : i + 1], t[i : i + 1], asked))
        return torch.cat(found)


def flow(network: nn.Module, shape: tuple[int, ...], num_steps: int = 4, solver: str = "euler") -> Flow:
    return Flow(network, shape, solver, num_steps).eval()
