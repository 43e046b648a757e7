"""The networks that turn a condition into a picture: what each sees, and what its answer depends on."""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from pipeline.errors import InputError
from pipeline.networks import caption, patch, unet
from pipeline.networks.layers import append_stddev, flatten_nhwc
from pipeline.networks.translators import TRANSLATORS, TranslatorSpec

torch.set_num_threads(1)

N, Z, K, WIDTH = 5, 4, 3, 8  # K: channels of what is given, or 3 + 6 words
NUM_WORDS, LENGTH = 9, 6
SHAPE = (3, 16, 32)  # neither square nor grey, so that axes cannot be swapped unseen

each_network = pytest.mark.parametrize("network", TRANSLATORS.values(), ids=TRANSLATORS)
each_size = pytest.mark.parametrize("size", [16, 32, 64])
each_patch = pytest.mark.parametrize("patch_size", [1, 4, 10, 22, 46])


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    torch.manual_seed(0)


def width_of(network: Any) -> int:
    """K, of the conditions that `told` gives."""
    return NUM_WORDS if network is caption else K


def told(network: Any, num: int = N, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """Conditions: pictures, or rows of word numbers from two to five words long."""
    if network is caption:
        words = torch.randint(1, NUM_WORDS, (num, LENGTH))
        return words * (torch.arange(LENGTH) < 2 + torch.arange(num)[:, None] % 4)
    return torch.rand(num, K, *shape[1:]) * 2 - 1


def pictures(num: int = N, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    return torch.rand(num, *shape) * 2 - 1


def generator_of(network: Any, num_latents: int = Z, **changes: Any) -> nn.Module:
    """In evaluation mode, with statistics of batches it has seen."""
    generator = network.Generator(num_latents, width_of(network), WIDTH, SHAPE, **changes)
    with torch.no_grad():
        for _ in range(20):
            generator(torch.randn(8, num_latents), told(network, 8))
    return generator.eval()


def judging(
    network: Any, num_conditions: int | None = None, shape: tuple[int, int, int] = SHAPE, **changes: Any
) -> nn.Module:
    """A discriminator whose weights are large enough that everything shows in its logits."""
    num_conditions = width_of(network) if num_conditions is None else num_conditions
    discriminator = network.Discriminator(num_conditions, WIDTH, shape, **changes)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.normal_(0, 0.2)
    return discriminator


# Shapes.


@each_size
@pytest.mark.parametrize("channels", [1, 3, 5])
@each_network
def test_pictures_of_any_size_and_channels_are_made_and_judged(
    network: Any, channels: int, size: int
) -> None:
    shape = (channels, size, size)
    c = told(network, 2, (K, size, size))
    x = network.Generator(Z, width_of(network), 2, shape)(torch.randn(2, Z), c)
    assert x.shape == (2, *shape)
    assert network.Discriminator(width_of(network), 2, shape)(x, c).shape == (2,)


@each_patch
def test_patches_of_a_size_have_a_logit_each(patch_size: int) -> None:
    """Half as many rows and columns after each convolution."""
    num_halvings = {1: 0, 4: 1, 10: 2, 22: 3, 46: 4}[patch_size]
    shape = (1, 64, 96)
    c = torch.randn(2, K, 64, 96)
    logits = patch.Discriminator(K, 2, shape, patch_size=patch_size)(pictures(2, shape), c)
    assert logits.shape == (2, 1, 64 // 2**num_halvings, 96 // 2**num_halvings)


@pytest.mark.parametrize(
    ("size", "multiples"), [(16, [1, 2, 4]), (24, [1, 2, 4]), (32, [1, 2, 4, 4]), (64, [1, 2, 4, 4, 4])]
)
def test_pictures_are_halved_until_two_or_three_pixels_are_left(size: int, multiples: list[int]) -> None:
    assert unet.level_widths(5, (3, size, size)) == [5 * multiple for multiple in multiples]
    assert size / 2 ** len(multiples) in (2, 3)
    generator = unet.Generator(Z, K, 2, (3, size, size))
    sizes: list[int] = []
    for layer in generator.down:
        layer.register_forward_hook(lambda module, given, h: sizes.append(h.shape[-1]))
    generator(torch.randn(2, Z), torch.randn(2, K, size, size))
    assert sizes == [size // 2**level for level in range(1, len(multiples) + 1)]


@pytest.mark.parametrize(
    ("rows", "columns", "multiple"), [(20, 20, 8), (40, 40, 16), (32, 24, 16), (28, 28, 8)]
)
@each_network
def test_pictures_that_cannot_be_halved_so_often_are_refused(
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
        x = generator(torch.randn(N, Z), told(network))
    assert -1 <= x.min().item() < -0.9
    assert 0.9 < x.max().item() <= 1


@each_network
def test_gradients_reach_every_weight_of_both_networks(network: Any) -> None:
    generator = network.Generator(Z, width_of(network), WIDTH, SHAPE)
    discriminator = judging(network)
    z, c = torch.randn(16, Z), told(network, 16)
    discriminator(generator(z, c), c).square().sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


# The discriminator of patches sees as much as it says.


@each_patch
def test_a_logit_sees_a_patch_of_exactly_that_size(patch_size: int) -> None:
    discriminator = judging(patch, shape=(2, 64, 64), patch_size=patch_size).double()
    x = torch.randn(1, 2, 64, 64, dtype=torch.double, requires_grad=True)
    c = torch.randn(1, K, 64, 64, dtype=torch.double, requires_grad=True)
    logits = discriminator(x, c)
    middle = (logits.shape[2] - 1) // 2
    gradients = torch.autograd.grad(logits[0, 0, middle, middle], (x, c))
    seen = torch.cat(gradients, 1)[0] != 0  # (C + K, H, W)
    rows, columns = seen.any(0).any(1).nonzero()[:, 0], seen.any(0).any(0).nonzero()[:, 0]
    for places in (rows, columns):
        assert len(places) == patch_size
        assert places[-1] - places[0] == patch_size - 1
    assert seen[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


@each_size
def test_the_logit_of_the_whole_picture_sees_every_pixel(size: int) -> None:
    discriminator = judging(patch, shape=(2, size, size)).double()
    x = torch.randn(1, 2, size, size, dtype=torch.double, requires_grad=True)
    c = torch.randn(1, K, size, size, dtype=torch.double, requires_grad=True)
    for gradient in torch.autograd.grad(discriminator(x, c).sum(), (x, c)):
        assert (gradient != 0).all()


def test_a_discriminator_of_pixels_is_the_same_function_of_each() -> None:
    discriminator = judging(patch, patch_size=1)
    x, c = pictures(), told(unet)
    logits = discriminator(x, c)
    mixed = torch.randperm(16 * 32)
    moved = [h.flatten(2)[:, :, mixed].unflatten(2, (16, 32)) for h in (x, c, logits)]
    torch.testing.assert_close(discriminator(moved[0], moved[1]), moved[2])


def test_each_further_convolution_sees_twice_as_much_and_two_pixels_more() -> None:
    sizes = patch.patch_sizes(128)
    assert sizes == [1, 4, 10, 22, 46, 94]
    assert all(later == 2 * earlier + 2 for earlier, later in pairwise(sizes))
    assert [patch.halvings(size, 128) for size in sizes] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("side", "expected"), [(16, "1, 4, 10"), (32, "1, 4, 10, 22"), (64, "1, 4, 10, 22, 46")]
)
@pytest.mark.parametrize("patch_size", [2, 3, 5, 94, 190])
def test_other_patch_sizes_are_refused_with_those_allowed(side: int, expected: str, patch_size: int) -> None:
    message = f"^patch_size = {patch_size}: allowed are 0 [(]the whole picture[)], {expected}$"
    with pytest.raises(InputError, match=message):
        patch.Discriminator(K, 2, (3, side, side), patch_size=patch_size)


@pytest.mark.parametrize("patch_size", [1, 4, 10])
def test_captions_are_of_whole_pictures(patch_size: int) -> None:
    expected = f"^patch_size = {patch_size}: captions are of whole pictures; allowed is 0$"
    with pytest.raises(InputError, match=expected):
        caption.Discriminator(K, 2, SHAPE, patch_size=patch_size)


@pytest.mark.parametrize(("size", "left"), [(16, 4), (24, 3), (32, 4), (64, 4)])
def test_a_whole_picture_is_reduced_to_four_pixels_a_side(size: int, left: int) -> None:
    discriminator = patch.Discriminator(K, 2, (3, size, size))
    h = discriminator.layers(torch.randn(1, 3 + K, size, size))
    assert h.shape[2:] == (left, left)
    assert discriminator.head.in_features == h.shape[1] * left**2


# Discriminators and conditions.


@pytest.mark.parametrize("patch_size", [0, 1, 10])
def test_a_discriminator_of_pictures_made_without_conditions_ignores_them(patch_size: int) -> None:
    discriminator = judging(unet, 0, patch_size=patch_size)
    x = pictures()
    logits = discriminator(x, torch.empty(N, 0))
    assert torch.equal(discriminator(x, told(unet)), logits)
    assert torch.equal(discriminator(x, torch.full((N, K, 16, 32), 1e3)), logits)


def test_a_discriminator_of_captioned_pictures_made_without_conditions_ignores_them() -> None:
    discriminator = judging(caption, 0)
    x = pictures()
    logits = discriminator(x, torch.empty(N, 0))
    assert torch.equal(discriminator(x, told(caption)), logits)
    assert not any(isinstance(module, caption.TextEncoder) for module in discriminator.modules())


@each_network
def test_a_discriminator_made_with_conditions_heeds_them_and_the_pictures(network: Any) -> None:
    discriminator = judging(network)
    x, c = pictures(), told(network)
    other = (c + 1) % NUM_WORDS if network is caption else c + 1
    logits = discriminator(x, c)
    assert torch.equal(discriminator(x, c), logits)
    assert (discriminator(x, other) != logits).all()
    assert (discriminator(pictures(), c) != logits).all()


def test_picture_and_condition_are_one_stack_of_channels() -> None:
    """The first convolution adds what it makes of one to what it makes of the other."""
    discriminator = judging(patch)
    x, c = pictures(), told(unet)
    first = discriminator.layers.layers[0]
    of_x = F.conv2d(x, first.weight[:, :3], first.bias, 2, 1)
    of_c = F.conv2d(c, first.weight[:, 3:], None, 2, 1)
    torch.testing.assert_close(first(torch.cat([x, c], 1)), of_x + of_c)
    h = discriminator.layers.layers[1:](of_x + of_c)
    expected = discriminator.head(flatten_nhwc(h))[:, 0]
    torch.testing.assert_close(discriminator(x, c), expected)


def test_the_caption_enters_the_logit_by_projection_alone() -> None:
    discriminator = judging(caption)
    x, c = pictures(), told(caption)
    f = flatten_nhwc(discriminator.layers(x))
    head, meaning = discriminator.head, discriminator.text(c)
    expected = f @ head.linear.weight[0] + head.linear.bias
    expected = expected + torch.einsum("nk,kd,nd->n", meaning, head.project.weight, f)
    torch.testing.assert_close(discriminator(x, c), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("patch_size", [0, 4])
@each_network
def test_a_discriminator_judges_each_picture_alone(network: Any, patch_size: int) -> None:
    if network is caption and patch_size:
        return
    discriminator = judging(network, patch_size=patch_size)
    x, c = pictures(), told(network)
    logits = discriminator(x, c)
    for i in range(N):
        torch.testing.assert_close(
            discriminator(x[i : i + 1], c[i : i + 1])[0], logits[i], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("patch_size", [0, 4])
def test_a_discriminator_told_of_the_batchs_spread_judges_pictures_together(patch_size: int) -> None:
    discriminator = judging(unet, minibatch_stddev=True, patch_size=patch_size)
    x, c = pictures(), told(unet)
    logits = discriminator(x, c)
    assert logits.shape == ((N,) if patch_size == 0 else (N, 1, 8, 16))
    assert not torch.allclose(discriminator(x[:1], c[:1]), logits[:1], atol=1e-5)
    h = discriminator.layers.layers(torch.cat([x, c], 1))
    torch.testing.assert_close(discriminator.layers(torch.cat([x, c], 1)), append_stddev(h))


@each_network
def test_batch_norm_uses_the_batch_it_sees_and_stores_nothing(network: Any) -> None:
    discriminator = judging(network, batch_norm=True)
    x, c = pictures(), told(network)
    logits = discriminator.train()(x, c)
    assert torch.equal(discriminator.eval()(x, c), logits)
    assert not torch.allclose(discriminator(x[:2], c[:2]), logits[:2], atol=1e-5)
    assert list(discriminator.buffers()) == []
    plain = judging(network)
    assert network.BATCH_NORM
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())


# Generators and latents.


@each_network
def test_in_evaluation_a_picture_does_not_depend_on_those_beside_it(network: Any) -> None:
    generator = generator_of(network)
    z, c = torch.randn(N, Z), told(network)
    x = generator(z, c)
    assert torch.equal(generator(z, c), x)
    for i in range(N):
        alone = generator(z[i : i + 1], c[i : i + 1])[0]
        torch.testing.assert_close(alone, x[i], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(generator(z.flip(0), c.flip(0)), x.flip(0), rtol=1e-4, atol=1e-5)


@each_network
def test_a_generator_without_latents_gives_one_answer_a_condition(network: Any) -> None:
    generator = generator_of(network, num_latents=0)
    c = told(network)[[0, 1, 0, 1, 0]]
    x = generator(torch.empty(N, 0), c)
    assert torch.equal(x[0], x[2])
    assert torch.equal(x[1], x[3])
    assert not torch.allclose(x[0], x[1], atol=1e-4)
    generator.train()
    torch.manual_seed(1)
    trained = generator(torch.empty(N, 0), c)
    torch.manual_seed(2)
    assert torch.equal(generator(torch.empty(N, 0), c), trained)  # nothing is drawn in training either


def test_a_regression_network_of_pictures_has_no_style() -> None:
    generator = unet.Generator(0, K, WIDTH, SHAPE)
    assert generator.up.mapping is None
    assert [level.style for level in generator.up.levels] == [None] * 4


@pytest.mark.parametrize("every_level", [True, False])
@each_network
def test_a_generator_answers_both_to_its_latents_and_to_its_condition(
    network: Any, every_level: bool
) -> None:
    generator = generator_of(network, every_level=every_level)
    z, c = torch.randn(N, Z), told(network)
    other = (c + 1) % NUM_WORDS if network is caption else c.roll(1, 0)
    x = generator(z, c)
    for changed in (generator(torch.randn(N, Z), c), generator(z, other)):
        assert ((changed - x).abs().flatten(1).amax(1) > 1e-4).all()


@pytest.mark.parametrize(("every_level", "expected"), [(True, [0, 1, 2, 3]), (False, [0])])
@each_network
def test_latents_enter_at_every_level_or_at_the_smallest_map_alone(
    network: Any, every_level: bool, expected: list[int]
) -> None:
    """With the styles of all levels but one at rest, latents change the picture if that one has a style."""
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
        c = told(network)
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


def test_what_is_given_stands_beside_the_last_map() -> None:
    """Where the way up is silent, the picture is the last convolution of what is given."""
    generator = generator_of(unet, num_latents=0)
    with torch.no_grad():
        for level in generator.up.levels:
            level.norm.weight.zero_()
            level.norm.bias.zero_()
    c, finish = told(unet), generator.up.finish
    expected = torch.tanh(F.conv2d(c, finish.weight[:, -K:], finish.bias, 1, 1))
    torch.testing.assert_close(generator(torch.empty(N, 0), c), expected)


def test_each_map_on_the_way_up_stands_beside_its_like_on_the_way_down() -> None:
    """The way down cut below a level: what remains passes by the skip connection."""
    generator = generator_of(unet, num_latents=0)
    c = told(unet)
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
                lambda module, given, out, seen=seen: seen.append(given[0])
            )
            generator(torch.empty(N, 0), c)
            hook.remove()
            torch.testing.assert_close(seen[0][:, smaller.shape[1] :], h)
            for norm, (weight, bias) in zip(gains, before, strict=True):
                norm.weight.copy_(weight)
                norm.bias.copy_(bias)


def test_on_the_way_down_all_maps_but_the_first_are_normalised() -> None:
    generator = generator_of(unet)
    c = told(unet)
    h = F.leaky_relu(generator.down[0].convolution(c), 0.2)
    torch.testing.assert_close(generator.down[0](c), h)
    for layer in generator.down[1:]:
        expected = F.leaky_relu(layer.norm(layer.convolution(h)), 0.2)
        assert isinstance(layer.norm, nn.BatchNorm2d)
        torch.testing.assert_close(layer(h), expected)
        h = expected


def test_convolutions_start_small_and_styles_do_not() -> None:
    generator = unet.Generator(64, 16, 32, (3, 32, 32))
    for layer in (generator.down[1].convolution, generator.up.levels[0].convolution):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    first, _, second, _ = generator.up.mapping
    for layer in (first, second):  # He et al.: 2 / ((1 + 0.2^2) * inputs)
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 1.04 / 64), rel=0.05)
        assert not layer.bias.any()
    assert generator.up.levels[0].style.weight.std() > 0.05


# Captions.


def brute_force_meaning(encoder: caption.TextEncoder, words: list[int]) -> Tensor:
    """The mean over the words of each word's vector and what its neighbours add to it."""
    vectors = [encoder.embedding.weight[word] for word in words]
    nothing = torch.zeros(caption.NUM_MEANINGS)
    kernel, bias = encoder.neighbours.weight, encoder.neighbours.bias
    found = []
    for i, vector in enumerate(vectors):
        left = vectors[i - 1] if i else nothing
        right = vectors[i + 1] if i + 1 < len(vectors) else nothing
        mixed = kernel[:, :, 0] @ left + kernel[:, :, 1] @ vector + kernel[:, :, 2] @ right + bias
        found.append(vector + torch.where(mixed > 0, mixed, 0.2 * mixed))
    return torch.stack(found).mean(0)


@pytest.mark.parametrize("words", [[3], [2, 5], [4, 4, 8, 1], [1, 2, 3, 4, 5, 6]])
def test_the_meaning_of_a_caption_by_hand(words: list[int]) -> None:
    encoder = caption.TextEncoder(NUM_WORDS)
    row = torch.tensor([words + [0] * (LENGTH - len(words))])
    torch.testing.assert_close(encoder(row)[0], brute_force_meaning(encoder, words), rtol=1e-4, atol=1e-5)


def test_padding_does_not_change_the_meaning() -> None:
    encoder = caption.TextEncoder(NUM_WORDS)
    words = torch.tensor([[2, 7, 3], [4, 4, 1], [8, 0, 0]])
    meaning = encoder(words)
    for num in (1, 3, 9):
        torch.testing.assert_close(encoder(F.pad(words, (0, num))), meaning, rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        encoder.embedding.weight[0] = 1e3  # the vector of no word
    torch.testing.assert_close(encoder(F.pad(words, (0, 3))), meaning, rtol=1e-5, atol=1e-6)


def test_a_caption_of_no_words_means_nothing() -> None:
    assert not caption.TextEncoder(NUM_WORDS)(torch.zeros(2, LENGTH).long()).any()


def test_the_order_of_a_captions_words_matters() -> None:
    encoder = caption.TextEncoder(NUM_WORDS)
    one, other = encoder(torch.tensor([[2, 7, 3, 0], [7, 2, 3, 0]]))
    assert (one - other).abs().max() > 0.01
    generator = generator_of(caption)
    z = torch.randn(1, Z)
    x, y = (generator(z, torch.tensor([row])) for row in ([2, 7, 3, 0], [7, 2, 3, 0]))
    assert (x - y).abs().max() > 1e-4


@each_network
def test_numbers_of_words_may_come_as_floats(network: Any) -> None:
    """As a blank condition does."""
    generator = generator_of(network)
    z, c = torch.randn(N, Z), told(network)
    assert torch.equal(generator(z, c.float()), generator(z, c))


# Built again from a description.


@pytest.mark.parametrize("every_level", [True, False])
@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_generator_is_built_as_its_description_says(name: str, every_level: bool) -> None:
    network = TRANSLATORS[name]
    built = TranslatorSpec(
        network=name,
        num_latents=Z,
        num_conditions=width_of(network),
        task="sketch",
        width=WIDTH,
        image_shape=list(SHAPE),
        latents_at_every_level=every_level,
    ).build()
    generator = generator_of(network, every_level=every_level)
    built.load_state_dict(generator.state_dict())
    z, c = torch.randn(N, Z), told(network)
    assert torch.equal(built.eval()(z, c), generator(z, c))
    assert isinstance(built, network.Generator)


def test_a_description_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="depth"):
        TranslatorSpec(
            network="unet",
            num_latents=Z,
            num_conditions=K,
            task="sketch",
            width=WIDTH,
            image_shape=list(SHAPE),
            latents_at_every_level=True,
            depth=3,
        )
