"""Networks of points in the plane, several of one kind side by side, after the toy experiment of Metz et al.
2017 (arXiv:1611.02163).

The S members of such a network share nothing: each has its own weights, entries of tensors with a leading
axis (S, ...), and its own rows of what goes in and out. Rows come in turns, a turn being a few rows of the
first member, as many of the second and so on, so that whole turns can be put behind one another. A loss that
is a mean over all rows gives each member 1 / S of the gradient it would have alone; Adam takes no notice.
"""

import torch
from torch import Tensor, nn

from pipeline.networks.layers import append_stddev
from pipeline.networks.network import Spec

SCALE = 4.0  # coordinates are so many times as large outside of the networks, where they reach about 4
SLOPE = 0.2  # of leaky units, where they are below 0
NUM_HIDDEN = 3  # layers

CONDITIONS, BATCH_NORM, TRUNCATES = ("points",), False, False


class Layer(nn.Module):
    """S linear layers, member s for the rows h[s]: h W + b."""

    def __init__(self, num_members: int, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        bound = num_inputs**-0.5  # as torch's own linear layer
        self.weight = nn.Parameter(torch.empty(num_members, num_inputs, num_outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_members, 1, num_outputs).uniform_(-bound, bound))

    def forward(self, h: Tensor) -> Tensor:
        """(S, N, inputs) -> (S, N, outputs)."""
        return torch.baddbmm(self.bias, h, self.weight)


def hidden(num_members: int, num_inputs: int, width: int, unit: nn.Module) -> nn.Sequential:
    """The hidden layers of a network, each followed by the unit."""
    layers: list[nn.Module] = []
    for i in range(NUM_HIDDEN):
        layers += [Layer(num_members, width if i else num_inputs, width), unit]
    return nn.Sequential(*layers)


def build(spec: Spec) -> nn.Module:
    return Generator(spec.num_members, spec.num_latents, spec.width, spec.packing)


class Generator(nn.Module):
    """Three hidden layers of `width` ReLUs for each member; what comes out is not bounded.

    Args:
        num_members: S.
        num_latents: Z.
        width: units of a hidden layer.
        turn: rows of a member that follow one another.
    """

    num_noise = 0

    def __init__(self, num_members: int, num_latents: int, width: int, turn: int) -> None:
        super().__init__()
        self.num_members, self.num_latents, self.turn = num_members, num_latents, turn
        self.layers = hidden(num_members, num_latents, width, nn.ReLU())
        self.head = Layer(num_members, width, 2)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(S * N, Z) -> points, (S * N, 2); a condition has no effect."""
        h = self.layers(by_member(z, self.num_members, self.turn))
        return SCALE * in_turns(self.head(h), self.turn)


class Discriminator(nn.Module):
    """Three hidden layers of `width` leaky ReLUs for each member.

    Args:
        num_members: S.
        width: units of a hidden layer.
        packing: points judged together; they lie on one row.
        minibatch_stddev: whether a member sees how much four of its rows differ.
    """

    def __init__(self, num_members: int, width: int, packing: int, minibatch_stddev: bool) -> None:
        super().__init__()
        self.num_members, self.packing, self.minibatch_stddev = num_members, packing, minibatch_stddev
        self.layers = hidden(num_members, 2 * packing, width, nn.LeakyReLU(SLOPE))
        self.head = Layer(num_members, width + minibatch_stddev, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(S * N, 2 * packing) -> logits, (S * N,); a condition has no effect."""
        h = self.layers(by_member(x / SCALE, self.num_members, 1))
        if self.minibatch_stddev:
            h = torch.stack([append_stddev(rows) for rows in h])
        return in_turns(self.head(h), 1).squeeze(1)


def by_member(rows: Tensor, num_members: int, turn: int) -> Tensor:
    """Rows in turns, (S * N, F) -> (S, N, F)."""
    return rows.unflatten(0, (-1, num_members, turn)).transpose(0, 1).flatten(1, 2)


def in_turns(h: Tensor, turn: int) -> Tensor:
    """The way back, (S, N, F) -> (S * N, F)."""
    return h.unflatten(1, (-1, turn)).transpose(0, 1).flatten(0, 2)
