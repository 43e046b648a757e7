"""Networks whose condition is an image or a caption, small ones, and conditions for them."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.networks import caption, unet

torch.set_num_threads(1)

N, Z, K, WIDTH = 5, 4, 3, 8  # K: channels of an image that is a condition
NUM_WORDS, LENGTH = 9, 6
SHAPE = (3, 16, 32)  # neither square nor grey, so that axes cannot be swapped unseen

each_network = pytest.mark.parametrize("network", [unet, caption], ids=["unet", "caption"])
each_size = pytest.mark.parametrize("size", [16, 32, 64])


def num_conditions_of(network: ModuleType) -> int:
    """K of the conditions that `conditions` makes."""
    return NUM_WORDS if network is caption else K


def conditions(network: ModuleType, num: int = N, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """Images, or rows of word numbers from two to five words long."""
    if network is caption:
        words = torch.randint(1, NUM_WORDS, (num, LENGTH))
        return words * (torch.arange(LENGTH) < 2 + torch.arange(num)[:, None] % 4)
    return torch.rand(num, K, *shape[1:]) * 2 - 1


def images(num: int = N, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    return torch.rand(num, *shape) * 2 - 1


def generator_of(network: Any, num_latents: int = Z, **changes: Any) -> nn.Module:
    """In evaluation mode, with statistics of batches it has seen."""
    generator: nn.Module = network.Generator(num_latents, num_conditions_of(network), WIDTH, SHAPE, **changes)
    with torch.no_grad():
        for _ in range(20):
            generator(torch.randn(8, num_latents), conditions(network, 8))
    return generator.eval()


def discriminator_of(
    network: Any, num_conditions: int | None = None, shape: tuple[int, int, int] = SHAPE, **changes: Any
) -> nn.Module:
    """A discriminator whose weights are large enough that everything shows in its logits."""
    num_conditions = num_conditions_of(network) if num_conditions is None else num_conditions
    discriminator: nn.Module = network.Discriminator(num_conditions, WIDTH, shape, **changes)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.normal_(0, 0.2)
    return discriminator
