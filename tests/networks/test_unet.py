"""The way down, the way up, and what stands beside it."""

import math

import pytest
import torch
import torch.nn.functional as F
from helpers.networks import K, N, Z, conditions, each_image_network, generator_of, untrained
from torch import Tensor, nn

from pipeline.networks import unet
from pipeline.networks.network import num_inputs
from pipeline.runtime.errors import InputError


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("size", "multiples"), [(16, [1, 2, 4]), (24, [1, 2, 4]), (32, [1, 2, 4, 4]), (64, [1, 2, 4, 4, 4])]
)
def test_images_are_halved_until_two_or_three_pixels_are_left(size: int, multiples: list[int]) -> None:
    assert unet.level_widths(5, (3, size, size)) == [5 * multiple for multiple in multiples]
    assert size / 2 ** len(multiples) in (2, 3)
    generator = untrained("unet", width=2, shape=(3, size, size))
    sizes: list[int] = []
    for layer in generator.down:
        layer.register_forward_hook(lambda module, inputs, h: sizes.append(h.shape[-1]))
    generator(torch.randn(2, Z), torch.randn(2, K, size, size))
    assert sizes == [size // 2**level for level in range(1, len(multiples) + 1)]


def test_a_regression_network_of_images_has_no_style() -> None:
    generator = untrained("unet", 0)
    assert generator.up.mapping is None
    assert [level.style for level in generator.up.levels] == [None] * 4


def test_the_condition_stands_beside_the_last_map() -> None:
    """Where the way up is silent, the image is the last convolution of the condition."""
    generator = generator_of("unet", num_latents=0)
    with torch.no_grad():
        for level in generator.up.levels:
            level.norm.weight.zero_()
            level.norm.bias.zero_()
    c, finish = conditions("unet"), generator.up.finish
    expected = torch.tanh(F.conv2d(c, finish.weight[:, -K:], finish.bias, 1, 1))
    torch.testing.assert_close(generator(torch.empty(N, 0), c), expected)


def test_each_map_on_the_way_up_stands_beside_its_like_on_the_way_down() -> None:
    """The way down cut below a level: what remains passes by the skip connection."""
    generator = generator_of("unet", num_latents=0)
    c = conditions("unet")
    for cut in range(1, 4):
        gains = [layer.norm for layer in generator.down[cut:]]
        before = [(norm.weight.clone(), norm.bias.clone()) for norm in gains]
        with torch.no_grad():
            for norm in gains:
                norm.weight.zero_()
                norm.bias.zero_()
            h = c
            for layer in generator.down[:cut]:
                h = layer(h)
            level = generator.up.levels[4 - cut]  # takes a map of the size of h
            smaller = torch.zeros(N, level.convolution.in_channels - h.shape[1], *h.shape[2:])
            seen: list[Tensor] = []
            hook = level.convolution.register_forward_hook(
                lambda module, inputs, out, seen=seen: seen.append(inputs[0])
            )
            generator(torch.empty(N, 0), c)
            hook.remove()
            torch.testing.assert_close(seen[0][:, smaller.shape[1] :], h)
            for norm, (weight, bias) in zip(gains, before, strict=True):
                norm.weight.copy_(weight)
                norm.bias.copy_(bias)


def test_on_the_way_down_all_maps_but_the_first_are_normalised() -> None:
    generator = generator_of("unet")
    c = conditions("unet")
    h = F.leaky_relu(generator.down[0].convolution(c), 0.2)
    torch.testing.assert_close(generator.down[0](c), h)
    for layer in generator.down[1:]:
        expected = F.leaky_relu(layer.norm(layer.convolution(h)), 0.2)
        assert isinstance(layer.norm, nn.BatchNorm2d)
        torch.testing.assert_close(layer(h), expected)
        h = expected


def test_convolutions_start_small_and_styles_do_not() -> None:
    generator = untrained("unet", 64, 16, 32, (3, 32, 32))
    for layer in (generator.down[1].convolution, generator.up.levels[0].convolution):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    first, _, second, _ = generator.up.mapping
    for layer in (first, second):  # He et al.: 2 / ((1 + 0.2^2) * inputs)
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 1.04 / 64), rel=0.05)
        assert not layer.bias.any()
    assert generator.up.levels[0].style.weight.std() > 0.05


# The way up, which networks of images and of captions share.


@pytest.mark.parametrize(
    ("rows", "columns", "multiple"), [(20, 20, 8), (40, 40, 16), (32, 24, 16), (28, 28, 8)]
)
@each_image_network
def test_images_that_cannot_be_halved_so_often_are_refused(
    network: str, rows: int, columns: int, multiple: int
) -> None:
    expected = f"^images of {rows} x {columns} pixels: sides must be multiples of {multiple}$"
    with pytest.raises(InputError, match=expected):
        untrained(network, shape=(3, rows, columns))


@pytest.mark.parametrize(("every_level", "expected"), [(True, [0, 1, 2, 3]), (False, [0])])
@each_image_network
def test_latents_enter_at_every_level_or_at_the_smallest_map_alone(
    network: str, every_level: bool, expected: list[int]
) -> None:
    """With the styles of all levels but one at rest, latents change the image if that one has a style."""
    found = []
    for alone in range(4):
        generator = generator_of(network, latents_at_every_level=every_level)
        with torch.no_grad():
            for i, level in enumerate(generator.up.levels):
                if i != alone and level.style is not None:
                    level.style.weight.zero_()
                    level.style.bias.zero_()
            if network == "caption":
                generator.linear.weight[:, :Z] = 0  # its first map comes from latents too
        c = conditions(network)
        x, other = (generator(torch.randn(N, Z), c) for _ in range(2))
        if (x - other).abs().max() > 1e-5:
            found.append(alone)
    assert found == expected


@each_image_network
def test_a_style_scales_and_shifts_the_normalised_map(network: str) -> None:
    generator = generator_of(network)
    level = generator.up.levels[0]
    h, w = torch.randn(N, level.convolution.in_channels, 2, 3), torch.randn(N, unet.NUM_STYLES)
    before = level.norm(level.convolution(h))
    num = before.shape[1]
    style = w @ level.style.weight.T + level.style.bias
    expected = before * (1 + style[:, :num, None, None]) + style[:, num:, None, None]
    (found,) = level([h], w)
    torch.testing.assert_close(found, expected.clamp(min=0))
    assert before.shape[2:] == (4, 6)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 32, 64)])
def test_noise_of_layers_has_a_number_for_each_pixel_of_each_level(shape: tuple[int, ...]) -> None:
    generator = untrained("unet", shape=shape, layer_noise=True)
    _, rows, columns = shape
    expected = [(rows >> i, columns >> i) for i in reversed(range(len(generator.up.levels)))]
    assert generator.up.noise_shapes == expected
    assert num_inputs(generator) == Z + sum(map(math.prod, expected))
    assert untrained("unet", shape=shape).num_noise == 0
    assert untrained("unet", num_latents=0, shape=shape, layer_noise=True).num_noise == 0


def test_noise_of_a_pixel_changes_the_image_there_alone_and_by_its_strength() -> None:
    generator = generator_of("unet", layer_noise=True)
    level, (rows, columns) = generator.up.levels[-1], generator.up.noise_shapes[-1]
    z, c = torch.randn(1, num_inputs(generator)), conditions("unet", 1)
    other = z.clone()
    other[0, -rows * columns + 5 * columns + 9] += 1  # row 5, column 9 of the last level
    changed = (generator(z, c) - generator(other, c)).detach().abs().sum((0, 1))
    assert changed[4:7, 8:11].max() > 1e-4
    changed[4:7, 8:11] = 0
    assert changed.max() < 1e-6
    with torch.no_grad():
        level.strength.zero_()
    torch.testing.assert_close(generator(z, c), generator(other, c), rtol=0, atol=0)
