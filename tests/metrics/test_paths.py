"""Path length on paths whose length is known."""

import pytest
import torch
from helpers.synthetic import normal, random_pixels
from torch import Tensor, nn

from pipeline.data.images import to_float
from pipeline.metrics import paths
from pipeline.runtime import randomness


def test_a_straight_path_at_constant_speed_is_as_long_as_it_is_and_even() -> None:
    found = paths.smoothness(lambda a: torch.cat([3 * a, 4 * a], 1), 200, 0.01, 0)
    assert found == pytest.approx({"length": 25.0, "unevenness": 1.0}, rel=1e-3)


def test_a_path_that_stands_still_and_then_runs_is_the_more_uneven_the_shorter_it_runs() -> None:
    """All the way in a share s of the time: the speed is 1 / s there, so the mean square is 1 / s."""
    for share in (0.5, 0.2):
        found = paths.smoothness(lambda a, s=share: ((a - 0.3) / s).clamp(0, 1), 20_000, 1e-3, 0)
        assert found["unevenness"] == pytest.approx(1 / share, rel=0.05)


def test_paths_on_which_nothing_changes_have_no_length() -> None:
    assert paths.smoothness(torch.zeros_like, 20, 0.1, 0) == {"length": 0.0, "unevenness": 0.0}


def test_positions_lie_on_the_path_whatever_the_step() -> None:
    seen: list[Tensor] = []

    def f(a: Tensor) -> Tensor:
        seen.append(a)
        return a

    for step in (1.0, 0.5, 0.001):
        paths.smoothness(f, 500, step, 0)
    positions = torch.cat(seen)
    assert positions.min() >= 0
    assert positions.max() <= 1 + 1e-6


class Linear(nn.Module):
    """Images that are a linear function of z, of its noise and of c: (N, 1, 2, 2)."""

    def __init__(self, num_latents: int, num_noise: int = 0, num_conditions: int = 0) -> None:
        super().__init__()
        self.num_latents, self.num_noise = num_latents, num_noise
        self.weight = normal(num_latents + num_noise + num_conditions, 4, 7)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return (torch.cat([z, c], 1) @ self.weight).view(-1, 1, 2, 2)


def flat(x: Tensor) -> Tensor:
    return x.flatten(1)


def test_a_linear_generator_is_even_on_straight_ways_whatever_the_scale_and_uneven_on_arcs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paths, "BATCH", 7)
    c = torch.eye(2).repeat(100, 1)
    found = paths.of_generator(Linear(5, 0, 2), flat, c, 0.01, 0)
    start, end = randomness.normal(400, 5, 0, "path ends").chunk(2)
    expected = ((end - start) @ Linear(5, 0, 2).weight[:5]).square().sum(1).mean().item()
    assert found["path_length_lerp"] == pytest.approx(expected, rel=1e-3)
    assert found["path_unevenness_lerp"] == pytest.approx(1.0, rel=1e-3)
    assert found["path_unevenness_slerp"] > 1.05
    larger = paths.of_generator(Linear(5, 0, 2), lambda x: 10 * flat(x), c, 0.01, 0)
    assert larger["path_length_slerp"] == pytest.approx(100 * found["path_length_slerp"], rel=1e-3)
    assert larger["path_unevenness_slerp"] == pytest.approx(found["path_unevenness_slerp"], rel=1e-3)


def test_condition_and_per_layer_noise_are_held_along_a_path() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Spy(Linear):
        def forward(self, z: Tensor, c: Tensor) -> Tensor:
            seen.append((z, c))
            return super().forward(z, c)

    c = normal(20, 2, 0)
    paths.of_generator(Spy(3, 2, 2), flat, c, 0.1, 0)
    noise = seen[0][0][:, 3:]
    assert noise.std() > 0.5
    assert len(seen) == 8
    for z, condition in seen:
        assert z.shape == (20, 5)
        assert torch.equal(z[:, 3:], noise)
        assert torch.equal(condition, c)
    assert not torch.equal(seen[0][0][:, :3], seen[1][0][:, :3])


def test_a_cross_fade_of_real_images_is_even_in_pixels_and_longer_the_more_they_differ() -> None:
    pixels = random_pixels(30, 4, 0)
    found = paths.of_cross_fades(pixels, flat, 0.01, 0)
    x = to_float(pixels)
    expected = (x - x.roll(1, 0)).square().flatten(1).sum(1).mean().item()
    both = {f"path_length_{way}": expected for way in paths.WAYS}
    both |= {f"path_unevenness_{way}": 1.0 for way in paths.WAYS}
    assert found == pytest.approx(both, rel=1e-3)


def test_the_seed_decides_the_paths() -> None:
    found = [paths.of_generator(Linear(3), flat, torch.empty(20, 0), 0.1, seed) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    assert paths.smoothness(torch.sin, 20, 0.1, 0) != paths.smoothness(torch.sin, 20, 0.1, 1)  # its positions
