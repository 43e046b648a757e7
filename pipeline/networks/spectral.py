"""Spectral normalisation: every layer's weight is divided by its largest singular value, so that D's gradient
is bounded (Miyato et al. 2018, arXiv:1802.05957).

The singular value is followed by power iteration, one round whenever D is trained; in between, and above all
while the generator is trained, the estimate stays as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.utils import parametrizations, parametrize


def normalise(network: nn.Module) -> None:
    """Put every convolution and linear layer of the network under spectral normalisation, at rest."""
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            parametrizations.spectral_norm(module)
    _iterate(network, False)


@contextmanager
def iterating(network: nn.Module) -> Iterator[None]:
    """Within: one round of power iteration, and then the same normalised weights at each use."""
    _iterate(network, True)
    try:
        with parametrize.cached():
            yield
    finally:
        _iterate(network, False)


def _iterate(network: nn.Module, on: bool) -> None:
    for module in network.modules():
        if isinstance(module, parametrize.ParametrizationList):
            module.train(on)
