"""What the classifier predicts for samples."""

import torch
from torch import Tensor

from pipeline.data.arrays import release

CHUNK = 1000  # images that are summed at once


def accuracy(predicted: Tensor, asked: Tensor) -> float:
    """The share of images predicted to be of the class asked for."""
    return (predicted == asked).double().mean().item()


def accuracy_by_class(predicted: Tensor, asked: Tensor, num_classes: int) -> list[float]:
    """The same for each class; NaN for one that was not asked for."""
    return [accuracy(predicted[asked == k], asked[asked == k]) for k in range(num_classes)]


def groups(labels: Tensor, size: int, most: int) -> Tensor:
    """Images of one class, `size` together, (T, size) numbers; each is in one group at most, and each class
    has so many groups at most.
    """
    of_class = [(labels == k).nonzero()[:, 0] for k in labels.unique()]
    return torch.cat([found[: len(found) // size * size].view(-1, size)[:most] for found in of_class])


def histogram_divergence(predicted: Tensor, real_labels: Tensor) -> float:
    """KL divergence, in nats, from the real classes' frequencies to those predicted for samples; 0: the same.

    sum p log(p / q) with p of the drawn and q of the real, as published for Stacked MNIST (arXiv:1611.02163).
    """
    labels = predicted, real_labels
    num_classes = 1 + max(int(each.max()) for each in labels)
    p, q = (torch.bincount(each, minlength=num_classes).double() / len(each) for each in labels)
    seen = p > 0
    return (p[seen] * (p[seen] / q[seen]).log()).sum().item()


def diversity(drawn: Tensor, drawn_labels: Tensor, real: Tensor, real_labels: Tensor) -> float:
    """How far the drawn images of one class spread, over how far the real ones do; 0: collapsed.

    The spread of a class is the root mean squared distance of its features (N, D) from their mean; the ratio
    is averaged over classes.
    """
    present = [k for k in real_labels.unique() if (drawn_labels == k).any()]
    ratios = [spread(drawn[drawn_labels == k]) / spread(real[real_labels == k]) for k in present]
    return torch.stack(ratios).mean().item()


def spread(features: Tensor) -> Tensor:
    features = features.double()
    return (features - features.mean(0)).square().sum(1).mean().sqrt()


def means(pixels: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """E[x | c] by pixel, squared error's optimum, (K, C, H, W) float64 in [0, 1]; NaN for absent classes."""
    return torch.stack([mean(pixels, (labels == k).nonzero()[:, 0]) / 255 for k in range(num_classes)])


def mean(pixels: Tensor, chosen: Tensor) -> Tensor:
    """Of those chosen, (C, H, W) float64."""
    total = pixels.new_zeros(pixels.shape[1:], dtype=torch.float64)
    for part in chosen.split(CHUNK):
        total += pixels[part].double().sum(0)
        release()
    return total / len(chosen)


def mean_error(drawn: Tensor, real: Tensor) -> float:
    """Mean squared difference, over pixels and the classes both have, of class means (K, C, H, W)."""
    return (drawn - real).square().nanmean().item()
