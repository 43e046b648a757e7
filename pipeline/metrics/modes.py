"""How many modes do drawn images reach? The count of Stacked MNIST.

An image there is three digits, one in each colour channel, and its mode one of 1000: the number they spell.
Metz et al. 2017, arXiv:1611.02163, in the protocol of Lin et al. 2018 (PacGAN), arXiv:1712.04086: of 26,000
drawn images, the modes that occur, and the KL divergence of their frequencies from uniform. Even a perfect
generator's 26,000 draws are not uniform: it misses no mode (the chance is 1000 e^-26) but has a divergence
near 999 / 52,000 = 0.019 nats.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.metrics.entries import Entries, entries
from pipeline.metrics.features import FeatureExtractor
from pipeline.tasks.stacked import NUM_CHANNELS, NUM_MODES, numbers


def predicted(pixels: Tensor, classes: Callable[[Tensor], Tensor]) -> Tensor:
    """The digit in each channel, (N, 3), of images (N, 3, H, W) uint8.

    Args:
        pixels: the images.
        classes: of grey images (N, 1, H, W) uint8, the predicted ones (N,).
    """
    return classes(pixels.flatten(0, 1).unsqueeze(1)).view(-1, NUM_CHANNELS)


def count(digits: Tensor) -> int:
    """How many of the 1000 modes occur among predicted digits (N, 3)."""
    return len(numbers(digits).unique())


def divergence_from_uniform(digits: Tensor) -> float:
    """KL(p || uniform) in nats, p the modes' frequencies among predicted digits (N, 3); 0 at best, log 1000 =
    6.9 for one mode.
    """
    p = torch.bincount(numbers(digits), minlength=NUM_MODES).double() / len(digits)
    p = p[p > 0]
    return (p * (p * NUM_MODES).log()).sum().item()


def measure(pixels: Tensor, extractor: FeatureExtractor) -> Entries:
    """Both figures of drawn images (N, 3, H, W) uint8."""
    digits = predicted(pixels, extractor.classes)
    found = {"modes": float(count(digits)), "kl": divergence_from_uniform(digits)}
    return entries(found, len(pixels), 0)
