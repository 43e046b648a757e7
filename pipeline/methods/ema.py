"""Moving average of a network's weights, which samples better (Karras et al. 2018, arXiv:1710.10196)."""

import copy

import torch
from torch import nn


def copy_of(network: nn.Module) -> nn.Module:
    """A copy that is never trained, only updated by `update`, and always in evaluation mode."""
    return copy.deepcopy(network).requires_grad_(False).eval()


def ramped(halflife: float, images_seen: int) -> float:
    """The halflife, but at most a tenth of the images seen so far: the untrained start is forgotten soon.

    The idea of the ramp-up in Karras et al. 2020, arXiv:2006.06676.
    """
    return min(halflife, images_seen / 10)


@torch.no_grad()
def update(
    average: nn.Module, network: nn.Module, halflife: float, num_images: int, images_seen: int
) -> None:
    """average <- decay * average + (1 - decay) * network; batch statistics alike, integer buffers copied.

    After `halflife` images old weights count half, see `ramped`; 0: no averaging. `images_seen` came before
    the last `num_images`.
    """
    halflife = ramped(halflife, images_seen)
    weight = 1.0 - (0.5 ** (num_images / halflife) if halflife else 0.0)
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    numbers = [(a, b) for a, b in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in numbers], [b for _, b in numbers], weight)
    for a, b in pairs:
        if not a.is_floating_point():
            a.copy_(b)
