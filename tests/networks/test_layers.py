"""Layers that compute something known in a faster way, of which the known way is the reference, and sizes."""

import pytest
import torch
import torch.nn.functional as F

from pipeline.networks import layers

spread = layers.MinibatchStddev()


def assert_computes(layer, known, x, shape):
    """The layer is the known function of (x, weight, bias), and its gradients are that function's."""
    inputs = [x, layer.weight, layer.bias]
    found, expected = layer(x), known(*inputs, 2, 1)
    assert found.shape == shape
    assert torch.allclose(found, expected, atol=1e-5)
    gradient = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad(found, inputs, gradient),
        torch.autograd.grad(expected, inputs, gradient),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-4)
    assert set(layer.state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize("channels", [1, 3])
def test_the_last_layer_is_the_transposed_convolution_and_so_are_its_gradients(channels):
    torch.manual_seed(0)
    h = torch.randn(2, 5, 7, 6, requires_grad=True)
    assert_computes(layers.ToImage(5, channels), F.conv_transpose2d, h, (2, channels, 14, 12))


@pytest.mark.parametrize("channels", [1, 4, 9])
def test_the_first_layer_is_the_convolution_and_so_are_its_gradients(channels):
    torch.manual_seed(0)
    x = torch.randn(2, channels, 12, 14, requires_grad=True)
    assert_computes(layers.FromImage(channels, 5), F.conv2d, x, (2, 5, 6, 7))


def test_the_first_layer_follows_autocast_and_its_weights_learn_in_their_own_precision():
    torch.manual_seed(0)
    layer, x = layers.FromImage(1, 5), torch.randn(2, 1, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x)
        assert torch.equal(found, F.conv2d(x, layer.weight, layer.bias, 2, 1))
    assert found.dtype == torch.bfloat16
    found.sum().backward()
    assert {each.grad.dtype for each in (x, layer.weight, layer.bias)} == {torch.float32}


@pytest.mark.parametrize(
    ("side", "levels", "smallest"), [(8, 2, 2), (28, 2, 7), (32, 2, 8), (48, 3, 6), (64, 3, 8), (128, 4, 8)]
)
def test_images_are_halved_until_eight_pixels_are_left_but_twice_at_least(side, levels, smallest):
    assert layers.num_levels((1, side, side)) == levels
    assert layers.smallest_map((1, side, side)) == (smallest, smallest)
    assert layers.map_widths(6, (1, side, side)) == [3, 6, 12, 24, 48][: levels + 1]


def test_the_longer_side_says_how_often_an_image_is_halved():
    assert layers.smallest_map((1, 64, 16)) == (8, 2)
    with pytest.raises(ValueError, match="28 x 30 pixels: sides must be multiples of 4"):
        layers.smallest_map((1, 28, 30))


def test_a_batchs_spread_is_the_mean_standard_deviation_of_each_group_of_four():
    h = torch.tensor([[1.0, 0], [1, 0], [3, 0], [3, 0], [5, 7], [5, 7], [5, 7], [5, 7]])
    # First group: deviations 1 and 0, on average 1/2. Second group: all alike, but for the epsilon 1e-4.
    assert spread(h)[:, :2].tolist() == h.tolist()
    assert spread(h)[:, 2].tolist() == pytest.approx([0.5] * 4 + [0] * 4, abs=2e-4)


def test_the_last_group_is_filled_up_with_the_batchs_first_images():
    h = torch.tensor([[0.0], [2], [0], [2], [9], [11]])
    deviation = torch.tensor([9.0, 11, 0, 2]).std(correction=0).item()
    assert spread(h)[:, 1].tolist() == pytest.approx([1] * 4 + [deviation] * 2, abs=1e-4)


def test_a_batch_smaller_than_a_group_is_one_group():
    assert spread(torch.tensor([[1.0], [3]]))[:, 1].tolist() == pytest.approx([1, 1], abs=1e-4)
    assert spread(torch.zeros(1, 3, 2, 2))[:, 3].flatten().tolist() == pytest.approx([0] * 4, abs=2e-4)


def test_features_are_flattened_with_the_channels_last_and_nothing_that_lies_so_is_copied():
    h = torch.arange(12).view(1, 2, 2, 3)
    assert layers.flatten_nhwc(h).tolist() == [[0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]]
    h = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert layers.flatten_nhwc(h).data_ptr() == h.data_ptr()
