"""Gradients for less: convolutions of images, and double backward.

PyTorch differentiates the backward pass of a convolution by a convolution whose batch is the channels, which
is slow, and that of a leaky ReLU into zeros, which it then sends back through the whole network. Within
`double_backward()` the first becomes what any backward pass computes, and the second nothing: a penalty on a
discriminator's gradient takes half as long.
"""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.overrides import TorchFunctionMode, handle_torch_function, has_torch_function

from pipeline.kernels.activated import activated, in_steps

FEW = 4  # channels of an image, its condition among them


class double_backward(TorchFunctionMode):  # a context, so in lower case
    """In this context a gradient with respect to the inputs supports a second backward pass, to the weights;
    a first gradient with respect to the weights does not, with `create_graph`.
    """

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is activated:
            with self:
                return in_steps(*args)
        by_input = partial(convolution, only_by_input=True)
        ours: dict[Any, Any] = {
            torch.conv2d: by_input,
            convolution: by_input,
            F.leaky_relu: leaky_relu,
            F.relu: relu,
        }
        return ours.get(function, function)(*args, **(kwargs or {}))


def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    only_by_input: bool = False,
) -> Any:
    """torch.conv2d; with `only_by_input`, a gradient to be differentiated itself is by the input alone."""
    how = stride, padding, dilation, groups
    if has_torch_function((input, weight)):  # `double_backward`
        return handle_torch_function(convolution, (input, weight), input, weight, bias, *how)
    if isinstance(padding, str):
        return torch.conv2d(input, weight, bias, *how)
    sizes = ((each, each) if isinstance(each, int) else tuple(each) for each in how[:3])
    return Convolution.apply(input, weight, bias, (*sizes, False, (0, 0), groups), only_by_input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """F.leaky_relu, never in place."""
    return LeakyReLU.apply(input, negative_slope)


def relu(input: Tensor, inplace: bool = False) -> Any:
    """F.relu, never in place."""
    return LeakyReLU.apply(input, 0.0)


def upsample(h: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.conv_transpose2d(h, weight, bias, stride=2, padding=1) for weights of 4 x 4 pixels, (C, K, 4, 4):
    (N, C, H, W) -> (N, K, 2 H, 2 W).

    Computed as what it equals, a 3 x 3 convolution to each output's four pixels, which are then put in their
    places (Shi et al. 2016, arXiv:1609.07009): to the few channels of an image that is several times faster.
    """
    for axis in (3, 2):  # output row 2 y + a takes input row y + d - 1 times the weights' row 3 - 2 d + a
        rows = weight.unbind(axis)
        none = torch.zeros_like(rows[0])
        taps = [rows[3], rows[1], none, none, rows[2], rows[0]]
        weight = torch.stack(taps, axis).unflatten(axis, (2, 3))  # (C, K, a, d, b, e) in the end
    weight = weight.permute(1, 2, 4, 0, 3, 5).flatten(0, 2)
    bias = bias.repeat_interleave(4) if bias is not None else None
    return F.pixel_shuffle(F.conv2d(h, weight, bias, padding=1), 2)


class Convolution(Function):
    """A convolution whose gradient by its input is cheap, too, where the input is an image."""

    @staticmethod
    def forward(
        context: Any, h: Tensor, weight: Tensor, bias: Tensor | None, how: Any, only_by_input: bool
    ) -> Tensor:
        context.save_for_backward(h, weight)
        context.how, context.only_by_input = how, only_by_input
        return forward(h, weight, bias, how)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        h, weight = context.saved_tensors
        by_h, by_weight, by_bias, *_ = context.needs_input_grad
        if context.only_by_input and torch.is_grad_enabled():
            by_weight = by_bias = False
        return (
            InputGradient.apply(gradient, h.detach(), weight, context.how) if by_h else None,
            weight_gradient(gradient, h, weight, context.how) if by_weight else None,
            gradient.sum((0, 2, 3)) if by_bias else None,
            None,
            None,
        )


class InputGradient(Function):
    """A convolution's gradient by its input h, linear in the gradient by its output and in the weights."""

    @staticmethod
    def forward(context: Any, gradient: Tensor, h: Tensor, weight: Tensor, how: Any) -> Any:
        context.save_for_backward(gradient, weight)
        context.how = how
        if weight.shape[1] <= FEW and weight.shape[2:] == (4, 4) and how[:3] == ((2, 2), (1, 1), (1, 1)):
            return upsample(gradient, weight)
        return torch.ops.aten.convolution_backward(gradient, h, weight, None, *how, (True, False, False))[0]

    @staticmethod
    def backward(context: Any, incoming: Tensor) -> Any:
        gradient, weight = context.saved_tensors
        by_gradient, _, by_weight, _ = context.needs_input_grad
        return (
            forward(incoming, weight, None, context.how) if by_gradient else None,
            None,
            weight_gradient(gradient, incoming, weight, context.how) if by_weight else None,
            None,
        )


def forward(h: Tensor, weight: Tensor, bias: Tensor | None, how: Any) -> Tensor:
    stride, padding, dilation, _, _, groups = how
    return torch.conv2d(h, weight, bias, stride, padding, dilation, groups)


def weight_gradient(gradient: Tensor, h: Tensor, weight: Tensor, how: Any) -> Any:
    return torch.ops.aten.convolution_backward(gradient, h, weight, None, *how, (False, True, False))[1]


class LeakyReLU(Function):
    """A leaky ReLU whose slope does not change with its input."""

    @staticmethod
    def forward(context: Any, h: Tensor, slope: float) -> Tensor:
        context.save_for_backward(h)
        context.slope = slope
        return F.leaky_relu(h, slope)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        (h,) = context.saved_tensors
        return Slope.apply(gradient, h.detach(), context.slope), None


class Slope(Function):
    """A gradient times the slope of a leaky ReLU at h."""

    @staticmethod
    def forward(context: Any, gradient: Tensor, h: Tensor, slope: float) -> Any:
        context.save_for_backward(h)
        context.slope = slope
        return torch.ops.aten.leaky_relu_backward(gradient, h, slope, False)

    @staticmethod
    def backward(context: Any, incoming: Tensor) -> Any:
        (h,) = context.saved_tensors
        return torch.ops.aten.leaky_relu_backward(incoming, h, context.slope, False), None, None
