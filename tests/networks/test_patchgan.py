"""The discriminator of patches sees as much as it says, and the condition beside it."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from helpers.networks import K, conditions, discriminator_of, images, untrained_discriminator

from pipeline.networks import patchgan as patch
from pipeline.networks.layers import flatten_nhwc
from pipeline.runtime.errors import InputError

each_patch = pytest.mark.parametrize("patch_size", [1, 4, 10, 22, 46])


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    torch.manual_seed(0)


@each_patch
def test_patches_of_a_size_have_a_logit_each(patch_size: int) -> None:
    """Half as many rows and columns after each convolution."""
    num_halvings = {1: 0, 4: 1, 10: 2, 22: 3, 46: 4}[patch_size]
    shape = (1, 64, 96)
    c = torch.randn(2, K, 64, 96)
    discriminator = untrained_discriminator("unet", width=2, shape=shape, patch_size=patch_size)
    logits = discriminator(images(2, shape), c)
    assert logits.shape == (2, 1, 64 // 2**num_halvings, 96 // 2**num_halvings)


@each_patch
def test_a_logit_sees_a_patch_of_exactly_that_size(patch_size: int) -> None:
    discriminator = discriminator_of("unet", shape=(2, 64, 64), patch_size=patch_size).double()
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


@pytest.mark.parametrize("size", [16, 32, 64])
def test_the_logit_of_the_whole_image_sees_every_pixel(size: int) -> None:
    discriminator = discriminator_of("unet", shape=(2, size, size)).double()
    x = torch.randn(1, 2, size, size, dtype=torch.double, requires_grad=True)
    c = torch.randn(1, K, size, size, dtype=torch.double, requires_grad=True)
    for gradient in torch.autograd.grad(discriminator(x, c).sum(), (x, c)):
        assert (gradient != 0).all()


def test_a_discriminator_of_pixels_is_the_same_function_of_each() -> None:
    discriminator = discriminator_of("unet", patch_size=1)
    x, c = images(), conditions("unet")
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
    message = f"^patch_size = {patch_size}: allowed are 0 [(]the whole image[)], {expected}$"
    with pytest.raises(InputError, match=message):
        untrained_discriminator("unet", shape=(3, side, side), patch_size=patch_size)


@pytest.mark.parametrize(("size", "left"), [(16, 4), (24, 3), (32, 4), (64, 4)])
def test_a_whole_image_is_reduced_to_four_pixels_a_side(size: int, left: int) -> None:
    discriminator = untrained_discriminator("unet", width=2, shape=(3, size, size))
    h = discriminator.layers(torch.randn(1, 3 + K, size, size))
    assert h.shape[2:] == (left, left)
    assert discriminator.head.in_features == h.shape[1] * left**2


def test_image_and_condition_are_one_stack_of_channels() -> None:
    """The first convolution adds what it makes of one to what it makes of the other."""
    discriminator = discriminator_of("unet")
    x, c = images(), conditions("unet")
    first = discriminator.layers.layers[0]
    of_x = F.conv2d(x, first.weight[:, :3], first.bias, 2, 1)
    of_c = F.conv2d(c, first.weight[:, 3:], None, 2, 1)
    torch.testing.assert_close(first(torch.cat([x, c], 1)), of_x + of_c)
    h = discriminator.layers.layers[1:](of_x + of_c)
    expected = discriminator.head(flatten_nhwc(h))[:, 0]
    torch.testing.assert_close(discriminator(x, c), expected)
