"""Networks that turn a condition into a picture, small ones, and what they are told."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.networks import caption
from pipeline.networks.translators import TRANSLATORS

torch.set_num_threads(1)

N, Z, K, WIDTH = 5, 4, 3, 8  # K: channels of what is given, or 3 + 6 words
NUM_WORDS, LENGTH = 9, 6
SHAPE = (3, 16, 32)  # neither square nor grey, so that axes cannot be swapped unseen

each_network = pytest.mark.parametrize("network", TRANSLATORS.values(), ids=TRANSLATORS)
each_size = pytest.mark.parametrize("size", [16, 32, 64])


def width_of(network: Any) -> int:
    """K, of the conditions that `told` gives."""
    return NUM_WORDS if network is caption else K


def told(network: Any, num: int = N, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """Conditions: pictures, or rows of word numbers from two to five words long."""
    if network is caption:
        words = torch.randint(1, NUM_WORDS, (num, LENGTH))
        return words * (torch.arange(LENGTH) < 2 + torch.arange(num)[:, None] % 4)
    return torch.rand(num, K, *shape[1:]) * 2 - 1


def pictures(num: int = N, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    return torch.rand(num, *shape) * 2 - 1


def generator_of(network: Any, num_latents: int = Z, **changes: Any) -> nn.Module:
    """In evaluation mode, with statistics of batches it has seen."""
    generator = network.Generator(num_latents, width_of(network), WIDTH, SHAPE, **changes)
    with torch.no_grad():
        for _ in range(20):
            generator(torch.randn(8, num_latents), told(network, 8))
    return generator.eval()


def judging(
    network: Any, num_conditions: int | None = None, shape: tuple[int, int, int] = SHAPE, **changes: Any
) -> nn.Module:
    """A discriminator whose weights are large enough that everything shows in its logits."""
    num_conditions = width_of(network) if num_conditions is None else num_conditions
    discriminator = network.Discriminator(num_conditions, WIDTH, shape, **changes)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.normal_(0, 0.2)
    return discriminator
