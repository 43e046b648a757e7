"""What each network's paper states of it."""

import math

import pytest
import torch
import torch.nn.functional as F
from helpers.networks import (
    SHAPE,
    WIDTH,
    K,
    N,
    Z,
    conditions,
    discriminator_of,
    images,
    latents,
    untrained,
    untrained_discriminator,
)
from torch import nn

from pipeline.networks import mlp, stylegan2
from pipeline.networks.biggan import truncate
from pipeline.networks.classifier import NUM_FEATURES
from pipeline.networks.network import Spec
from pipeline.networks.r3gan import Block
from pipeline.runtime import size


@pytest.fixture(autouse=True)
def _same_weights_each_time():
    torch.manual_seed(0)


# The first GAN.


def test_a_maxout_unit_is_the_largest_of_its_five_linear_pieces():
    maxout = mlp.Maxout(2, 2)
    slopes = [[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0], [2, 2], [1, 1], [0, 0], [-1, -1], [-2, -2]]
    with torch.no_grad():
        maxout.linear.weight.copy_(torch.tensor(slopes))
        maxout.linear.bias.copy_(torch.tensor([0, 0, 0, 0, 2.5, 0, 0, 0, 0, 1]))
    x = torch.tensor([[3.0, 1.0], [-1.0, -4.0], [1.0, -1.0]])
    # First unit: the larger of 2.5 and the largest |coordinate|. Second: of twice the sum, and one minus it.
    assert maxout(x).tolist() == [[3, 8], [4, 11], [2.5, 1]]


def test_the_first_discriminator_drops_units_in_training_only():
    discriminator = discriminator_of("mlp")
    x, c = images(), conditions("mlp")
    assert not torch.equal(discriminator.train()(x, c), discriminator(x, c))
    assert torch.equal(discriminator.eval()(x, c), discriminator(x, c))
    assert [m.p for m in discriminator.modules() if isinstance(m, nn.Dropout)] == [0.3, 0.3]


def test_the_first_generator_is_two_relu_layers_and_tanh():
    generator = untrained("mlp")
    z, c = latents(generator), conditions("mlp")
    weights = [(layer.weight, layer.bias) for layer in generator.layers if isinstance(layer, nn.Linear)]
    h = torch.cat([z, c], 1)
    for w, b in weights[:-1]:
        h = (h @ w.T + b).clamp(min=0)
        assert h.shape == (N, 4 * WIDTH)
    w, b = weights[-1]
    assert len(weights) == 3
    torch.testing.assert_close(generator(z, c), torch.tanh(h @ w.T + b).view(N, *SHAPE))


def test_the_first_generators_weights_are_counted_as_by_hand():
    generator = untrained("mlp", 5, 3, 2, (1, 28, 28))  # two layers of 8 units
    assert size.num_parameters(generator) == (5 + 3 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 28 * 28 == 7200


# DCGAN.


def test_the_condition_enters_the_convolutional_logits_by_projection_alone():
    discriminator = discriminator_of("dcgan")
    x, c = images(), conditions("dcgan")
    h = discriminator.layers(x)
    f = torch.stack([h[:, :, i, j] for i in range(4) for j in range(8)], 1).flatten(1)  # (N, H * W * C)
    head = discriminator.head
    w, b, v = head.linear.weight[0], head.linear.bias, head.project.weight
    expected = f @ w + b + torch.einsum("nk,kd,nd->n", c, v, f)
    torch.testing.assert_close(discriminator(x, c), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(discriminator(x, torch.zeros(N, K)), f @ w + b, rtol=1e-4, atol=1e-4)


def test_convolutional_weights_start_at_the_papers_deviation_and_biases_at_zero():
    discriminator = untrained_discriminator("dcgan", 2, 32, (1, 28, 28))
    for layer in (discriminator.layers[2], discriminator.head.linear, discriminator.head.project):
        assert layer.weight.mean().item() == pytest.approx(0, abs=0.003)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert discriminator.head.linear.bias.tolist() == [0]
    assert discriminator.layers[0].bias.tolist() == [0] * 32


# Residual networks without normalisation.


def test_residual_blocks_start_as_the_identity():
    blocks = [module for module in untrained_discriminator("r3gan").modules() if isinstance(module, Block)]
    assert blocks
    for block in blocks:
        x = torch.randn(2, block.widen.in_channels, 7, 7)
        assert torch.equal(block(x), x)
        assert block.branch(x).abs().max() > 0


def test_residual_branches_start_smaller_the_more_blocks_there_are():
    """By L^(-1 / 4) in the first two of three layers; the last keeps the size of the signal."""
    generator = untrained("r3gan", width=64)
    blocks = [module for module in generator.modules() if isinstance(module, Block)]
    assert len(blocks) == 2
    for block in blocks:
        for layer, share in ((block.widen, 2**-0.25), (block.mix, 2**-0.25), (block.narrow, 1)):
            expected = share * math.sqrt(2 / 1.04 / layer.weight[0].numel())
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
    last = generator.layers[-1].weight  # (inputs, outputs, 4, 4)
    assert last.std().item() == pytest.approx(math.sqrt(2 / 1.04 / (64 * 16)), rel=0.05)


# Styled networks.


def test_scaling_activations_equals_convolving_each_image_with_modulated_and_demodulated_weights():
    layer = stylegan2.StyledLayer(6, 4, 5)
    h, w = torch.randn(3, 4, 8, 8), torch.randn(3, 6)
    with torch.no_grad():
        found = layer(h, w, torch.zeros(3, 1, 8, 8))
        s = layer.style(w)
        for image, scales, result in zip(h, s, found, strict=True):
            weight = layer.convolution.weight * scales[None, :, None, None]
            weight = weight / weight.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
            expected = F.conv2d(image[None], weight, padding=1) * stylegan2.GAIN
            assert torch.allclose(result, F.leaky_relu(expected, 0.2)[0], atol=1e-5)


def test_demodulated_maps_of_white_noise_have_unit_variance():
    weight, s, h = torch.randn(64, 16, 3, 3), 3 * torch.rand(8, 16), torch.randn(8, 16, 32, 32)
    mixed = F.conv2d(stylegan2.scale(h, s), weight)
    demodulated = stylegan2.scale(mixed, stylegan2.demodulation(weight, s))
    assert demodulated.var().item() == pytest.approx(1, rel=0.05)


def test_the_mean_style_moves_in_training_alone():
    generator = untrained("stylegan2")
    z, c = latents(generator), conditions("stylegan2")
    before = generator.mean_w.clone()
    generator.eval()(z, c)
    assert torch.equal(before, generator.mean_w)
    generator.train()(z, c)
    assert not torch.equal(before, generator.mean_w)


def test_noise_changes_a_styled_image_once_its_strength_is_not_zero():
    generator = untrained("stylegan2").eval()
    z, c = latents(generator), conditions("stylegan2")
    other = torch.cat([z[:, :Z], z[:, Z:].flip(1)], 1)
    with torch.no_grad():
        assert torch.equal(generator(z, c), generator(other, c))
        for module in generator.modules():
            if isinstance(module, stylegan2.StyledLayer):
                module.strength.fill_(0.5)
        assert not torch.equal(generator(z, c), generator(other, c))


# BigGAN.


def test_truncated_latents_keep_their_order_within_the_middle_of_the_normal_distribution():
    z = torch.linspace(-6, 6, 101)
    squeezed = truncate(z, 0.95)
    assert squeezed.diff().min() >= 0
    assert squeezed.abs().max().item() == pytest.approx(1.96, abs=0.01)
    assert torch.equal(truncate(z, 1.0), z)


# Single numbers.


def test_the_networks_of_numbers_take_numbers_and_their_conditions():
    generator, discriminator = (
        untrained("line", Z, 1, shape=(1,)),
        untrained_discriminator("line", 1, 8, (1,)),
    )
    z, c = latents(generator), torch.randn(N, 1)
    x = generator(z, c)
    logits = discriminator(x, c)
    assert (x.shape, logits.shape) == ((N, 1), (N,))
    assert (generator(z, c + 1) != x).all()
    assert (generator(z + 1, c) != x).all()
    assert (discriminator(x + 1, c) != logits).all()
    assert (discriminator(x, c + 1) != logits).all()
    blind = untrained_discriminator("line", 0, 8, (1,))
    assert torch.equal(blind(x, c), blind(x, c + 1))
    draws = latents(generator, 2 * N)
    assert torch.equal(generator(draws, c), generator(draws, c.repeat_interleave(2, 0)))


# The classifier.


def classifier(width, num_classes):
    return Spec(
        method="classification",
        network="classifier",
        width=width,
        image_shape=[1, 28, 28],
        num_conditions=num_classes,
    ).build()


def test_the_classifiers_logits_are_its_head_on_features_that_are_not_negative_for_each_image_alone():
    network, x = classifier(2, 10), images(shape=(1, 28, 28))
    before = network.linear(network.convolutions(x).permute(0, 2, 3, 1).reshape(N, -1))
    f = network.features(x)
    assert f.shape == (N, NUM_FEATURES) == (N, 128)
    assert (before < 0).any()
    torch.testing.assert_close(f, before.clamp(min=0))
    assert network(x).shape == (N, 10)
    assert torch.equal(network(x), network.head(f))
    torch.testing.assert_close(network(x)[:1], network(x[:1]))
    assert list(network.buffers()) == []


def test_a_classifier_is_built_as_its_spec_says():
    sizes = [math.prod(p.shape) for p in classifier(3, 7).parameters()]
    assert sizes == [27, 3, 162, 6, 324, 6, 128 * 6 * 49, 128, 7 * 128, 7]
