"""Hidden classes: k-means finds what is obvious, and a mixture draws its groups as often as they occur."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pipeline.data.digits import Pictures
from pipeline.networks import num_inputs
from pipeline.networks.mixture import Mixture
from pipeline.sampling import weights
from pipeline.sampling.draw import GeneratorSpec
from pipeline.tasks import clusters
from pipeline.tasks.conditions import TASKS, UNCONDITIONAL

torch.set_num_threads(1)

DIGIT = TASKS["digit"]
GREYS = torch.tensor([40, 200])


def blobs(num: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Small pictures of one of two greys, a little noisy, 1 : 2 in number, and which grey each is."""
    source = torch.Generator().manual_seed(seed)
    which = torch.tensor([0, 1, 1])[torch.randint(3, (num,), generator=source)]
    noise = torch.randint(-9, 10, (num, 1, 2, 2), generator=source)
    return (GREYS[which].view(-1, 1, 1, 1) + noise).byte(), which


def partition(labels: Tensor) -> Tensor:
    """Which pairs are in the same group, (N, N): what a grouping says, whatever its groups are called."""
    return labels[:, None] == labels[None]


@pytest.mark.parametrize("seed", range(5))
def test_k_means_finds_obvious_groups_from_any_seed(seed: int) -> None:
    pixels, which = blobs(300, seed)
    pictures = Pictures(pixels, torch.arange(300) % 10)
    found, condition = clusters.split(pictures, UNCONDITIONAL, 2, seed)
    assert torch.equal(partition(found.labels), partition(which))
    assert condition.shares is not None
    counts = torch.bincount(which)
    assert sorted((condition.shares[0] * 300).round().int().tolist()) == sorted(counts.tolist())


def test_centres_are_the_means_of_their_points_and_the_first_come_from_the_seed() -> None:
    x = torch.tensor([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0], [10.0, 4.0]])
    found = clusters.centres(x, 2, seed=1)
    assert sorted(found.tolist()) in ([[0, 1], [10, 2]], [[5, 0], [5, 3]])  # both are fixed points
    assert torch.equal(found, clusters.centres(x, 2, seed=1))
    assert clusters.assign(x, torch.tensor([[9.0, 1.0], [1.0, 1.0]])).tolist() == [1, 1, 0, 0]


def test_a_cluster_without_points_keeps_its_place() -> None:
    x = torch.tensor([[1.0], [1.0], [5.0]])
    found = clusters.centres(x, 5, seed=0)
    assert found.isfinite().all()
    assert set(found[:, 0].tolist()) == {1.0, 5.0}
    assert clusters.assign(torch.tensor([[0.0], [6.0]]), found).unique().numel() == 2


def test_classes_are_split_one_by_one_where_the_model_is_told_classes() -> None:
    pixels, which = blobs(600)
    classes = torch.arange(600) % 10
    found, condition = clusters.split(Pictures(pixels, classes), DIGIT, 2, seed=0)
    assert torch.equal(found.labels // 2, classes)
    assert condition.shares is not None
    assert condition.shares.shape == (10, 2)
    assert condition.shares.sum(1).tolist() == pytest.approx([1.0] * 10)
    for k in range(10):
        members = classes == k
        assert torch.equal(partition(found.labels[members]), partition(which[members]))
        shares = torch.bincount(found.labels[members] - 2 * k, minlength=2) / 60
        assert condition.shares[k].tolist() == pytest.approx(shares.tolist())


def test_the_condition_tells_class_and_cluster_as_two_one_hot_codes() -> None:
    pictures = Pictures(blobs(100)[0], torch.arange(100) % 10)
    _, condition = clusters.split(pictures, DIGIT, 4, seed=0)
    assert (condition.task, condition.width) == ("digit", 10 + 40)
    encoded = condition.encode(torch.tensor([0, 23]))  # class 0 and cluster 0; class 5 and cluster 3
    assert [row.nonzero()[:, 0].tolist() for row in encoded] == [[0, 10], [5, 10 + 23]]
    _, alone = clusters.split(pictures, UNCONDITIONAL, 4, seed=0)
    assert (alone.task, alone.width) == ("", 4)
    assert alone.encode(torch.tensor([2])).tolist() == [[0, 0, 1, 0]]


def test_clustered_pictures_are_the_same_pictures_with_other_labels() -> None:
    pictures = Pictures(blobs(60)[0], torch.arange(60) % 10)
    found, _ = clusters.split(pictures, DIGIT, 2, seed=0)
    chosen = torch.tensor([7, 3])
    x, labels = found.batch(chosen)
    assert torch.equal(x, pictures.batch(chosen)[0])
    assert torch.equal(labels, found.labels[chosen])
    assert (len(found), found.shape) == (60, (1, 2, 2))


def test_the_same_seed_makes_the_same_clusters() -> None:
    source = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (200, 1, 4, 4), generator=source).byte()  # without any structure
    pictures = Pictures(pixels, torch.arange(200) % 10)
    labels = []
    for seed in (0, 0, 1):
        labels.append(clusters.split(pictures, UNCONDITIONAL, 5, seed)[0].labels)
        torch.rand(3)
    assert torch.equal(labels[0], labels[1])
    assert not torch.equal(labels[0], labels[2])


class Tell(nn.Module):
    """An image that is the code it was told."""

    num_latents, num_noise = 2, 1

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Tensor] = []

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        self.given.append(z)
        return c


SHARES = torch.tensor([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])


def asked(k: int, num: int = 1) -> Tensor:
    """Class k of two, (num, 2)."""
    return torch.eye(2)[[k] * num]


def test_a_mixture_picks_the_group_in_whose_share_of_the_normal_distribution_its_last_number_lies() -> None:
    mixture = Mixture(Tell(), 2, SHARES)
    # quantiles of 0.2 and 0.7: -0.8416 and 0.5244
    pick = torch.tensor([-9.0, -0.85, -0.84, 0.0, 0.52, 0.53, 9.0])
    z = torch.cat([torch.zeros(7, 3), pick[:, None]], 1)
    groups = mixture(z, asked(0, 7))[:, 2:].argmax(1)
    assert groups.tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert mixture(z, asked(1, 7))[:5, 2:].argmax(1).tolist() == [4] * 5


def test_a_mixture_draws_groups_as_often_as_their_shares_say() -> None:
    z = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(0))
    told = Mixture(Tell(), 2, SHARES)(z, asked(0, 20_000))
    assert torch.equal(told[:, :2], asked(0, 20_000))
    assert torch.equal(told[:, 2:].sum(1), torch.ones(20_000))
    assert told[:, 2:].mean(0).tolist() == pytest.approx([0.2, 0.5, 0.3, 0, 0, 0], abs=0.015)
    alone = Mixture(Tell(), 0, SHARES[:1])(z, torch.empty(20_000, 0))
    assert alone.mean(0).tolist() == pytest.approx([0.2, 0.5, 0.3], abs=0.015)


def test_a_mixture_that_is_told_the_group_uses_it_and_keeps_the_pick_to_itself() -> None:
    inner = Tell()
    mixture = Mixture(inner, 2, SHARES)
    assert (mixture.num_latents, mixture.num_noise, num_inputs(mixture)) == (2, 2, 4)
    z, c = torch.randn(3, 4), torch.eye(8)[[3, 4, 5]]
    assert torch.equal(mixture(z, c), c)
    assert torch.equal(inner.given[0], z[:, :3])


def trained_mixture(task: str, num_conditions: int) -> tuple[Mixture, GeneratorSpec]:
    spec = GeneratorSpec(network="mlp", num_latents=3, task=task, clusters=2, width=4, image_shape=[1, 8, 8])
    built = spec.build()
    assert isinstance(built, Mixture)
    shares = torch.rand(max(num_conditions, 1), 2, generator=torch.Generator().manual_seed(0))
    return Mixture(built.generator, num_conditions, shares / shares.sum(1, keepdim=True)), spec


@pytest.mark.parametrize(("task", "num_conditions"), [("digit", 10), ("", 0)])
def test_a_mixture_is_saved_with_its_shares_and_loaded_through_its_spec(
    task: str, num_conditions: int, tmp_path: Path
) -> None:
    mixture, spec = trained_mixture(task, num_conditions)
    weights.save(tmp_path / "weights", mixture, spec)
    loaded, found = weights.load(tmp_path / "weights", GeneratorSpec)
    assert found == spec
    assert torch.equal(loaded.upper, mixture.upper)
    z, c = torch.randn(50, num_inputs(mixture)), torch.eye(max(num_conditions, 1))[[0] * 50, :num_conditions]
    assert torch.equal(loaded(z, c), mixture.eval()(z, c))


def test_a_mixture_is_a_pure_function_of_its_latents() -> None:
    mixture, _ = trained_mixture("digit", 10)
    z, c = torch.randn(6, num_inputs(mixture)), torch.eye(10)[:6]
    first = mixture.eval()(z, c)
    torch.rand(3)
    assert torch.equal(mixture(z, c), first)
    assert torch.allclose(mixture(z[4:5], c[4:5]), first[4:5], atol=1e-6)
    changed = z.clone()
    changed[:, -1] = -z[:, -1]
    assert not torch.equal(mixture(changed, c), first)  # another group for some
