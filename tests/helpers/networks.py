"""Small networks of every kind, conditions to ask them by, and images to judge."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.networks.network import DiscriminatorSpec, Spec, available, load, num_inputs

N, Z, K, WIDTH = 5, 4, 3, 8  # K: classes, or channels of an image that is a condition
NUM_WORDS, LENGTH = 9, 6
SHAPE = (3, 16, 32)  # neither square nor grey, so that axes cannot be swapped unseen

GENERATORS = [name for name in available() if not load(name).denoises]
CLASS_NETWORKS = [name for name in GENERATORS if "class" in load(name).conditions]
IMAGE_NETWORKS = ["unet", "caption"]
NETWORKS = CLASS_NETWORKS + IMAGE_NETWORKS
each_network = pytest.mark.parametrize("network", NETWORKS)
each_class_network = pytest.mark.parametrize("network", CLASS_NETWORKS)
each_image_network = pytest.mark.parametrize("network", IMAGE_NETWORKS)


def num_conditions_of(network: str) -> int:
    """K of the conditions that `conditions` makes."""
    return NUM_WORDS if network == "caption" else K


def conditions(network: str, num: int = N, shape: tuple[int, ...] = SHAPE) -> Tensor:
    """Images, rows of word numbers from two to five words long, or of numbers as classes have them."""
    if network == "caption":
        words = torch.randint(1, NUM_WORDS, (num, LENGTH))
        return words * (torch.arange(LENGTH) < 2 + torch.arange(num)[:, None] % 4)
    return torch.rand(num, K, *shape[1:]) * 2 - 1 if network == "unet" else torch.randn(num, K)


def other_conditions(network: str, c: Tensor) -> Tensor:
    """Conditions that all differ from these."""
    return (c + 1) % NUM_WORDS if network == "caption" else c + 1


def images(num: int = N, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.rand(num, *shape) * 2 - 1


def latents(generator: nn.Module, num: int = N) -> Tensor:
    return torch.randn(num, num_inputs(generator))


def untrained(
    network: str,
    num_latents: int = Z,
    num_conditions: int | None = None,
    width: int = WIDTH,
    shape: tuple[int, ...] = SHAPE,
    **changes: Any,
) -> Any:
    """A generator as its training starts."""
    return Spec(
        method="adversarial",
        network=network,
        width=width,
        image_shape=list(shape),
        num_latents=num_latents,
        num_conditions=num_conditions_of(network) if num_conditions is None else num_conditions,
        **changes,
    ).build()


def generator_of(network: str, num_latents: int = Z, **changes: Any) -> Any:
    """In evaluation mode, with statistics of batches it has seen, and nothing left at zero."""
    generator = untrained(network, num_latents, **changes)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        for _ in range(20):
            generator(latents(generator, 8), conditions(network, 8))
    return generator.eval()


def untrained_discriminator(
    network: str,
    num_conditions: int | None = None,
    width: int = WIDTH,
    shape: tuple[int, ...] = SHAPE,
    **changes: Any,
) -> Any:
    """A discriminator as its training starts."""
    num_conditions = num_conditions_of(network) if num_conditions is None else num_conditions
    build = load(network).discriminator
    assert build is not None
    return build(DiscriminatorSpec(width, shape, num_conditions, **changes))


def discriminator_of(network: str, num_conditions: int | None = None, **changes: Any) -> Any:
    """One whose weights are large enough that everything shows in its logits, in evaluation mode."""
    discriminator = untrained_discriminator(network, num_conditions, **changes)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.normal_(0, 0.2)
    return discriminator.eval()
