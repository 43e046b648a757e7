"""Images out of generators."""

import math
from collections.abc import Callable

import pytest
import torch
from helpers.synthetic import normal
from torch import Tensor, nn

from pipeline.data.images import to_uint8
from pipeline.networks.layers import for_each
from pipeline.networks.network import Spec
from pipeline.runtime import randomness
from pipeline.sampling import draw as sampling

Way = Callable[[Tensor, Tensor, Tensor], Tensor]

CLASSES = torch.eye(10)
CHOSEN = torch.tensor([3, 1, 7])
C = CLASSES[CHOSEN]


def lively(num_latents: int) -> nn.Module:
    """A generator with weights so large that its images use the whole range of greys."""
    torch.manual_seed(1)
    spec = Spec(method="", network="dcgan", width=4, image_shape=[1, 8, 8], num_latents=num_latents)
    generator = spec.model_copy(update={"num_conditions": 10}).build().eval()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.normal_(0.0, 0.5)
    return generator


class Echo(nn.Module):
    """An image of a row of pixels: latents and noise, then the number of the class, all over 10."""

    def __init__(self, num_noise: int = 0, num_latents: int = 1) -> None:
        super().__init__()
        self.num_noise, self.num_latents = num_noise, num_latents

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        classes = for_each(c, z).argmax(1, keepdim=True)
        return torch.cat([z, classes], 1).div(10)[:, None, None]


def draw(generator: nn.Module, num_draws: int, seed: int = 0) -> Tensor:
    return sampling.draw(generator, CLASSES.__getitem__, CHOSEN, num_draws, seed)


def grey_levels_apart(a: Tensor, b: Tensor) -> int:
    return int((a.int() - b.int()).abs().max())


def test_draws_stand_in_the_row_of_their_condition_each_with_its_own_latent() -> None:
    drawn = draw(Echo(), 4, seed=0)
    z = randomness.normal(12, 1, 0, "sampling latents")
    assert drawn.shape == (3, 4, 1, 1, 2)
    assert drawn.dtype == torch.uint8
    assert torch.equal(drawn[..., 0].flatten(), to_uint8(z / 10).flatten())
    expected = to_uint8(torch.tensor([0.3, 0.1, 0.7]))
    assert torch.equal(drawn[:, :, 0, 0, 1], expected[:, None].expand(3, 4))


@pytest.mark.parametrize("num_latents", [0, 3])
def test_draws_of_one_condition_differ_only_where_there_are_latents(num_latents: int) -> None:
    drawn = draw(lively(num_latents), 4, seed=0)
    assert drawn.shape == (3, 4, 1, 8, 8)
    for row in drawn:
        apart = [grey_levels_apart(row[0], other) for other in row[1:]]
        assert min(apart) > 20 if num_latents else max(apart) == 0
    assert grey_levels_apart(drawn[0, 0], drawn[1, 0]) > 20


def test_images_do_not_depend_on_how_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = lively(3)
    whole = draw(generator, 4, seed=0)
    monkeypatch.setattr(sampling, "BATCH", 5)
    assert grey_levels_apart(draw(generator, 4, seed=0), whole) <= 1
    assert whole.float().std() > 20


def test_conditions_are_made_in_parts_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def conditions(numbers: Tensor) -> Tensor:
        asked.append(numbers.tolist())
        return CLASSES[numbers]

    whole = draw(Echo(), 2)
    monkeypatch.setattr(sampling, "BATCH", 4)
    assert torch.equal(sampling.draw(Echo(), conditions, CHOSEN, 2, seed=0), whole)
    assert asked == [[3, 1], [7]]  # two draws of two


class Shade(nn.Module):
    """The condition, an image, darker by the latent; writes down how many are drawn at once."""

    num_noise, num_latents = 0, 1

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        self.sizes.append(len(z))
        return for_each(c, z) - z.view(-1, 1, 1, 1).abs() / 9


def test_of_large_conditions_fewer_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images, chosen, sampler = torch.rand(7, 3, 4, 4) * 2 - 1, torch.tensor([6, 0, 2, 3, 5]), Shade()
    whole = sampling.draw(sampler, images.__getitem__, chosen, 2, seed=0)
    monkeypatch.setattr(sampling, "PIXELS", 4 * 16)
    assert torch.equal(sampling.draw(sampler, images.__getitem__, chosen, 2, seed=0), whole)
    assert sampler.sizes == [10, 4, 4, 2]


# Ways between latents.


@pytest.mark.parametrize("way", [sampling.lerp, sampling.slerp])
def test_every_way_leads_from_start_to_end(way: Way) -> None:
    start, end = normal(50, 8, 0), normal(50, 8, 1)
    assert torch.allclose(way(start, end, torch.zeros(50, 1)), start, atol=1e-6)
    assert torch.allclose(way(start, end, torch.ones(50, 1)), end, atol=1e-6)


def test_the_straight_way_cuts_through_and_the_arc_keeps_its_distance_from_the_origin() -> None:
    start, end = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    third = torch.tensor([[1 / 3]])
    assert sampling.lerp(start, end, third)[0].tolist() == pytest.approx([4 / 3, 2 / 3])
    assert sampling.slerp(start, end, third)[0].tolist() == pytest.approx([math.sqrt(3), 1.0])  # 30 degrees


@pytest.mark.parametrize("factor", [1.0, 3.0, -1.0])
def test_between_latents_on_one_line_the_arc_is_the_straight_way(factor: float) -> None:
    start, a = normal(6, 5, 0), torch.rand(6, 1, generator=torch.Generator().manual_seed(0))
    straight = sampling.lerp(start, factor * start, a)
    assert torch.allclose(sampling.slerp(start, factor * start, a), straight, atol=1e-5)


def test_a_path_goes_along_an_arc_of_latents_as_long_as_its_ends_and_keeps_its_condition() -> None:
    generator, seen = Echo(num_latents=64), list[Tensor]()
    generator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    paths = sampling.interpolate(generator, C, 5, seed=2)
    z = torch.stack(seen)  # (N, steps, Z)
    ends = torch.stack(randomness.normal(6, 64, 2, "interpolation ends").chunk(2), 1)
    assert torch.allclose(z[:, [0, -1]], ends, atol=1e-5)
    for way, (start, end) in zip(z, ends.norm(dim=2).tolist(), strict=True):
        assert way.norm(dim=1).min() > 0.95 * min(start, end)  # half way straight on it would be 0.7
        assert way.norm(dim=1).max() < 1.05 * max(start, end)
    classes = to_uint8(torch.tensor([0.3, 0.1, 0.7]))
    assert torch.equal(paths[:, :, 0, 0, -1], classes[:, None].expand(3, 5))


def test_noise_is_drawn_with_the_latents_and_stays_the_same_along_a_path() -> None:
    generator = Echo(num_noise=2)
    drawn = draw(generator, 4, seed=0)
    z = randomness.normal(12, 3, 0, "sampling latents")
    assert torch.equal(drawn[..., :3].flatten(0, 1)[:, 0, 0], to_uint8(z / 10))
    paths = sampling.interpolate(generator, C, 5, seed=2)[:, :, 0, 0]  # (N, steps, 4)
    start, end = randomness.normal(6, 3, 2, "interpolation ends").view(2, 3, 3)
    assert torch.equal(paths[:, :, 1:3], to_uint8(start / 10)[:, None, 1:].expand(3, 5, 2))
    assert grey_levels_apart(paths[:, -1, 0], to_uint8(end[:, 0] / 10)) <= 1
    assert (paths[:, 0, 0] != paths[:, -1, 0]).all()


def test_generating_keeps_no_graph() -> None:
    generator = lively(3)
    images = sampling.generate(generator, torch.zeros(2, 3), C[:2])
    assert images.is_inference()
    assert all(parameter.grad is None for parameter in generator.parameters())
