"""What all networks of images keep, whatever their condition: what their answers and logits depend on."""

import pytest
import torch
from helpers.networks import (
    IMAGE_NETWORKS,
    NETWORKS,
    SHAPE,
    K,
    N,
    Z,
    conditions,
    discriminator_of,
    each_class_network,
    each_network,
    generator_of,
    images,
    latents,
    other_conditions,
    untrained,
    untrained_discriminator,
)
from pydantic import ValidationError
from torch import nn

from pipeline.networks import dcgan, spectral
from pipeline.networks.network import Spec, available, load, num_inputs
from pipeline.networks.truncation import Truncated
from pipeline.runtime.errors import InputError

each_patch = pytest.mark.parametrize(
    ("network", "patch_size"), [*((name, 0) for name in NETWORKS), ("unet", 4), ("unet", 1)]
)


@pytest.fixture(autouse=True)
def _same_weights_each_time():
    torch.manual_seed(0)


def test_a_network_is_known_by_the_name_of_its_module_and_others_are_refused_with_those_there_are():
    assert load("dcgan") is dcgan.NETWORK
    assert {"mlp", "unet", "caption", "points", "line", "classifier"} < set(available())
    assert "layers" not in available()
    with pytest.raises(InputError, match=r"^network = 'layers': allowed are biggan, .*, unet$"):
        load("layers")


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 32), (5, 48, 48), (1, 64, 64)], ids=str)
@each_network
def test_images_of_any_size_and_channels_go_through_both_networks(network, shape):
    generator = untrained(network, width=2, shape=shape)
    c = conditions(network, 2, shape)
    x = generator(latents(generator, 2), c)
    assert x.shape == (2, *shape)
    logits = untrained_discriminator(network, width=2, shape=shape)(x, c)
    assert logits.shape == (2,)
    assert logits.isfinite().all()


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 48, 48)], ids=str)
@each_class_network
def test_digits_and_drawings_go_through_both_networks_without_a_condition(network, shape):
    generator, nothing = untrained(network, num_conditions=0, width=4, shape=shape), torch.empty(4, 0)
    x = generator.eval()(20 * latents(generator, 4), nothing)
    assert x.shape == (4, *shape)
    assert x.abs().max() <= 1
    assert untrained_discriminator(network, 0, 4, shape)(x, nothing).shape == (4,)


@each_network
def test_generated_values_fill_the_range_from_minus_one_to_one_and_never_leave_it(network):
    generator = generator_of(network)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(12)
        x = generator(latents(generator), conditions(network))
    assert -1 <= x.min().item() < -0.9
    assert 0.9 < x.max().item() <= 1


@each_network
def test_in_evaluation_an_image_is_a_function_of_its_own_latents_and_condition(network):
    generator = generator_of(network)
    z, c = latents(generator), conditions(network)
    x = generator(z, c)
    torch.rand(7)
    assert torch.equal(generator(z, c), x)
    for i in range(N):
        alone = generator(z[i : i + 1], c[i : i + 1])[0]
        torch.testing.assert_close(alone, x[i], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(generator(z.flip(0), c.flip(0)), x.flip(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("network", "every_level"),
    [(name, True) for name in NETWORKS] + [(name, False) for name in IMAGE_NETWORKS],
)
def test_a_generator_answers_both_to_its_latents_and_to_its_condition(network, every_level):
    generator = generator_of(network, latents_at_every_level=every_level)
    z, c = latents(generator), conditions(network)
    x = generator(z, c)
    for changed in (generator(latents(generator), c), generator(z, other_conditions(network, c))):
        assert ((changed - x).abs().flatten(1).amax(1) > 1e-4).all()


@each_network
def test_a_generator_without_latents_gives_one_answer_a_condition(network):
    generator = generator_of(network, num_latents=0)
    c, z = conditions(network)[[0, 1, 0, 1, 0]], torch.empty(N, 0)
    x = generator(z, c)
    assert torch.equal(x[0], x[2])
    assert torch.equal(x[1], x[3])
    assert not torch.allclose(x[0], x[1], atol=1e-4)
    trained = generator.train()(z, c)
    torch.rand(7)
    assert torch.equal(generator(z, c), trained)  # nothing is random in training either


@each_network
def test_draws_of_one_condition_are_those_of_as_many_equal_conditions(network):
    generator = generator_of(network)
    z, c = latents(generator, 3 * N), conditions(network)
    expected = generator(z, c.repeat_interleave(3, 0))
    torch.testing.assert_close(generator(z, c), expected, rtol=1e-4, atol=1e-5)


@each_patch
def test_a_discriminator_made_without_conditions_ignores_them(network, patch_size):
    discriminator = discriminator_of(network, 0, patch_size=patch_size)
    x, c = images(), conditions(network)
    logits = discriminator(x, torch.empty(N, 0))
    assert torch.equal(discriminator(x, c), logits)
    assert torch.equal(discriminator(x, torch.full_like(c, 1000)), logits)


@each_network
def test_a_discriminator_made_with_conditions_heeds_them_and_the_images(network):
    discriminator = discriminator_of(network)
    x, c = images(), conditions(network)
    logits = discriminator(x, c)
    assert torch.equal(discriminator(x, c), logits)
    assert (discriminator(x, other_conditions(network, c)) != logits).all()
    assert (discriminator(images(), c) != logits).all()


@each_network
def test_gradients_reach_every_weight_of_both_networks(network):
    generator, discriminator = untrained(network), discriminator_of(network).train()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # a residual branch starts with a gain of 0
    z, c = latents(generator, 64), conditions(network, 64)
    discriminator(generator(z, c), c).square().sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@each_patch
def test_a_discriminator_scores_each_image_alone_and_stores_nothing_of_it(network, patch_size):
    discriminator = discriminator_of(network, patch_size=patch_size).train()
    x, c = images(), conditions(network)
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    discriminator(7 * x, c)
    assert all(torch.equal(value, before[name]) for name, value in discriminator.state_dict().items())
    assert list(discriminator.buffers()) == []
    logits = discriminator.eval()(x, c)
    for i in range(N):
        alone = discriminator(x[i : i + 1], c[i : i + 1])[0]
        torch.testing.assert_close(alone, logits[i], rtol=1e-4, atol=1e-4)


@each_patch
def test_a_discriminator_with_minibatch_stddev_scores_images_together(network, patch_size):
    discriminator = discriminator_of(network, minibatch_stddev=True, patch_size=patch_size)
    x, c = images(), conditions(network)
    logits = discriminator(x, c)
    assert logits.shape == {0: (N,), 1: (N, 1, 16, 32), 4: (N, 1, 8, 16)}[patch_size]
    assert not torch.allclose(discriminator(x[:1], c[:1]), logits[:1], rtol=0, atol=1e-4)


@each_network
def test_a_discriminator_that_has_batch_norm_uses_the_batch_it_sees_and_stores_nothing(network):
    discriminator, plain = discriminator_of(network, batch_norm=True), discriminator_of(network)
    norms = [module for module in discriminator.modules() if isinstance(module, nn.BatchNorm2d)]
    assert bool(norms) is load(network).batch_norm
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())
    if norms:
        x, c = images(), conditions(network)
        logits = discriminator.train()(x, c)
        assert torch.equal(discriminator.eval()(x, c), logits)
        assert not torch.allclose(discriminator(x[:2], c[:2]), logits[:2], atol=1e-5)
        assert list(discriminator.buffers()) == []


@pytest.mark.parametrize("minibatch_stddev", [False, True])
@each_network
def test_a_discriminator_can_be_differentiated_twice_in_bf16_too(network, minibatch_stddev):
    def squared_norm():
        (gradient,) = torch.autograd.grad(discriminator(x, c).float().sum(), x, create_graph=True)
        return gradient.square().sum()

    discriminator = untrained_discriminator(network, minibatch_stddev=minibatch_stddev).eval()
    for parameter in discriminator.parameters():
        nn.init.normal_(parameter, 0, 0.1)
    x, c = torch.randn(5, *SHAPE).requires_grad_(), conditions(network)
    discriminator.to(memory_format=torch.channels_last)
    exact = squared_norm()
    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        rough = squared_norm()
    assert rough.item() != exact.item()
    assert rough.item() == pytest.approx(exact.item(), rel=0.1)
    rough.backward()
    weights = [p for p in discriminator.parameters() if p.ndim > 1]
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in weights)


@each_network
def test_spectral_normalisation_can_be_put_on_every_discriminator(network):
    discriminator = untrained_discriminator(network)
    spectral.normalise(discriminator)
    with spectral.iterating(discriminator):
        assert discriminator(images(), conditions(network)).isfinite().all()


@pytest.mark.parametrize("network", [name for name in NETWORKS if load(name).truncates])
def test_truncation_ranges_from_the_generator_itself_to_one_image_a_condition(network):
    generator = generator_of(network)
    z, c = latents(generator), conditions(network, 1).expand(N, -1)
    z[:, Z:] = z[:1, Z:]
    with torch.no_grad():
        assert torch.equal(Truncated(generator, 1.0)(z, c), generator(z, c))
        x = Truncated(generator, 0.0)(z, c)
    torch.testing.assert_close(x, x[:1].expand_as(x), rtol=0, atol=1e-5)
    assert num_inputs(Truncated(generator, 0.5)) == num_inputs(generator)


def test_a_spec_of_unknown_keys_is_refused():
    with pytest.raises(ValidationError, match="depth"):
        Spec(method="adversarial", network="dcgan", width=K, image_shape=list(SHAPE), depth=2)
