"""How many modes do drawn images reach? The count of Stacked MNIST.

An image there is three digits, one in each colour channel, and its mode one of 1000: the number they spell.
Metz et al. 2017, arXiv:1611.02163, in the protocol of Lin et al. 2018 (PacGAN), arXiv:1712.04086: of 26,000
drawn images, the modes that occur, and the KL divergence of their frequencies from uniform. Even a perfect
generator's 26,000 draws are not uniform: it misses no mode (the chance is 1000 e^-26) but has a divergence
near 999 / 52,000 = 0.019 nats.
"""

from collections.abc import Callable

from torch import Tensor

from pipeline.metrics.entries import Entries, entries
from pipeline.metrics.features import FeatureExtractor


def measure(pixels: Tensor, extractor: FeatureExtractor, num_modes: int) -> Entries:
    """Both figures of drawn images (N, C, H, W) uint8, of whose channels each is a digit."""
    counts = mode_counts(predicted(pixels, extractor.classes))
    found = {"modes": float(len(counts)), "kl": divergence_from_uniform(counts, num_modes)}
    return entries(found, len(pixels), 0)


def predicted(pixels: Tensor, classes: Callable[[Tensor], Tensor]) -> Tensor:
    """The digit in each channel, (N, C); `classes` are the predicted ones, (N,), of images (N, 1, H, W)."""
    return classes(pixels.flatten(0, 1).unsqueeze(1)).view(len(pixels), -1)


def mode_counts(digits: Tensor) -> Tensor:
    """How often each mode occurs among predicted digits (N, C), without those that do not."""
    return digits.unique(dim=0, return_counts=True)[1]


def divergence_from_uniform(counts: Tensor, num_modes: int) -> float:
    """KL(p || uniform) in nats, p the frequencies of modes; 0 at best, log num_modes for one mode alone."""
    p = counts[counts > 0].double() / counts.sum()
    return (p * (p * num_modes).log()).sum().item()
