"""Networks of points in the plane, several of one kind side by side, after the toy experiment of Metz et al.
2017 (arXiv:1611.02163).

The S members of such a network share nothing: each has its own weights, entries of tensors with a leading
axis (S, ...), and its own rows of what goes in and out. Rows come in turns, a turn being a few rows of the
first member, as many of the second and so on, so that whole turns can be put behind one another. A loss that
is a mean over all rows gives each member 1 / S of the gradient it would have alone; Adam takes no notice.
"""

import torch
from torch import Tensor, nn

from pipeline.networks.layers import SLOPE, MinibatchStddev
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec

SCALE = 4.0  # coordinates are so many times as large outside of the networks, where they reach about 4
NUM_HIDDEN = 3  # layers


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


class Generator(Sampler):
    """Three hidden layers of `width` ReLUs for each member; what comes out is not bounded."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.num_members, self.turn = spec.num_members, spec.turn
        self.layers = hidden(spec.num_members, spec.num_latents, spec.width, nn.ReLU())
        self.head = Layer(spec.num_members, spec.width, 2)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """(S * N, Z) -> points, (S * N, 2); a condition has no effect."""
        h = self.layers(by_member(z, self.num_members, self.turn))
        return SCALE * in_turns(self.head(h), self.turn)


class Discriminator(nn.Module):
    """Three hidden layers of `width` leaky ReLUs for each member; points judged together lie on one row."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.num_members, self.packing = spec.num_members, spec.image_shape[0] // 2
        self.layers = hidden(spec.num_members, spec.image_shape[0], spec.width, nn.LeakyReLU(SLOPE))
        self.spread = MinibatchStddev() if spec.minibatch_stddev else None
        self.head = Layer(spec.num_members, spec.width + spec.minibatch_stddev, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(S * N, 2 * packing) -> logits, (S * N,); a condition has no effect."""
        h = self.layers(by_member(x / SCALE, self.num_members, 1))
        if self.spread is not None:
            h = torch.stack([self.spread(rows) for rows in h])
        return in_turns(self.head(h), 1).squeeze(1)


def by_member(rows: Tensor, num_members: int, turn: int) -> Tensor:
    """Rows in turns, (S * N, F) -> (S, N, F)."""
    return rows.unflatten(0, (-1, num_members, turn)).transpose(0, 1).flatten(1, 2)


def in_turns(h: Tensor, turn: int) -> Tensor:
    """The way back, (S, N, F) -> (S * N, F)."""
    return h.unflatten(1, (-1, turn)).transpose(0, 1).flatten(0, 2)


NETWORK = Network(("points",), Generator, Discriminator)
