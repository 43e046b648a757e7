"""Hidden classes: k-means finds what is obvious, class by class."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.tasks import clusters
from pipeline.tasks.examples import InMemory

GREYS = torch.tensor([40, 200])


def blobs(num: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Small images of one of two greys, a little noisy, 1 : 2 in number, and which grey each is."""
    source = torch.Generator().manual_seed(seed)
    which = torch.tensor([0, 1, 1])[torch.randint(3, (num,), generator=source)]
    noise = torch.randint(-9, 10, (num, 1, 2, 2), generator=source)
    return (GREYS[which].view(-1, 1, 1, 1) + noise) / 127.5 - 1, which


def partition(labels: Tensor) -> Tensor:
    """Which pairs are in the same group, (N, N): what a grouping says, whatever its groups are called."""
    return labels[:, None] == labels[None]


@pytest.mark.parametrize("seed", range(5))
def test_k_means_finds_obvious_groups_from_any_seed(seed: int) -> None:
    x, which = blobs(300, seed)
    groups = clusters.split(InMemory(x, torch.empty(300, 0)), 1, 2, seed)
    assert torch.equal(partition(groups.numbers), partition(which))
    assert torch.equal((groups.shares[0] * 300).round().long(), torch.bincount(groups.numbers))


def test_centres_are_the_means_of_their_points_from_the_first_ones_on() -> None:
    x = torch.tensor([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0], [10.0, 4.0]])
    assert clusters.centres(x, 2).tolist() == [[5, 0], [5, 3]]  # of points one above the other
    assert clusters.centres(x[[0, 2, 1, 3]], 2).tolist() == [[0, 1], [10, 2]]
    assert clusters.assign(x, torch.tensor([[9.0, 1.0], [1.0, 1.0]])).tolist() == [1, 1, 0, 0]


def test_a_cluster_without_points_keeps_its_place() -> None:
    x = torch.tensor([[1.0], [1.0], [5.0]])
    found = clusters.centres(x, 5)
    assert found.isfinite().all()
    assert set(found[:, 0].tolist()) == {1.0, 5.0}
    assert clusters.assign(torch.tensor([[0.0], [6.0]]), found).unique().numel() == 2


def test_classes_are_split_one_by_one_and_their_shares_sum_to_one() -> None:
    x, which = blobs(600)
    classes = torch.arange(600) % 10
    found = clusters.split(InMemory(x, F.one_hot(classes, 10).float()), 10, 2, seed=0)
    groups, shares = found.numbers, found.shares
    assert torch.equal(groups // 2, classes)
    assert shares.sum(1).tolist() == pytest.approx([1.0] * 10)
    for k in range(10):
        members = classes == k
        assert torch.equal(partition(groups[members]), partition(which[members]))
        counts = torch.bincount(groups[members] - 2 * k, minlength=2)
        assert shares[k].tolist() == pytest.approx((counts / 60).tolist())


def test_clusters_are_the_same_however_many_images_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = blobs(300)
    examples = InMemory(x, F.one_hot(torch.arange(300) % 3, 3).float())
    whole = clusters.split(examples, 3, 2, seed=0)
    monkeypatch.setattr(clusters, "CHUNK", 7)
    parts = clusters.split(examples, 3, 2, seed=0)
    assert torch.equal(parts.numbers, whole.numbers)
    assert torch.equal(parts.shares, whole.shares)


def test_groups_stand_beside_the_conditions_of_their_examples_as_a_one_hot_code() -> None:
    groups = clusters.Groups(torch.tensor([0, 3, 2, 1]), torch.full((2, 2), 0.5))
    c = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert groups.beside(c, torch.tensor([1, 3])).tolist() == [[0, 1, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0]]
    assert groups.beside(c[:, :0], torch.tensor([2, 0])).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_the_same_seed_makes_the_same_clusters() -> None:
    x = torch.rand(200, 1, 4, 4, generator=torch.Generator().manual_seed(3)) * 2 - 1  # without any structure
    groups = []
    for seed in (0, 0, 1):
        groups.append(clusters.split(InMemory(x, torch.empty(200, 0)), 1, 5, seed).numbers)
        torch.rand(3)
    assert torch.equal(groups[0], groups[1])
    assert not torch.equal(groups[0], groups[2])
