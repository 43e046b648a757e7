"""The networks keep the signature they share, and each the property that its paper gives it."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from pipeline.networks import dcgan, line, mlp
from pipeline.networks.classifier import NUM_FEATURES, FeatureNetwork
from pipeline.networks.layers import append_stddev, flatten_nhwc, num_levels, smallest_map
from pipeline.networks.network import Spec, available, load, num_inputs
from pipeline.runtime import size
from pipeline.runtime.errors import InputError

torch.set_num_threads(1)
SHAPE = (3, 8, 12)  # neither square nor grey, so that axes cannot be swapped unseen
N, Z, K, WIDTH = 5, 4, 2, 3

NETWORKS = {name: load(name) for name in available() if "class" in load(name).CONDITIONS}
each_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


@pytest.fixture(autouse=True)
def _same_weights_each_time():
    torch.manual_seed(0)


def images(num: int = N) -> torch.Tensor:
    return torch.rand(num, *SHAPE) * 2 - 1


def test_a_network_is_known_by_the_name_of_its_module_and_others_are_refused_with_those_there_are():
    assert load("dcgan") is dcgan
    assert {"mlp", "unet", "caption", "points", "line", "classifier"} < set(available())
    assert "layers" not in available()
    with pytest.raises(InputError, match=r"^network = 'layers': allowed are biggan, .*, unet$"):
        load("layers")


@each_network
def test_generated_values_fill_the_range_from_minus_one_to_one_and_never_leave_it(network):
    generator = network.Generator(Z, 0, WIDTH, SHAPE).eval()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(30)
        x = generator(torch.randn(N, num_inputs(generator)), torch.empty(N, 0))
    assert -1 <= x.min().item() < -0.9
    assert 0.9 < x.max().item() <= 1


@each_network
def test_a_generator_without_latents_gives_one_answer_a_condition(network):
    generator = network.Generator(0, K, WIDTH, SHAPE).eval()
    c = torch.eye(K)[[0, 1, 0, 1, 0]]
    x = generator(torch.empty(N, 0), c)
    assert torch.equal(x[0], x[2])
    assert torch.equal(x[1], x[3])
    assert not torch.allclose(x[0], x[1], atol=1e-7)


@each_network
def test_a_discriminator_made_without_conditions_ignores_them(network):
    discriminator = network.Discriminator(0, WIDTH, SHAPE).eval()
    x = images()
    logits = discriminator(x, torch.empty(N, 0))
    assert torch.equal(discriminator(x, torch.randn(N, K)), logits)
    assert torch.equal(discriminator(x, torch.full((N, K), 1e3)), logits)


@each_network
def test_a_discriminator_made_with_conditions_heeds_them_and_the_images(network):
    discriminator = network.Discriminator(K, WIDTH, SHAPE).eval()
    x, c = images(), torch.randn(N, K)
    logits = discriminator(x, c)
    assert torch.equal(discriminator(x, c), logits)
    assert (discriminator(x, c + 1) != logits).all()
    assert (discriminator(images(), c) != logits).all()


@each_network
def test_gradients_reach_every_weight_of_both_networks(network):
    generator = network.Generator(Z, K, WIDTH, SHAPE)
    discriminator = network.Discriminator(K, WIDTH, SHAPE)
    with torch.no_grad():
        for parameter in [*generator.parameters(), *discriminator.parameters()]:
            parameter.add_(0.1 * torch.randn_like(parameter))  # a residual branch starts with a gain of 0
    z, c = torch.randn(64, num_inputs(generator)), torch.randn(64, K)
    discriminator(generator(z, c), c).square().sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@each_network
def test_a_discriminator_stores_no_statistics_of_what_it_has_seen(network):
    discriminator = network.Discriminator(K, WIDTH, SHAPE).train()
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    discriminator(images() * 7, torch.randn(N, K))
    after = discriminator.state_dict()
    assert set(after) == {name for name, _ in discriminator.named_parameters()}
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert list(discriminator.buffers()) == []


def test_the_convolutional_generator_does_store_statistics_to_draw_single_images_by():
    generator = dcgan.Generator(Z, 0, WIDTH, SHAPE).train()
    before = generator.layers[0].running_var.clone()
    generator(torch.randn(N, Z), torch.empty(N, 0))
    assert not torch.equal(generator.layers[0].running_var, before)
    z = torch.randn(N, Z)
    alone = generator.eval()(z[:1], torch.empty(1, 0))
    torch.testing.assert_close(generator(z, torch.empty(N, 0))[:1], alone)


def test_the_convolutional_discriminator_with_batch_norm_uses_the_batch_it_sees_in_evaluation_too():
    discriminator = dcgan.Discriminator(0, WIDTH, SHAPE, batch_norm=True)
    x, c = images(), torch.empty(N, 0)
    logits = discriminator.train()(x, c)
    assert torch.equal(discriminator.eval()(x, c), logits)
    assert not torch.allclose(discriminator(x[:2], c[:2]), logits[:2], atol=1e-7)


@each_network
def test_a_discriminator_scores_each_image_alone(network):
    discriminator = network.Discriminator(K, WIDTH, SHAPE).eval()
    x, c = images(), torch.randn(N, K)
    logits = discriminator(x, c)
    for i in range(N):
        torch.testing.assert_close(discriminator(x[i : i + 1], c[i : i + 1])[0], logits[i])


@each_network
def test_a_discriminator_with_minibatch_stddev_scores_images_together(network):
    discriminator = network.Discriminator(K, WIDTH, SHAPE, minibatch_stddev=True).eval()
    x, c = images(), torch.randn(N, K)
    logits = discriminator(x, c)
    assert logits.shape == (N,)
    assert not torch.allclose(discriminator(x[:1], c[:1]), logits[:1], atol=1e-7)


@each_network
def test_only_a_discriminator_that_has_batch_norm_can_be_asked_for_it(network):
    if network.BATCH_NORM:
        layers = network.Discriminator(K, WIDTH, SHAPE, batch_norm=True).modules()
        assert any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
    else:
        with pytest.raises(ValueError, match="batch_norm = true"):
            network.Discriminator(K, WIDTH, SHAPE, batch_norm=True)
    assert not any(
        isinstance(layer, nn.BatchNorm2d) for layer in network.Discriminator(K, WIDTH, SHAPE).modules()
    )


@pytest.mark.parametrize(
    ("side", "levels", "smallest"), [(8, 2, 2), (28, 2, 7), (32, 2, 8), (48, 3, 6), (64, 3, 8), (128, 4, 8)]
)
def test_images_are_halved_until_eight_pixels_are_left_but_twice_at_least(side, levels, smallest):
    assert num_levels((1, side, side)) == levels
    assert smallest_map((1, side, side)) == (smallest, smallest)


def test_the_longer_side_says_how_often_an_image_is_halved():
    assert smallest_map((1, 64, 16)) == (8, 2)
    with pytest.raises(ValueError, match="28 x 30 pixels: sides must be multiples of 4"):
        smallest_map((1, 28, 30))


def test_a_batchs_spread_is_the_mean_standard_deviation_of_each_group_of_four():
    h = torch.tensor([[1.0, 0], [1, 0], [3, 0], [3, 0], [5, 7], [5, 7], [5, 7], [5, 7]])
    # First group: deviations 1 and 0, on average 1/2. Second group: all alike, but for the epsilon 1e-4.
    assert append_stddev(h)[:, :2].tolist() == h.tolist()
    assert append_stddev(h)[:, 2].tolist() == pytest.approx([0.5] * 4 + [0] * 4, abs=2e-4)


def test_the_last_group_is_filled_up_with_the_batchs_first_images():
    h = torch.tensor([[0.0], [2], [0], [2], [9], [11]])
    spread = append_stddev(h)[:, 1].tolist()
    deviation = torch.tensor([9.0, 11, 0, 2]).std(correction=0).item()
    assert spread == pytest.approx([1] * 4 + [deviation] * 2, abs=1e-4)


def test_a_batch_smaller_than_a_group_is_one_group():
    assert append_stddev(torch.tensor([[1.0], [3]]))[:, 1].tolist() == pytest.approx([1, 1], abs=1e-4)
    assert append_stddev(torch.zeros(1, 3, 2, 2))[:, 3].flatten().tolist() == pytest.approx([0] * 4, abs=2e-4)


def test_the_condition_enters_the_convolutional_logits_by_projection_alone():
    discriminator = dcgan.Discriminator(K, WIDTH, SHAPE)
    x, c = images(), torch.randn(N, K)
    h = discriminator.layers(x)
    f = torch.stack([h[:, :, i, j] for i in range(2) for j in range(3)], 1).flatten(1)  # (N, H * W * C)
    head = discriminator.head
    w, b, v = head.linear.weight[0], head.linear.bias, head.project.weight
    expected = f @ w + b + torch.einsum("nk,kd,nd->n", c, v, f)
    torch.testing.assert_close(discriminator(x, c), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(discriminator(x, torch.zeros(N, K)), f @ w + b, rtol=1e-5, atol=1e-6)


def test_features_are_flattened_with_the_channels_last():
    h = torch.arange(12).view(1, 2, 2, 3)
    assert flatten_nhwc(h).tolist() == [[0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]]


def test_flattening_copies_nothing_that_lies_channels_last():
    h = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert flatten_nhwc(h).data_ptr() == h.data_ptr()


def test_convolutional_weights_start_at_the_papers_deviation_and_biases_at_zero():
    discriminator = dcgan.Discriminator(K, 32, (1, 28, 28))
    for layer in (discriminator.layers[2], discriminator.head.linear, discriminator.head.project):
        assert layer.weight.mean().item() == pytest.approx(0, abs=0.003)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert discriminator.head.linear.bias.tolist() == [0]
    assert discriminator.layers[0].bias.tolist() == [0] * 32


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
    discriminator = mlp.Discriminator(0, 16, SHAPE)
    x, c = images(), torch.empty(N, 0)
    assert not torch.equal(discriminator.train()(x, c), discriminator(x, c))
    assert torch.equal(discriminator.eval()(x, c), discriminator(x, c))
    assert [m.p for m in discriminator.modules() if isinstance(m, nn.Dropout)] == [0.3, 0.3]


def test_the_first_generator_is_two_relu_layers_and_tanh():
    generator = mlp.Generator(Z, K, WIDTH, SHAPE)
    z, c = torch.randn(N, Z), torch.randn(N, K)
    weights = [(layer.weight, layer.bias) for layer in generator.layers if isinstance(layer, nn.Linear)]
    h = torch.cat([z, c], 1)
    for w, b in weights[:-1]:
        h = (h @ w.T + b).clamp(min=0)
        assert h.shape == (N, 4 * WIDTH)
    w, b = weights[-1]
    expected = torch.tanh(h @ w.T + b).view(N, *SHAPE)
    assert len(weights) == 3
    torch.testing.assert_close(generator(z, c), expected)


def test_the_first_generators_weights_are_counted_as_by_hand():
    generator = mlp.Generator(5, 3, 2, (1, 28, 28))  # two layers of 8 units
    assert size.num_parameters(generator) == (5 + 3 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 28 * 28 == 7200


@each_network
def test_draws_of_one_condition_are_those_of_as_many_equal_conditions(network):
    generator = network.Generator(Z, K, WIDTH, SHAPE).eval()
    z, c = torch.randn(2 * N, num_inputs(generator)), torch.randn(N, K)
    assert torch.equal(generator(z, c), generator(z, c.repeat_interleave(2, 0)))


def test_the_networks_of_numbers_take_numbers_and_their_conditions():
    generator, discriminator = line.Generator(Z, 1, 8), line.Discriminator(1, 8, (1,))
    z, c = torch.randn(N, Z), torch.randn(N, 1)
    x = generator(z, c)
    logits = discriminator(x, c)
    assert (x.shape, logits.shape) == ((N, 1), (N,))
    assert (generator(z, c + 1) != x).all()
    assert (generator(z + 1, c) != x).all()
    assert (discriminator(x + 1, c) != logits).all()
    assert (discriminator(x, c + 1) != logits).all()
    blind = line.Discriminator(0, 8, (1,))
    assert torch.equal(blind(x, c), blind(x, c + 1))
    draws = torch.randn(2 * N, Z)
    assert torch.equal(generator(draws, c), generator(draws, c.repeat_interleave(2, 0)))


def test_the_classifiers_logits_are_its_head_on_features_that_are_not_negative():
    network = FeatureNetwork(2, 10)
    x = torch.rand(N, 1, 28, 28) * 2 - 1
    before = network.linear(network.convolutions(x).permute(0, 2, 3, 1).reshape(N, -1))
    f = network.features(x)
    assert f.shape == (N, NUM_FEATURES) == (N, 128)
    assert (before < 0).any()
    torch.testing.assert_close(f, before.clamp(min=0))
    assert network(x).shape == (N, 10)
    assert torch.equal(network(x), network.head(f))


def test_the_classifier_takes_an_image_the_same_whatever_stands_beside_it():
    network = FeatureNetwork(2, 10)
    x = torch.rand(N, 1, 28, 28) * 2 - 1
    torch.testing.assert_close(network(x)[:1], network(x[:1]))
    assert list(network.buffers()) == []


def test_a_classifier_is_built_as_its_spec_says_and_a_key_that_is_unknown_is_refused():
    settings = {"method": "classification", "network": "classifier", "image_shape": [1, 28, 28]}
    network = Spec(**settings, width=3, num_conditions=7).build()
    sizes = [math.prod(p.shape) for p in network.parameters()]
    assert sizes == [27, 3, 162, 6, 324, 6, 128 * 6 * 49, 128, 7 * 128, 7]
    with pytest.raises(ValidationError, match="depth"):
        Spec(**settings, width=3, num_conditions=7, depth=2)
