"""What holds of all networks that turn a condition into a image: what their answers depend on."""

from typing import Any

import pytest
import torch
from helpers.image_networks import (
    NUM_WORDS,
    SHAPE,
    WIDTH,
    K,
    N,
    Z,
    conditions,
    discriminator_of,
    each_network,
    each_size,
    generator_of,
    images,
    num_conditions_of,
)
from torch import nn

from pipeline.networks import caption, unet
from pipeline.networks.network import Spec
from pipeline.runtime.errors import InputError


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    torch.manual_seed(0)


@each_size
@pytest.mark.parametrize("channels", [1, 3, 5])
@each_network
def test_images_of_any_size_and_channels_go_through_both_networks(
    network: Any, channels: int, size: int
) -> None:
    shape = (channels, size, size)
    c = conditions(network, 2, (K, size, size))
    x = network.Generator(Z, num_conditions_of(network), 2, shape)(torch.randn(2, Z), c)
    assert x.shape == (2, *shape)
    assert network.Discriminator(num_conditions_of(network), 2, shape)(x, c).shape == (2,)


@pytest.mark.parametrize(
    ("rows", "columns", "multiple"), [(20, 20, 8), (40, 40, 16), (32, 24, 16), (28, 28, 8)]
)
@each_network
def test_images_that_cannot_be_halved_so_often_are_refused(
    network: Any, rows: int, columns: int, multiple: int
) -> None:
    expected = f"^images of {rows} x {columns} pixels: sides must be multiples of {multiple}$"
    with pytest.raises(InputError, match=expected):
        network.Generator(Z, K, 2, (3, rows, columns))


@each_network
def test_generated_values_fill_the_range_from_minus_one_to_one_and_never_leave_it(network: Any) -> None:
    generator = generator_of(network)
    with torch.no_grad():
        generator.up.finish.weight.mul_(1e3)
        x = generator(torch.randn(N, Z), conditions(network))
    assert -1 <= x.min().item() < -0.9
    assert 0.9 < x.max().item() <= 1


@each_network
def test_gradients_reach_every_weight_of_both_networks(network: Any) -> None:
    generator = network.Generator(Z, num_conditions_of(network), WIDTH, SHAPE)
    discriminator = discriminator_of(network)
    z, c = torch.randn(16, Z), conditions(network, 16)
    discriminator(generator(z, c), c).square().sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@each_network
def test_a_discriminator_made_with_conditions_heeds_them_and_the_images(network: Any) -> None:
    discriminator = discriminator_of(network)
    x, c = images(), conditions(network)
    other = (c + 1) % NUM_WORDS if network is caption else c + 1
    logits = discriminator(x, c)
    assert torch.equal(discriminator(x, c), logits)
    assert (discriminator(x, other) != logits).all()
    assert (discriminator(images(), c) != logits).all()


@pytest.mark.parametrize("patch_size", [0, 4])
@each_network
def test_a_discriminator_scores_each_image_alone(network: Any, patch_size: int) -> None:
    if network is caption and patch_size:
        return
    discriminator = discriminator_of(network, patch_size=patch_size)
    x, c = images(), conditions(network)
    logits = discriminator(x, c)
    for i in range(N):
        torch.testing.assert_close(
            discriminator(x[i : i + 1], c[i : i + 1])[0], logits[i], rtol=1e-4, atol=1e-5
        )


@each_network
def test_batch_norm_uses_the_batch_it_sees_and_stores_nothing(network: Any) -> None:
    discriminator = discriminator_of(network, batch_norm=True)
    x, c = images(), conditions(network)
    logits = discriminator.train()(x, c)
    assert torch.equal(discriminator.eval()(x, c), logits)
    assert not torch.allclose(discriminator(x[:2], c[:2]), logits[:2], atol=1e-5)
    assert list(discriminator.buffers()) == []
    plain = discriminator_of(network)
    assert network.BATCH_NORM
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())


@each_network
def test_in_evaluation_a_image_does_not_depend_on_those_beside_it(network: Any) -> None:
    generator = generator_of(network)
    z, c = torch.randn(N, Z), conditions(network)
    x = generator(z, c)
    assert torch.equal(generator(z, c), x)
    for i in range(N):
        alone = generator(z[i : i + 1], c[i : i + 1])[0]
        torch.testing.assert_close(alone, x[i], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(generator(z.flip(0), c.flip(0)), x.flip(0), rtol=1e-4, atol=1e-5)


@each_network
def test_a_generator_without_latents_gives_one_answer_a_condition(network: Any) -> None:
    generator = generator_of(network, num_latents=0)
    c = conditions(network)[[0, 1, 0, 1, 0]]
    x = generator(torch.empty(N, 0), c)
    assert torch.equal(x[0], x[2])
    assert torch.equal(x[1], x[3])
    assert not torch.allclose(x[0], x[1], atol=1e-4)
    generator.train()
    torch.manual_seed(1)
    trained = generator(torch.empty(N, 0), c)
    torch.manual_seed(2)
    assert torch.equal(generator(torch.empty(N, 0), c), trained)  # nothing is random in training either


@pytest.mark.parametrize("every_level", [True, False])
@each_network
def test_a_generator_answers_both_to_its_latents_and_to_its_condition(
    network: Any, every_level: bool
) -> None:
    generator = generator_of(network, every_level=every_level)
    z, c = torch.randn(N, Z), conditions(network)
    other = (c + 1) % NUM_WORDS if network is caption else c.roll(1, 0)
    x = generator(z, c)
    for changed in (generator(torch.randn(N, Z), c), generator(z, other)):
        assert ((changed - x).abs().flatten(1).amax(1) > 1e-4).all()


@pytest.mark.parametrize(("every_level", "expected"), [(True, [0, 1, 2, 3]), (False, [0])])
@each_network
def test_latents_enter_at_every_level_or_at_the_smallest_map_alone(
    network: Any, every_level: bool, expected: list[int]
) -> None:
    """With the styles of all levels but one at rest, latents change the image if that one has a style."""
    found = []
    for alone in range(4):
        generator = generator_of(network, every_level=every_level)
        with torch.no_grad():
            for i, level in enumerate(generator.up.levels):
                if i != alone and level.style is not None:
                    level.style.weight.zero_()
                    level.style.bias.zero_()
            if network is caption:
                generator.linear.weight[:, :Z] = 0  # its first map comes from latents too
        c = conditions(network)
        x, other = (generator(torch.randn(N, Z), c) for _ in range(2))
        if (x - other).abs().max() > 1e-5:
            found.append(alone)
    assert found == expected


@each_network
def test_a_style_scales_and_shifts_the_normalised_map(network: Any) -> None:
    generator = generator_of(network)
    level = generator.up.levels[0]
    h, w = torch.randn(N, level.convolution.in_channels, 2, 3), torch.randn(N, unet.NUM_STYLES)
    before = level.norm(level.convolution(h))
    num = before.shape[1]
    style = w @ level.style.weight.T + level.style.bias
    expected = before * (1 + style[:, :num, None, None]) + style[:, num:, None, None]
    torch.testing.assert_close(level(h, w), expected.clamp(min=0))
    assert before.shape[2:] == (4, 6)


@each_network
def test_numbers_of_words_may_come_as_floats(network: Any) -> None:
    """As a blank condition does."""
    generator = generator_of(network)
    z, c = torch.randn(N, Z), conditions(network)
    assert torch.equal(generator(z, c.float()), generator(z, c))


@pytest.mark.parametrize("every_level", [True, False])
@each_network
def test_a_generator_is_built_as_its_spec_says(network: Any, every_level: bool) -> None:
    built = Spec(
        method="adversarial",
        network=network.__name__.rpartition(".")[2],
        num_latents=Z,
        num_conditions=num_conditions_of(network),
        width=WIDTH,
        image_shape=list(SHAPE),
        latents_at_every_level=every_level,
    ).build()
    generator = generator_of(network, every_level=every_level)
    built.load_state_dict(generator.state_dict())
    z, c = torch.randn(N, Z), conditions(network)
    assert torch.equal(built.eval()(z, c), generator(z, c))
    assert isinstance(built, network.Generator)


@each_network
def test_draws_of_one_condition_are_those_of_as_many_equal_conditions(network: Any) -> None:
    generator = generator_of(network)
    z, c = torch.randn(3 * N, Z), conditions(network)
    expected = generator(z, c.repeat_interleave(3, 0))
    torch.testing.assert_close(generator(z, c), expected, rtol=1e-4, atol=1e-5)
