"""Hidden classes: images grouped by k-means on their pixels, so that a duel can be fought group by group.

A generator that is told the group, and a discriminator that knows it too, need not find out by themselves
that the data has many modes, and cannot drop one (Liu et al. 2020, arXiv:2006.10728, who group by D's
features; Lucic et al. 2019, arXiv:1903.02271). Afterwards the generator picks a group by itself.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.digits import Pictures
from pipeline.runtime import randomness
from pipeline.tasks.conditions import Condition

NUM_ROUNDS = 20
NUM_FITTED = 10_000  # images from which centres are found; all are then assigned to them


@dataclass(frozen=True)
class Clustered:
    """Pictures whose label names the class they are of, if the condition tells classes, and their cluster in
    it.
    """

    pictures: Pictures
    labels: Tensor  # (N,): class * M + cluster

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.pictures.shape

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        x, _ = self.pictures.batch(chosen)
        return x, self.labels[chosen.to(self.labels.device)]

    def to(self, device: torch.device) -> "Clustered":
        return Clustered(self.pictures.to(device), self.labels.to(device))


def split(
    pictures: Pictures, condition: Condition, num_clusters: int, seed: int
) -> tuple[Clustered, Condition]:
    """The pictures with each class split into M clusters, and the condition that tells class and cluster.

    Args:
        pictures: what is trained on.
        condition: what is asked for; classes are split one by one, without any all pictures together.
        num_clusters: M.
        seed: of the first centres.
    """
    classes = pictures.labels if condition.width else torch.zeros_like(pictures.labels)
    num_classes = max(condition.width, 1)
    labels = torch.empty_like(classes)
    for k in range(num_classes):
        members = (classes == k).nonzero()[:, 0]
        x = pictures.pixels[members].flatten(1).float() / 255
        labels[members] = k * num_clusters + assign(x, centres(x, num_clusters, seed))
    counts = torch.bincount(labels, minlength=num_classes * num_clusters).view(num_classes, num_clusters)
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)

    def encode(labels: Tensor) -> Tensor:
        asked = condition.encode(labels // num_clusters)
        return torch.cat([asked, F.one_hot(labels, num_classes * num_clusters).float()], 1)

    width = condition.width + num_classes * num_clusters
    return Clustered(pictures, labels), Condition(condition.task, width, encode, shares)


def centres(x: Tensor, num_clusters: int, seed: int) -> Tensor:
    """The centres of M clusters, (M, D), by Lloyd's rounds from M random points of `x`, (N, D).

    A cluster that loses all its points keeps its place.
    """
    order = randomness.permutation(len(x), seed, "clusters")
    x = x[order[:NUM_FITTED]]
    found = x[torch.arange(num_clusters) % len(x)]
    for _ in range(NUM_ROUNDS):
        nearest = assign(x, found)
        counts = torch.bincount(nearest, minlength=num_clusters)[:, None]
        sums = torch.zeros_like(found).index_add_(0, nearest, x)
        found = torch.where(counts > 0, sums / counts.clamp(min=1), found)
    return found


def assign(x: Tensor, found: Tensor) -> Tensor:
    """The nearest centre of each point, (N,)."""
    return (found.square().sum(1) - 2 * x @ found.T).argmin(1)
