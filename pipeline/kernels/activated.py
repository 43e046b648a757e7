"""A map normalised, scaled and shifted by a style, with noise, through a leaky ReLU, and what stands beside
it: in two passes over memory.

    y = leaky(u (1 + scale) + shift + strength noise),  u = weight (h - mean) / sqrt(variance + eps) + bias

with mean and variance of each channel over the batch (Ioffe and Szegedy 2015, arXiv:1502.03167), or of each
image over groups of channels (Wu and He 2018, arXiv:1803.08494), and a scale and shift for each image and
channel (Huang and Belongie 2017, arXiv:1703.06868; Karras et al. 2019, arXiv:1812.04948). PyTorch takes a
pass for each operation, and two or three for each gradient.
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function

from pipeline.kernels import library
from pipeline.kernels.joined import Beside, joined, maps_like

NONE, IMAGE, BATCH, KNOWN = range(4)  # no statistics, or those of each image, of the batch, of all training


class Shape(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("num", "pixels", "channels", "groups", "over", "stride")),
        *((name, ctypes.c_float) for name in ("eps", "slope", "momentum")),
    ]


class Rest(NamedTuple):
    """What comes after normalisation."""

    style: Tensor | None = None  # (N, 2 C): scales, then shifts
    noise: Tensor | None = None  # (N, 1, H, W)
    strength: Tensor | None = None  # (C, 1, 1), of the noise
    beside: Tensor | None = None  # (N / P, K, H, W): each row stands beside P of y
    dropout: float = 0.0  # share of the numbers of `beside` that are dropped


NOTHING = Rest()


def activated(h: Tensor, norm: nn.Module, slope: float, rest: Rest = NOTHING) -> Tensor:
    """y, (N, C, H, W), or (N, C + K, H, W) with what stands beside it, of h and a layer of normalisation, or
    nn.Identity, which does none.
    """
    if has_torch_function((h,)):  # `gradients.double_backward`
        return handle_torch_function(activated, (h,), h, norm, slope, rest)
    if not fusible(h, norm, rest):
        return in_steps(h, norm, slope, rest)
    shape, weight, bias = Shape(slope=slope), getattr(norm, "weight", None), getattr(norm, "bias", None)
    running: tuple[Tensor | None, Tensor | None] = None, None
    if isinstance(norm, nn.GroupNorm):
        shape.over, shape.groups, shape.eps = IMAGE, norm.num_groups, norm.eps
    elif isinstance(norm, nn.BatchNorm2d):
        shape.over = BATCH if norm.training or norm.running_mean is None else KNOWN
        shape.eps, shape.momentum, running = norm.eps, norm.momentum, (norm.running_mean, norm.running_var)
        if norm.training and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
    style, noise = (  # in memory as C reads it: noise of a level is a part of longer rows
        each.float().contiguous() if each is not None else None for each in (rest.style, rest.noise)
    )
    beside = rest.beside.to(h.dtype) if rest.beside is not None else None
    tensors = h, weight, bias, style, rest.strength, beside, noise
    found: Tensor = TwoPasses.apply(*tensors, *running, norm, shape, rest.dropout)
    return found


def fusible(h: Tensor, norm: nn.Module, rest: Rest) -> bool:
    """Whether the library does this: of layers of just these types, as some have another `forward`."""
    maps = (
        [h, rest.beside] if rest.beside is not None and (rest.beside.requires_grad or rest.dropout) else [h]
    )
    known = type(norm) in (nn.BatchNorm2d, nn.GroupNorm, nn.Identity) and h.dtype in library.TYPES
    plain = known and h.device.type == "cpu" and type(h) is Tensor
    return plain and all(library.width(each.shape[1]) for each in maps) and library.available()


def in_steps(h: Tensor, norm: Callable[[Tensor], Tensor], slope: float, rest: Rest) -> Tensor:
    """The same by PyTorch's operations."""
    h = norm(h)
    if rest.style is not None:
        scale, shift = rest.style[..., None, None].chunk(2, 1)
        # expanded first: in bf16, adding one number a map takes ten times as long as adding maps
        h = h * (1 + scale) + shift.expand_as(h).contiguous(memory_format=torch.channels_last)
    if rest.strength is not None and rest.noise is not None:
        h = h + (rest.strength * rest.noise).to(h.dtype)
    h = F.leaky_relu(h, slope) if slope else torch.relu(h)
    return joined(h, rest.beside, rest.dropout) if rest.beside is not None else h


class TwoPasses(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        h: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        style: Tensor | None,
        strength: Tensor | None,
        beside: Tensor | None,
        noise: Tensor | None,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        norm: nn.Module,
        shape: Shape,
        dropout: float,
    ) -> Tensor:
        h = h.contiguous(memory_format=torch.channels_last)
        shape.num, shape.channels, *sides = h.shape
        shape.pixels, shape.stride = sides[0] * sides[1], shape.channels
        context.beside = None
        if beside is not None:
            beside = beside.contiguous(memory_format=torch.channels_last)
            context.beside = Beside.of(beside, h, dropout)
            shape.stride = context.beside.stride
        mean, rstd, a, b = torch.empty(4, shape.num, shape.channels)
        y = maps_like(h, shape.num, shape.stride)
        tensors = h, weight, bias, style, noise, strength, mean, rstd, a, b
        name, width = f"forward_{library.TYPES[h.dtype]}", library.width(shape.channels)
        library.call(name, width, shape, *tensors, running_mean, running_var, y)
        if beside is not None:
            context.beside.join(beside, y)
        context.save_for_backward(*tensors, beside)
        context.norm, context.shape, context.dropout = norm, shape, dropout
        return y

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        if torch.is_grad_enabled():  # this gradient is to be differentiated itself
            return gradients_in_steps(context, gradient)
        shape, saved = context.shape, context.saved_tensors[:-1]
        h, weight, bias, style, _, strength, *_ = saved
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        asked = weight, bias, style, strength
        found = [torch.empty_like(each) if each is not None else None for each in asked]
        dh, space = torch.empty_like(h), torch.empty(5 * shape.num * shape.channels)
        name, width = f"backward_{library.TYPES[h.dtype]}", library.width(shape.channels)
        library.call(name, width, shape, gradient, *saved, *found, dh, space)
        by_beside = context.beside.split(gradient) if context.needs_input_grad[5] else None
        return dh, *found, by_beside, *[None] * 6


def gradients_in_steps(context: Any, gradient: Tensor) -> Any:
    """What `TwoPasses.backward` gives, by PyTorch's operations, of maps without dropout."""
    h, weight, bias, style, noise, strength, *_, beside = context.saved_tensors
    norm, shape = context.norm, context.shape
    assert not context.dropout, "each time it is drawn anew"

    def again(h: Tensor) -> Tensor:  # with no second look for the statistics of all training
        if shape.over != BATCH:
            return norm(h)
        return F.batch_norm(h, None, None, weight, bias, True, 0.0, shape.eps)

    y = in_steps(h, again, shape.slope, Rest(style, noise, strength, beside))
    inputs = h, weight, bias, style, strength, beside
    asked = [each for each in inputs if each is not None and each.requires_grad]
    found = dict(zip(map(id, asked), torch.autograd.grad(y, asked, gradient, create_graph=True), strict=True))
    return *(found.get(id(each)) for each in inputs), *[None] * 6
