"""The one small network that all of this package's players are."""

from torch import nn


def mlp(num_inputs: int, width: int) -> nn.Module:
    """Two hidden layers of `width` smooth units: (N, num_inputs) -> (N, 1)."""
    layers = nn.Linear(num_inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
    return nn.Sequential(*layers, nn.Linear(width, 1))
