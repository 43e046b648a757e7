"""What the classifier predicts for samples."""

import torch
from torch import Tensor

from pipeline.data.images import NUM_CLASSES


def accuracy(predicted: Tensor, asked: Tensor) -> float:
    """The share of images predicted to be of the class asked for."""
    return (predicted == asked).double().mean().item()


def accuracy_by_class(predicted: Tensor, asked: Tensor) -> list[float]:
    """The same for each class."""
    return [accuracy(predicted[asked == k], asked[asked == k]) for k in range(NUM_CLASSES)]


def histogram_divergence(predicted: Tensor, real_labels: Tensor) -> float:
    """KL divergence, in nats, from the real classes' frequencies to those predicted for the samples; 0 is
    best.

    sum p log(p / q) with p of the drawn and q of the real, as published for Stacked MNIST (arXiv:1611.02163).
    """
    p, q = frequencies(predicted), frequencies(real_labels)
    seen = p > 0
    return (p[seen] * (p[seen] / q[seen]).log()).sum().item()


def frequencies(labels: Tensor) -> Tensor:
    return torch.bincount(labels, minlength=NUM_CLASSES).double() / len(labels)


def diversity(drawn: Tensor, drawn_labels: Tensor, real: Tensor, real_labels: Tensor) -> float:
    """How far the drawn images of one class spread, over how far the real ones do; 1: as diverse, 0:
    collapsed.

    The spread of a class is the root mean squared distance of its features (N, D) from their mean; the ratio
    is averaged over classes.
    """
    present = [k for k in range(NUM_CLASSES) if (drawn_labels == k).any() and (real_labels == k).any()]
    ratios = [spread(drawn[drawn_labels == k]) / spread(real[real_labels == k]) for k in present]
    return torch.stack(ratios).mean().item()


def spread(features: Tensor) -> Tensor:
    features = features.double()
    return (features - features.mean(0)).square().sum(1).mean().sqrt()


def means(pixels: Tensor, labels: Tensor) -> Tensor:
    """The pixelwise mean of each class, (10, C, H, W) float64, pixels in [0, 1]: E[x | c], the optimum of
    squared error.
    """
    none = torch.full(pixels.shape[1:], torch.nan, dtype=torch.float64)
    return torch.stack(
        [
            pixels[labels == k].double().mean(0) / 255 if (labels == k).any() else none
            for k in range(NUM_CLASSES)
        ]
    )


def mean_error(drawn: Tensor, real: Tensor) -> float:
    """Mean squared difference, over pixels and the classes both have, of two sets of class means (10, C, H,
    W).
    """
    return (drawn - real).square().nanmean().item()
