"""The networks of the study: the contract that all keep, and what each one's paper states."""

import pytest
import torch
from torch import nn

from pipeline.networks import spectral, stylegan2
from pipeline.networks.biggan import truncate
from pipeline.networks.network import available, load, num_inputs
from pipeline.networks.r3gan import Block
from pipeline.networks.truncation import Truncated

torch.set_num_threads(1)
Z, K = 5, 3
NETWORKS = {name: load(name) for name in available() if "class" in load(name).CONDITIONS}
every_network = pytest.mark.parametrize("name", NETWORKS)
SHAPES = [(1, 28, 28), (3, 28, 28), (1, 32, 32), (3, 48, 48), (3, 64, 64)]


def networks(name, shape=(1, 28, 28), latents=Z, conditions=K, width=8):
    torch.manual_seed(0)
    network = NETWORKS[name]
    return network.Generator(latents, conditions, width, shape), network.Discriminator(
        conditions, width, shape
    )


def inputs(generator, num=4, conditions=K):
    source = torch.Generator().manual_seed(1)
    z = torch.randn(num, num_inputs(generator), generator=source)
    return z, torch.eye(conditions)[torch.arange(num) % conditions] if conditions else torch.empty(num, 0)


@every_network
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("conditions", [0, K])
def test_images_and_logits_have_their_shapes_and_range(name, shape, conditions):
    generator, discriminator = networks(name, shape, conditions=conditions, width=4)
    z, c = inputs(generator, conditions=conditions)
    with torch.no_grad():
        images = generator.eval()(20 * z, c)
        logits = discriminator(images, c)
    assert images.shape == (4, *shape)
    assert images.abs().max() <= 1
    assert logits.shape == (4,)
    assert logits.isfinite().all()


@every_network
def test_a_generator_in_evaluation_is_a_pure_function_that_latents_and_condition_matter_to(name):
    generator, _ = networks(name)
    z, c = inputs(generator.eval())
    with torch.no_grad():
        x = generator(z, c)
        torch.rand(7)
        assert torch.equal(x, generator(z, c))
        assert torch.allclose(x[:1], generator(z[:1], c[:1]), atol=1e-5)
        assert not torch.allclose(x, generator(z.roll(1, 0), c), atol=1e-4)
        assert not torch.allclose(x, generator(z, c.roll(1, 1)), atol=1e-4)


@every_network
@pytest.mark.parametrize("minibatch_stddev", [False, True])
def test_a_discriminator_can_be_differentiated_twice_in_bf16_too(name, minibatch_stddev):
    def squared_norm():
        (gradient,) = torch.autograd.grad(discriminator(x, c).float().sum(), x, create_graph=True)
        return gradient.square().sum()

    torch.manual_seed(0)
    discriminator = NETWORKS[name].Discriminator(K, 8, (1, 28, 28), minibatch_stddev=minibatch_stddev)
    for parameter in discriminator.parameters():
        nn.init.normal_(parameter, 0, 0.1)
    x, c = torch.randn(5, 1, 28, 28).requires_grad_(), torch.eye(K)[[0, 1, 2, 0, 1]]
    discriminator.eval().to(memory_format=torch.channels_last)
    exact = squared_norm()
    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        rough = squared_norm()
    assert rough.item() != exact.item()
    assert rough.item() == pytest.approx(exact.item(), rel=0.1)
    rough.backward()
    weights = [p for p in discriminator.parameters() if p.ndim > 1]
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in weights)


@every_network
def test_spectral_normalisation_can_be_put_on_every_discriminator(name):
    _, discriminator = networks(name)
    spectral.normalise(discriminator)
    with spectral.iterating(discriminator):
        logits = discriminator(torch.randn(4, 1, 28, 28), torch.eye(K)[[0, 1, 2, 0]])
    assert logits.isfinite().all()


def test_residual_blocks_start_as_the_identity():
    _, discriminator = networks("r3gan")
    blocks = [module for module in discriminator.modules() if isinstance(module, Block)]
    assert blocks
    for block in blocks:
        x = torch.randn(2, block.widen.in_channels, 7, 7)
        assert torch.equal(block(x), x)
        assert block.branch(x).abs().max() > 0


def test_scaling_activations_equals_convolving_each_image_with_modulated_and_demodulated_weights():
    torch.manual_seed(0)
    layer = stylegan2.StyledLayer(6, 4, 5)
    h, w = torch.randn(3, 4, 8, 8), torch.randn(3, 6)
    with torch.no_grad():
        found = layer(h, w, torch.zeros(3, 1, 8, 8))
        s = layer.style(w)
        for image, scales, result in zip(h, s, found, strict=True):
            weight = layer.convolution.weight * scales[None, :, None, None]
            weight = weight / weight.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
            expected = torch.nn.functional.conv2d(image[None], weight, padding=1) * stylegan2.GAIN
            assert torch.allclose(result, torch.nn.functional.leaky_relu(expected, 0.2)[0], atol=1e-5)


def test_demodulated_maps_of_white_noise_have_unit_variance():
    torch.manual_seed(0)
    weight, s, h = torch.randn(64, 16, 3, 3), 3 * torch.rand(8, 16), torch.randn(8, 16, 32, 32)
    mixed = torch.nn.functional.conv2d(stylegan2.scale(h, s), weight)
    assert stylegan2.scale(mixed, stylegan2.demodulation(weight, s)).var().item() == pytest.approx(
        1, rel=0.05
    )


def test_the_mean_style_moves_in_training_alone():
    generator, _ = networks("stylegan2")
    z, c = inputs(generator)
    before = generator.mean_w.clone()
    generator.eval()(z, c)
    assert torch.equal(before, generator.mean_w)
    generator.train()(z, c)
    assert not torch.equal(before, generator.mean_w)


def test_noise_changes_a_styled_image_once_its_strength_is_not_zero():
    generator, _ = networks("stylegan2")
    z, c = inputs(generator.eval())
    other = torch.cat([z[:, :Z], z[:, Z:].flip(1)], 1)
    with torch.no_grad():
        assert torch.equal(generator(z, c), generator(other, c))
        for module in generator.modules():
            if isinstance(module, stylegan2.StyledLayer):
                module.strength.fill_(0.5)
        assert not torch.equal(generator(z, c), generator(other, c))


@pytest.mark.parametrize("name", [name for name in NETWORKS if NETWORKS[name].TRUNCATES])
def test_truncation_ranges_from_the_generator_itself_to_one_image_a_condition(name):
    generator, _ = networks(name)
    z, c = inputs(generator.eval())
    c = c[:1].expand(4, -1)
    z[:, Z:] = z[:1, Z:]
    with torch.no_grad():
        assert torch.equal(Truncated(generator, 1.0)(z, c), generator(z, c))
        images = Truncated(generator, 0.0)(z, c)
    assert torch.allclose(images, images[:1].expand_as(images), atol=1e-5)
    assert num_inputs(Truncated(generator, 0.5)) == num_inputs(generator)


def test_truncated_latents_keep_their_order_within_the_middle_of_the_normal_distribution():
    z = torch.linspace(-6, 6, 101)
    squeezed = truncate(z, 0.95)
    assert squeezed.diff().min() >= 0
    assert squeezed.abs().max().item() == pytest.approx(1.96, abs=0.01)
    assert torch.equal(truncate(z, 1.0), z)
