"""Hidden classes: training images grouped by k-means on their pixels, so that adversarial training can go
group by group.

A generator conditioned on the group, and a discriminator that sees it too, need not find out by themselves
that the data has many modes, and cannot drop one (Liu et al. 2020, arXiv:2006.10728, who group by D's
features; Lucic et al. 2019, arXiv:1903.02271). Afterwards the generator picks a group by itself.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import to_uint8
from pipeline.runtime import randomness
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

NUM_ROUNDS = 20
NUM_FITTED = 10_000  # images from which centres are found; all are then assigned to them
CHUNK = 2000  # images taken at once
CENTRES = "clusters"  # purpose of random numbers


@dataclass(frozen=True)
class Groups:
    numbers: Tensor  # (N,) the group of each example: class * M + cluster
    shares: Tensor  # (classes, M): how often each is in its class

    def beside(self, c: Tensor, chosen: Tensor) -> Tensor:
        """Conditions (n, K) of the chosen examples (n,), their groups beside them, (n, K + classes M)."""
        groups = F.one_hot(self.numbers[chosen], self.shares.numel()).float()
        return torch.cat([c, groups.to(c.device)], 1)


def of_task(task: Task, num_clusters: int, seed: int) -> Groups | None:
    """So many groups in each class of a task; None if there are to be none."""
    return split(task.train, max(task.num_conditions, 1), num_clusters, seed) if num_clusters else None


def split(examples: Examples, num_classes: int, num_clusters: int, seed: int) -> Groups:
    """The groups of these examples.

    Conditions are one-hot classes, or of width 0 with one class; classes are split one by one. The seed is
    that of the first centres.
    """
    numbers = torch.arange(len(examples))
    conditions = [examples.batch(some)[1] for some in numbers.split(CHUNK)]
    classes = torch.cat([c.argmax(1) if c.shape[1] else torch.zeros(len(c)).long() for c in conditions])
    groups = torch.empty_like(classes)
    for k in range(num_classes):
        members = (classes == k).nonzero()[:, 0]
        fitted = members[randomness.permutation(len(members), seed, CENTRES)[:NUM_FITTED]]
        found = centres(pixels(examples, fitted), num_clusters)
        for some in members.split(CHUNK):
            groups[some] = k * num_clusters + assign(pixels(examples, some), found)
    counts = torch.bincount(groups, minlength=num_classes * num_clusters).view(num_classes, num_clusters)
    return Groups(groups, counts / counts.sum(1, keepdim=True).clamp(min=1))


def pixels(examples: Examples, chosen: Tensor) -> Tensor:
    """Of the examples chosen (n,), in [0, 1], (n, D)."""
    parts = [to_uint8(examples.batch(some)[0]).flatten(1) for some in chosen.split(CHUNK)]
    return torch.cat(parts).float() / 255


def centres(x: Tensor, num_clusters: int) -> Tensor:
    """The centres of M clusters, (M, D), by Lloyd's rounds from the first M points of `x`, (N, D).

    A cluster that loses all its points keeps its place.
    """
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
