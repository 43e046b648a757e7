"""Images out of generators."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.data.images import to_uint8
from pipeline.networks.layers import for_each
from pipeline.networks.network import Spec
from pipeline.runtime import randomness
from pipeline.sampling import draw as sampling

torch.set_num_threads(1)

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

    num_latents = 1

    def __init__(self, num_noise: int = 0) -> None:
        super().__init__()
        self.num_noise = num_noise

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


def test_a_path_is_straight_and_keeps_its_condition() -> None:
    paths = sampling.interpolate(Echo(), C, 5, seed=2)
    z1, z2 = randomness.normal(6, 1, 2, "interpolation ends").view(2, 3)
    expected = torch.stack([(1 - a) * z1 + a * z2 for a in (0.0, 0.25, 0.5, 0.75, 1.0)], 1)
    assert grey_levels_apart(paths[:, :, 0, 0, 0], to_uint8(expected / 10)) <= 1
    classes = to_uint8(torch.tensor([0.3, 0.1, 0.7]))
    assert torch.equal(paths[:, :, 0, 0, 1], classes[:, None].expand(3, 5))


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
