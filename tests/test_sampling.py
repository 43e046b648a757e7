"""Images out of generators."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.data.images import to_uint8
from pipeline.networks import NETWORKS
from pipeline.runtime import randomness
from pipeline.sampling import draw as sampling
from pipeline.sampling.draw import GeneratorSpec
from pipeline.tasks.conditions import TASKS, UNCONDITIONAL

torch.set_num_threads(1)

DIGIT = TASKS["digit"]
C = DIGIT.encode(torch.tensor([3, 1, 7]))

both_networks = pytest.mark.parametrize("network", ["mlp", "dcgan"])


def lively(network: str, num_latents: int, num_conditions: int = 10) -> nn.Module:
    """A generator with weights so large that its images use the whole range of greys."""
    torch.manual_seed(1)
    generator = NETWORKS[network].Generator(num_latents, num_conditions, 4, (1, 8, 8)).eval()
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
        return torch.cat([z, c.argmax(1, keepdim=True)], 1).div(10)[:, None, None]


def grey_levels_apart(a: Tensor, b: Tensor) -> int:
    return int((a.int() - b.int()).abs().max())


@both_networks
def test_the_same_seed_draws_the_same_images_and_another_seed_others(network: str) -> None:
    generator = lively(network, 3)
    first = sampling.draw(generator, C, 4, seed=0)
    torch.rand(5)
    assert torch.equal(sampling.draw(generator, C, 4, seed=0), first)
    assert grey_levels_apart(sampling.draw(generator, C, 4, seed=1), first) > 20


def test_draws_stand_in_the_row_of_their_condition_each_with_its_own_latent() -> None:
    drawn = sampling.draw(Echo(), C, 4, seed=0)
    z = randomness.normal(12, 1, 0, "sampling latents")
    assert drawn.shape == (3, 4, 1, 1, 2)
    assert drawn.dtype == torch.uint8
    assert torch.equal(drawn[..., 0].flatten(), to_uint8(z / 10).flatten())
    expected = to_uint8(torch.tensor([0.3, 0.1, 0.7]))
    assert torch.equal(drawn[:, :, 0, 0, 1], expected[:, None].expand(3, 4))


@both_networks
@pytest.mark.parametrize("num_latents", [0, 3])
def test_draws_of_one_condition_differ_only_where_there_are_latents(network: str, num_latents: int) -> None:
    drawn = sampling.draw(lively(network, num_latents), C, 4, seed=0)
    assert drawn.shape == (3, 4, 1, 8, 8)
    for row in drawn:
        apart = [grey_levels_apart(row[0], other) for other in row[1:]]
        assert min(apart) > 20 if num_latents else max(apart) == 0
    assert grey_levels_apart(drawn[0, 0], drawn[1, 0]) > 20


@both_networks
def test_images_do_not_depend_on_how_many_are_made_at_once(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = lively(network, 3)
    whole = sampling.draw(generator, C, 4, seed=0)
    monkeypatch.setattr(sampling, "BATCH", 5)
    assert grey_levels_apart(sampling.draw(generator, C, 4, seed=0), whole) <= 1
    assert whole.float().std() > 20


def test_an_unconditional_generator_is_drawn_from_in_the_same_way() -> None:
    generator = lively("mlp", 3, num_conditions=0)
    nothing = UNCONDITIONAL.encode(torch.arange(5))
    drawn = sampling.draw(generator, nothing, 1, seed=0)
    z = randomness.normal(5, 3, 0, "sampling latents")
    assert torch.equal(drawn[:, 0], sampling.generate(generator, z, nothing))
    assert len(drawn.flatten(1).unique(dim=0)) == 5


@both_networks
def test_a_path_begins_at_the_first_latent_and_ends_at_the_second(network: str) -> None:
    generator = lively(network, 3)
    paths = sampling.interpolate(generator, C, 4, seed=2)
    ends = randomness.normal(6, 3, 2, "interpolation ends")
    assert paths.shape == (3, 4, 1, 8, 8)
    assert paths.dtype == torch.uint8
    assert grey_levels_apart(paths[:, 0], sampling.generate(generator, ends[:3], C)) <= 1
    assert grey_levels_apart(paths[:, -1], sampling.generate(generator, ends[3:], C)) <= 1
    assert grey_levels_apart(paths[:, 0], paths[:, -1]) > 20


def test_a_path_is_straight_and_keeps_its_condition() -> None:
    paths = sampling.interpolate(Echo(), C, 5, seed=2)
    z1, z2 = randomness.normal(6, 1, 2, "interpolation ends").view(2, 3)
    expected = torch.stack([(1 - a) * z1 + a * z2 for a in (0.0, 0.25, 0.5, 0.75, 1.0)], 1)
    assert grey_levels_apart(paths[:, :, 0, 0, 0], to_uint8(expected / 10)) <= 1
    classes = to_uint8(torch.tensor([0.3, 0.1, 0.7]))
    assert torch.equal(paths[:, :, 0, 0, 1], classes[:, None].expand(3, 5))


def test_noise_is_drawn_with_the_latents_and_stays_the_same_along_a_path() -> None:
    generator = Echo(num_noise=2)
    drawn = sampling.draw(generator, C, 4, seed=0)
    z = randomness.normal(12, 3, 0, "sampling latents")
    assert torch.equal(drawn[..., :3].flatten(0, 1)[:, 0, 0], to_uint8(z / 10))
    paths = sampling.interpolate(generator, C, 5, seed=2)[:, :, 0, 0]  # (N, steps, 4)
    start, end = randomness.normal(6, 3, 2, "interpolation ends").view(2, 3, 3)
    assert torch.equal(paths[:, :, 1:3], to_uint8(start / 10)[:, None, 1:].expand(3, 5, 2))
    assert grey_levels_apart(paths[:, -1, 0], to_uint8(end[:, 0] / 10)) <= 1
    assert (paths[:, 0, 0] != paths[:, -1, 0]).all()


def test_a_preview_is_five_rows_with_class_k_in_column_k_and_always_the_same() -> None:
    preview = sampling.preview(Echo(), DIGIT)
    assert preview.shape == (50, 1, 1, 2)
    expected = to_uint8(torch.arange(10) / 10)
    assert torch.equal(preview[:, 0, 0, 1].view(5, 10), expected.expand(5, 10))
    assert len(preview[:, 0, 0, 0].unique()) > 10
    assert torch.equal(sampling.preview(Echo(), DIGIT), preview)


@pytest.mark.parametrize(("task", "num_inputs"), [("digit", 13), ("", 3)])
def test_a_spec_builds_the_generator_it_describes(task: str, num_inputs: int) -> None:
    spec = GeneratorSpec(network="mlp", num_latents=3, task=task, clusters=0, width=4, image_shape=[1, 8, 6])
    generator = spec.build()
    assert generator.layers[0].in_features == num_inputs
    assert generator(torch.zeros(2, 3), torch.zeros(2, num_inputs - 3)).shape == (2, 1, 8, 6)


def test_generating_keeps_no_graph() -> None:
    generator = lively("mlp", 3)
    images = sampling.generate(generator, torch.zeros(2, 3), C[:2])
    assert images.is_inference()
    assert all(parameter.grad is None for parameter in generator.parameters())
