"""Gradients for less are the gradients: PyTorch's own are the reference, in double precision."""

import pytest
import torch
import torch.nn.functional as F
from helpers.networks import SHAPE, N, conditions, discriminator_of, each_network
from torch.autograd import gradcheck, gradgradcheck

from pipeline.networks import gradients, layers


def random(*shape):
    source = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=source, dtype=torch.float64, requires_grad=True)


def gradients_of_norm(D, x, c, context):
    """Of D's squared gradient norm at x, the gradients by D's weights; 0 where there is none."""
    x = x.detach().requires_grad_()
    with context:
        logits = D(x, c)
    (by_x,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    found = torch.autograd.grad(by_x.square().sum(), list(D.parameters()), allow_unused=True)
    return [
        torch.zeros_like(weight) if each is None else each
        for weight, each in zip(D.parameters(), found, strict=True)
    ]


@pytest.mark.parametrize("minibatch_stddev", [False, True])
@each_network
def test_the_gradient_of_a_gradient_norm_is_pytorchs(network, minibatch_stddev):
    torch.manual_seed(0)
    D = discriminator_of(network, minibatch_stddev=minibatch_stddev).double()
    x, c = random(N, *SHAPE), conditions(network).double()
    ours = gradients_of_norm(D, x, c, gradients.double_backward())
    known = gradients_of_norm(D, x, c, torch.enable_grad())
    assert any(each.abs().max() > 1e-4 for each in known)
    for one, other in zip(ours, known, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("stride", "padding", "groups"), [(1, 1, 1), (2, 1, 1), (2, (1, 0), 2), (1, "same", 1)]
)
def test_convolutions_have_the_right_gradients(stride, padding, groups):
    h, weight, bias = random(2, 4, 6, 5), random(6, 4 // groups, 3, 3), random(6)

    def convolved(h, weight, bias):
        return gradients.convolution(h, weight, bias, stride, padding, 1, groups)

    known = F.conv2d(h, weight, bias, stride, padding, 1, groups)
    assert torch.equal(convolved(h, weight, bias), known)
    assert gradcheck(convolved, (h, weight, bias))


def test_convolutions_can_be_differentiated_twice_by_everything():
    """Outside the context, which is for gradients by the input: nothing is left out."""
    h, weight, bias = random(2, 3, 6, 4), random(5, 3, 4, 4), random(5)
    assert gradgradcheck(lambda *inputs: gradients.convolution(*inputs, 2, 1), (h, weight, bias))


def test_a_first_layer_learns_from_a_gradient_that_is_differentiated_too():
    torch.manual_seed(0)
    layer = layers.FromImage(3, 5).double()
    x = random(2, 3, 8, 8)
    inputs = (x, layer.weight, layer.bias)
    known = F.conv2d(*inputs, 2, 1).square().sum()
    for found, expected in zip(
        torch.autograd.grad(layer(x).square().sum(), inputs, create_graph=True),
        torch.autograd.grad(known, inputs),
        strict=True,
    ):
        assert torch.allclose(found, expected)


def test_leaky_relus_have_the_right_gradients_once_and_twice():
    h = random(3, 7)
    for ours, known in ((gradients.leaky_relu, F.leaky_relu), (gradients.relu, F.relu)):
        assert torch.equal(ours(h), known(h))
        assert gradcheck(ours, (h,))
        assert gradgradcheck(ours, (h,))


@pytest.mark.parametrize("shape", [(1, 2, 2, 3), (2, 1, 1, 1)])
def test_upsampling_is_a_transposed_convolution_once_and_twice(shape):
    h, weight, bias = random(*shape), random(shape[1], 2, 4, 4), random(2)
    assert torch.allclose(
        gradients.upsample(h, weight, bias), F.conv_transpose2d(h, weight, bias, 2, 1), atol=1e-12
    )
    assert gradcheck(gradients.upsample, (h, weight, bias))
    assert gradgradcheck(gradients.upsample, (h, weight, bias))


def test_outside_the_context_nothing_changes():
    h, weight = random(1, 2, 4, 4), random(2, 2, 3, 3)
    with gradients.double_backward():
        inside = F.conv2d(h, weight)
    assert type(inside.grad_fn).__name__ != type(F.conv2d(h, weight).grad_fn).__name__
    assert type(F.conv2d(h, weight).grad_fn).__name__ == "ConvolutionBackward0"
