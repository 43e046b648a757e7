"""What networks are trained on: processor or GPU, threads, precision; what makes it fast and repeatable."""

import contextlib
import ctypes
import os
import platform
from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import nn

from pipeline.kernels import library
from pipeline.runtime import compiler
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Section

CPU = torch.device("cpu")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>


class Settings(Section):
    threads: Count = 1  # more than the machine's cores makes training slower; another number, other bits
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU if there is one
    precision: Literal["auto", "fp32", "bf16"] = "auto"  # auto: bf16 where the device computes in it
    kernels: Literal["auto", "torch"] = "auto"  # auto: ours on the processor, where a C compiler makes them


_sampling = Settings(device="cpu", precision="fp32")  # of samples, until `configure` is called


def configure(settings: Settings) -> None:
    """Set the number of threads, kernels, and the precision of samples; keep freed memory for the next step,
    leave out PyTorch's compiler, and make a GPU deterministic.
    """
    global _sampling
    _sampling = settings
    compiler.put_off()
    _keep_freed_memory()
    library.wanted = settings.kernels == "auto"
    torch.set_num_threads(settings.threads)
    if device(settings).type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS sums in any order
        torch.use_deterministic_algorithms(True, warn_only=True)


def device(settings: Settings) -> torch.device:
    """Where networks and their data lie; of several processes on one machine, each has a GPU of its own.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    if settings.device == "cpu" or (settings.device == "auto" and not torch.cuda.is_available()):
        return CPU
    if not torch.cuda.is_available():
        raise InputError("compute.device = 'cuda': PyTorch finds no GPU here; allowed are auto, cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def device_of(network: nn.Module) -> torch.device:
    """Where the network's weights lie."""
    return next((parameter.device for parameter in network.parameters()), CPU)


def precision(settings: Settings) -> str:
    """The precision that `settings` come to on this machine: "fp32" or "bf16"."""
    if settings.precision != "auto":
        return settings.precision
    if device(settings).type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "fp32"


def found(settings: Settings) -> dict[str, str]:
    """What `auto` comes to on this machine."""
    ours = device(settings).type == "cpu" and settings.kernels == "auto" and library.available()
    kernels = f"compiled {library.identity()}" if ours else "torch"
    return {"device": device(settings).type, "precision": precision(settings), "kernels": kernels}


def autocast(settings: Settings) -> AbstractContextManager[object]:
    """The context networks are trained in: bf16 convolutions and products on fp32 weights, or plain fp32."""
    if precision(settings) == "fp32":
        return contextlib.nullcontext()
    # no cache: within a step it would keep bf16 copies of weights that an optimizer has changed since
    return torch.autocast(device(settings).type, dtype=torch.bfloat16, cache_enabled=False)


def sampling() -> AbstractContextManager[object]:
    """The context of this process in which trained networks draw."""
    return autocast(_sampling)


def _keep_freed_memory() -> None:
    """Tell glibc not to hand large freed blocks back to the kernel at every step.

    By default each activation above 32 MiB at most is mapped and unmapped anew, and its pages are zeroed each
    time. Has no effect on results; elsewhere than on Linux with glibc it does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
