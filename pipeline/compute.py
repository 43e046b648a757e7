"""The processor: how many threads, which precision, and the two settings that make it fast and repeatable."""

import contextlib
import ctypes
import platform
from contextlib import AbstractContextManager
from typing import Literal

import torch

from pipeline.params import Count, Section

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>


class Params(Section):
    threads: Count  # more than the machine's cores makes training slower; another number, other bits
    precision: Literal["auto", "fp32", "bf16"]  # auto: bf16 where the processor computes in it


def configure(params: Params) -> None:
    """Make this process compute with `threads` threads and keep freed memory for the next step."""
    _keep_freed_memory()
    torch.set_num_threads(params.threads)


def precision(params: Params) -> str:
    """The precision that `params` come to on this machine: "fp32" or "bf16"."""
    if params.precision != "auto":
        return params.precision
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "fp32"


def autocast(params: Params) -> AbstractContextManager[object]:
    """The context networks are trained in: bf16 convolutions and products on fp32 weights, or plain fp32."""
    if precision(params) == "fp32":
        return contextlib.nullcontext()
    # no cache: within a step it would keep bf16 copies of weights that an optimizer has changed since
    return torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False)


def _keep_freed_memory() -> None:
    """Tell glibc not to hand large freed blocks back to the kernel at every step.

    By default each activation above 32 MiB at most is mapped and unmapped anew, and its pages are zeroed each
    time. Has no effect on results; elsewhere than on Linux with glibc it does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
