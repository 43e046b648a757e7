"""SimCLR: its loss against a loop, its views, its encoder, its training."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers.adversarial import advance, check_resuming, learned, task_of
from torch import Tensor

from pipeline.methods import contrastive
from pipeline.networks.network import Spec
from pipeline.networks.simclr import NUM_FEATURES
from pipeline.runtime import randomness

SHAPE = (3, 16, 16)


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# Twelve images that differ in the colours of their four quarters.
X = F.interpolate(normal(12, 3, 2, 2, seed=0).clamp(-1, 1), scale_factor=8)
TASK = task_of("none", X, torch.empty(12, 0))
SMALL = {"width": 4, "learning_rate": 0.003, "weight_decay": 0.0, "temperature": 0.2, "ema_halflife": 100.0}


def start(**changes: Any) -> contrastive.Contrastive:
    schedule = {"batch_size": 12, "num_steps": 150, "log_every": 10, "save_every": 10}
    return contrastive.start(contrastive.Settings(**(SMALL | schedule | changes)), TASK)


# The loss.


def brute_force(points: Tensor, temperature: float) -> tuple[float, float]:
    """Each point's partner is `num` further on, or back."""
    num = len(points) // 2
    rows, losses, hits = points.tolist(), [], []
    for i, point in enumerate(rows):
        similar = {
            j: sum(a * b for a, b in zip(point, other, strict=True)) / temperature
            for j, other in enumerate(rows)
            if j != i
        }
        partner = i + num if i < num else i - num
        losses.append(math.log(sum(map(math.exp, similar.values()))) - similar[partner])
        hits.append(max(similar, key=similar.__getitem__) == partner)
    return sum(losses) / len(losses), sum(hits) / len(hits)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("num", [2, 7])
def test_the_loss_is_that_of_a_loop_over_pairs(num: int, temperature: float) -> None:
    noise = normal(2 * num, 5, seed=1)
    points = F.normalize(torch.cat([noise[:num], noise[:num] + 0.8 * noise[num:]])).double()
    loss, accuracy = contrastive.contrast(points, temperature)
    expected_loss, expected_accuracy = brute_force(points, temperature)
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    assert accuracy.item() == pytest.approx(expected_accuracy)


def test_the_loss_of_two_images_at_right_angles_by_hand() -> None:
    """Partners alike, others at right angles: for each, log(e^2 + 1 + 1) - 2 at temperature 1/2."""
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    loss, accuracy = contrastive.contrast(points, 0.5)
    assert loss.item() == pytest.approx(math.log(math.exp(2) + 2) - 2)
    assert accuracy.item() == 1
    swapped, missed = contrastive.contrast(points[[0, 1, 3, 2]], 0.5)
    assert swapped.item() == pytest.approx(math.log(math.exp(2) + 2))
    assert missed.item() == 0


# The views.


def test_views_are_a_function_of_seed_and_step_alone() -> None:
    x = normal(6, *SHAPE, seed=0)

    def seen(seed: int, step: int) -> Tensor:
        return contrastive.view(x, randomness.generator(seed, "views", step))

    first = seen(0, 3)
    torch.rand(3)
    assert torch.equal(seen(0, 3), first)
    assert not torch.equal(seen(0, 4), first)
    assert not torch.equal(seen(1, 3), first)


def test_the_second_view_differs_from_the_first() -> None:
    x, source = normal(6, *SHAPE, seed=0), torch.Generator().manual_seed(0)
    first, second = contrastive.view(x, source), contrastive.view(x, source)
    assert ((first - second).abs().flatten(1).amax(1) > 0.1).all()


def test_a_view_shows_an_upright_part_of_the_image_at_one_scale() -> None:
    """Of a image that names each pixel's place: a straight piece, of SMALLEST of the side at least."""
    num, size = 400, 32
    place = (torch.arange(size) + 0.5) / size * 2 - 1  # as far as the outermost pixels' centres
    across, down = place.expand(size, size), place[:, None].expand(size, size)
    x = torch.stack([across, down, torch.zeros(size, size)]).expand(num, 3, size, size)
    seen = contrastive.view(x, torch.Generator().manual_seed(0))
    seen = seen[seen[:, 2, 0, 0] == 0]  # those in colour
    inner = slice(1, -1)  # at the rim, views reach half a pixel beyond the outermost centres
    right = seen[:, 0, :, inner].diff(dim=2) / (2 / size)
    downwards = seen[:, 1, inner].diff(dim=1) / (2 / size)
    scale = downwards[:, 0, 0]
    torch.testing.assert_close(downwards, scale.view(-1, 1, 1).expand_as(downwards), rtol=0, atol=1e-4)
    torch.testing.assert_close(right, right[:, :1, :1].expand_as(right), rtol=0, atol=1e-4)
    torch.testing.assert_close(right[:, 0, 0].abs(), scale, rtol=0, atol=1e-4)
    assert scale.min().item() == pytest.approx(contrastive.SMALLEST, abs=0.02)
    assert scale.max().item() == pytest.approx(1.0, abs=0.02)
    mirrored = (right[:, 0, 0] < 0).double().mean().item()
    assert mirrored == pytest.approx(0.5, abs=0.1)
    middle = seen[:, :2].mean((2, 3))  # of the part that is shown
    assert (middle.abs() <= 1 - scale[:, None] + 1e-2).all()
    for i in range(2):
        share = middle[:, i] / (1 - scale)
        assert [share.quantile(q).item() for q in (0.25, 0.5, 0.75)] == pytest.approx(
            [-0.5, 0, 0.5], abs=0.15
        )


def test_the_stated_share_of_the_views_is_grey() -> None:
    num, share = 2000, contrastive.GREY_SHARE
    x = normal(1, 3, 4, 4, seed=0).expand(num, 3, 4, 4)
    seen = contrastive.view(x, torch.Generator().manual_seed(1))
    grey = (seen == seen[:, :1]).flatten(1).all(1)
    four_deviations = 4 * math.sqrt(share * (1 - share) / num)
    assert grey.double().mean().item() == pytest.approx(share, abs=four_deviations)
    means = seen.mean(1)
    again = contrastive.view(x.mean(1, keepdim=True), torch.Generator().manual_seed(1))
    torch.testing.assert_close(means, again[:, 0], rtol=0, atol=1e-5)


def test_a_image_of_one_colour_looks_the_same_from_everywhere() -> None:
    x = torch.tensor([-1.0, 0.25, 0.5]).view(1, 3, 1, 1).expand(500, 3, 8, 8)
    seen = contrastive.view(x, torch.Generator().manual_seed(0))
    colours = {tuple(round(value, 4) for value in colour) for colour in seen[:, :, 3, 5].tolist()}
    assert colours == {(-1.0, 0.25, 0.5), (-0.0833, -0.0833, -0.0833)}
    torch.testing.assert_close(seen, seen[:, :, :1, :1].expand_as(seen))


# The encoder.


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 32, 24), (5, 64, 64)])
def test_the_encoders_points_lie_on_the_unit_sphere_and_its_features_are_not_negative(
    shape: tuple[int, int, int],
) -> None:
    torch.manual_seed(0)
    encoder = Spec(method="contrastive", network="simclr", width=3, image_shape=list(shape)).build()
    x = normal(4, *shape, seed=0)
    f, points = encoder.features(x), encoder(x)
    assert f.shape == (4, NUM_FEATURES)
    assert (f >= 0).all()
    assert (f == 0).any()
    assert points.norm(dim=1).tolist() == pytest.approx([1] * 4, abs=1e-5)
    torch.testing.assert_close(points, F.normalize(encoder.project(f)))
    torch.testing.assert_close(encoder(x)[:1], encoder(x[:1]), rtol=1e-4, atol=1e-5)
    assert list(encoder.buffers()) == []


def test_an_encoder_is_built_as_its_spec_says() -> None:
    built = Spec(method="contrastive", network="simclr", width=2, image_shape=[3, 32, 16]).build()
    sizes = [parameter.numel() for parameter in built.parameters()]
    convolutions = [54, 2, 64, 2, 72, 4, 256, 4, 288, 8, 1024, 8]
    assert sizes == [*convolutions, 8 * 4 * 2 * 64, 64, 64 * 64, 64]


# Its training.


def test_a_step_reports_the_loss_of_two_views_of_its_batch_before_it() -> None:
    training = start(batch_size=5)
    advance(training, TASK.train, 7)
    x, source = X[randomness.batch_indices(12, 5, 0, 7)], randomness.generator(0, "views", 7)
    with torch.no_grad():
        points = torch.cat([training.network(contrastive.view(x, source)) for _ in range(2)])
    expected_loss, expected_accuracy = brute_force(points, 0.2)
    before = learned(training.network)
    logged = training.step(TASK.train)
    assert logged["loss"].item() == pytest.approx(expected_loss, rel=1e-4)
    assert logged["accuracy"].item() == pytest.approx(expected_accuracy, abs=0.11)  # one of ten may be a tie
    assert not any(value.requires_grad for value in logged.values())
    after = learned(training.network)
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_it_learns_to_find_a_views_partner() -> None:
    training, logged, chance = start(), [], 1 / 23
    for _ in range(150):
        logged.append(training.step(TASK.train))
        training.steps_done += 1
    losses, accuracies = ([step[name].item() for step in logged] for name in ("loss", "accuracy"))
    assert sum(losses[-10:]) / 10 < 0.6 * math.log(23)
    assert sum(accuracies[-10:]) / 10 > 10 * chance
    assert share_found(training.ema) > 10 * chance


@torch.no_grad()
def share_found(encoder: torch.nn.Module) -> float:
    """How often a view's partner is nearest, of views that were not trained on."""
    source, found = torch.Generator().manual_seed(99), []
    for _ in range(10):
        points = encoder(torch.cat([contrastive.view(X, source), contrastive.view(X, source)]))
        found.append(contrastive.contrast(points, 0.2)[1].item())
    return sum(found) / len(found)


def test_the_start_depends_on_the_seed_alone() -> None:
    first, other = start(seed=0), start(seed=1)
    torch.rand(3)
    again = start(seed=0)
    for before, after in ((first.network, again.network), (first.network, first.ema)):
        assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
    assert not torch.equal(first.network.linear.weight, other.network.linear.weight)


def test_its_size_by_hand() -> None:
    training = start(width=2)
    multiplications = 54 * 16**2 + 64 * 8**2 + 72 * 8**2 + 256 * 4**2 + 288 * 4**2 + 1024 * 2**2
    multiplications += 8 * 2 * 2 * 64 + 64 * 64
    parameters = sum(parameter.numel() for parameter in training.network.parameters())
    assert training.sizes() == {"parameters": parameters, "flops": 2 * multiplications}


def test_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    check_resuming(lambda: start(weight_decay=0.01), TASK.train, tmp_path)
