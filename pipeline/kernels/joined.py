"""Maps on one channel axis, channels-last."""

import ctypes
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.kernels import library


def side_by_side(h: Tensor, *maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) on one channel axis, channels-last and of the first one's type, whatever the others'
    are: `torch.cat` would give the wider type, in the order of the last, and a convolution would then copy it
    twice.
    """
    rows = [each.to(h.dtype).permute(0, 2, 3, 1) for each in (h, *maps)]
    return Joined.apply(*rows).permute(0, 3, 1, 2)


class Joined(torch.autograd.Function):
    """Tensors on one last axis. Each one's gradient has memory of its own: with slices of one tensor, as
    `torch.cat` hands them back, a ReLU's backward pass takes twenty times as long.
    """

    @staticmethod
    def forward(context: Any, *rows: Tensor) -> Tensor:
        context.sizes = [each.shape[-1] for each in rows]
        return torch.cat(rows, -1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        parts = zip(gradient.split(context.sizes, -1), context.needs_input_grad, strict=True)
        return tuple(part.contiguous() if needed else None for part, needed in parts)


def repeated(h: Tensor, times: int) -> Tensor:
    """Each map (N, C, H, W) so many times, one after the other, channels-last."""
    return h if times == 1 else h.permute(0, 2, 3, 1).repeat_interleave(times, 0).permute(0, 3, 1, 2)


class Beside(ctypes.Structure):
    """What is put beside a map (N, C, H, W): a map (N / P, K, H, W), each row P times, with dropout."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("num", "pixels", "channels", "stride", "draws")),
        ("dropped", ctypes.c_uint32),
        ("seed", ctypes.c_uint32 * 2),
    ]

    @classmethod
    def of(cls, beside: Tensor, h: Tensor, dropout: float) -> "Beside":
        num, channels, height, width = beside.shape
        seed = torch.randint(1 << 32, (2,)).tolist() if dropout else (0, 0)
        dropped = round(dropout * (1 << 32))
        stride, draws = h.shape[1] + channels, len(h) // num
        return cls(num, height * width, channels, stride, draws, dropped, (ctypes.c_uint32 * 2)(*seed))

    @property
    def width(self) -> int:
        return library.width(self.channels) or library.WIDTHS[0]  # if it is copied alone, any

    def join(self, beside: Tensor, y: Tensor) -> None:
        """Fill the last channels of y, (N, C + K, H, W)."""
        name, last = f"join_{library.TYPES[y.dtype]}", y[:, self.stride - self.channels :]
        library.call(name, self.width, self, beside, last)

    def split(self, gradient: Tensor) -> Tensor:
        """The gradient by what stands beside, of that by y."""
        found = maps_like(gradient, self.num, self.channels)
        name, last = f"split_{library.TYPES[gradient.dtype]}", gradient[:, self.stride - self.channels :]
        library.call(name, self.width, self, last, found)
        return found


def maps_like(h: Tensor, num: int, channels: int) -> Tensor:
    """Maps, not filled, of the size and type of others, channels-last."""
    shape = num, channels, *h.shape[2:]
    return torch.empty(shape, dtype=h.dtype, memory_format=torch.channels_last)


def joined(h: Tensor, beside: Tensor, dropout: float) -> Tensor:
    """The same by PyTorch's operations."""
    return side_by_side(h, F.dropout(repeated(beside, len(h) // len(beside)), dropout))
