"""Several processes, one training: each takes its share of every batch (data parallelism by PyTorch's
DistributedDataParallel, Li et al. 2020, arXiv:2006.15704).

All random numbers are drawn as one process would draw them, for the whole batch, and each takes its rows;
gradients are averaged and batch statistics are of the whole batch. So N processes make the very steps of one,
but for rounding. The first of them alone writes, logs and draws.

They are started by `launch`, on this machine, or by torchrun, on several, which need not share a disk.
"""

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.runtime import randomness
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Section

T = TypeVar("T")

DROPOUT = "dropout"  # purpose of random numbers
GPUS = "cpu:gloo,cuda:nccl"  # backends where tensors lie on GPUs; what is told beside them goes by gloo
# how those end that are stopped because another ended: by the signal, or by our own handler of it
STOPPED = (-signal.SIGTERM, 128 + signal.SIGTERM)


class Settings(Section):
    processes: Count = 1  # of a generator's training, each with `compute.threads` of its own


def world() -> int:
    """How many processes share this training."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0 on."""
    return dist.get_rank() if dist.is_initialized() else 0


def seed_dropout(seed: int, step: int) -> None:
    """Make the numbers that dropout draws a function of seed and step; each process draws its own."""
    torch.manual_seed(randomness.derive(seed, DROPOUT, step * world() + rank()))


def is_worker() -> bool:
    """Whether this process was started to take part: by `launch`, or by torchrun on several machines."""
    return "RANK" in os.environ


def launch(processes: int) -> None:
    """Run this process's own command line once more, in so many processes that work together, to its end.

    Raises:
        InputError: one of them ended early; the others were stopped.
        SystemExit: it had said why itself; with its exit code.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    here = LaunchConfig(1, 1, processes, rdzv_backend="c10d", rdzv_endpoint="127.0.0.1:0")
    config = replace(here, run_id=str(os.getpid()), max_restarts=0, monitor_interval=0.1)
    module = sys.modules["__main__"].__spec__
    assert module is not None, "stages are run as modules"
    try:
        elastic_launch(config, sys.executable)("-m", module.name, *sys.argv[1:])
    except ChildFailedError as error:
        first = {rank: each for rank, each in error.failures.items() if each.exitcode not in STOPPED}
        failed, failure = min((first or error.failures).items(), key=lambda item: item[1].exitcode)
        if failure.exitcode > 0:
            raise SystemExit(failure.exitcode) from None
        ended = f"process {failed} of {processes} was ended by {failure.signal_name()}"
        hint = "the others were stopped; the same command goes on from the last checkpoint"
        raise InputError(f"{ended}; {hint}") from None


@contextmanager
def group(on_gpu: bool = False) -> Iterator[bool]:
    """Join the other processes, if there are any, while the context lasts; says whether this one leads.

    Raises:
        InputError: another process ended early, so that this one waits for it in vain.
    """
    if not is_worker():
        yield True
        return
    dist.init_process_group(GPUS if on_gpu else "gloo")
    try:
        yield rank() == 0
    except RuntimeError as error:
        if isinstance(error, dist.DistBackendError) or "gloo/transport" in str(error):
            hint = "started again, all go on from the last checkpoint"
            raise InputError(f"another process of this training ended; {hint}") from error
        raise
    finally:
        dist.destroy_process_group()


def shard(rows: Tensor) -> Tensor:
    """This process's rows of a whole batch's, (N, ...) -> (N / world, ...)."""
    return rows.chunk(world())[rank()]


def average(values: Tensor) -> Tensor:
    """The mean over all processes of a tensor that each has."""
    if world() > 1:
        values = values.clone()
        dist.all_reduce(values)
        values /= world()
    return values


def check_same(facts: Mapping[str, object]) -> None:
    """An InputError if another process would train with other facts than the first."""
    for number, other in enumerate(gathered(facts)):
        if names := [name for name, value in facts.items() if other[name] != facts[name]]:
            found = f"process {number} has other {', '.join(names)} than process {rank()}"
            raise InputError(f"{found}; all need the same")


def latest(value: T | None, step: int) -> T | None:
    """The value of the process whose step is the largest, in all of them; of several the first one's."""
    if world() == 1:
        return value
    steps, box = gathered(step), [value]
    dist.broadcast_object_list(box, steps.index(max(steps)))
    return box[0]


def gathered(value: T) -> list[T]:
    """The value that each process has, by rank."""
    found = [value] * world()
    if world() > 1:
        dist.all_gather_object(found, value)
    return found


def replica(network: nn.Module) -> nn.Module:
    """The network, whose gradients after a backward pass through its output are the whole batch's."""
    return _replica(network) if world() > 1 else network


@cache
def _replica(network: nn.Module) -> nn.Module:
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # the argument got another name
        return DistributedDataParallel(network, broadcast_buffers=False)


def synchronised(network: nn.Module) -> nn.Module:
    """The network, its batch statistics those of the whole batch."""
    if world() > 1:
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.__class__ = BatchNorm2d
    return network


class Mean(torch.autograd.Function):
    """The mean over all processes, through which gradients flow back to each."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return average(x)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return average(gradient)


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the statistics of the whole batch: SyncBatchNorm, also without a GPU."""

    def forward(self, h: Tensor) -> Tensor:
        if not self.training and self.running_mean is not None:
            return super().forward(h)
        x = h.float()
        mean = Mean.apply(x.mean((0, 2, 3)))
        centred = x - mean[:, None, None]
        variance = Mean.apply(centred.square().mean((0, 2, 3)))
        if self.training and self.running_mean is not None and self.running_var is not None:
            num = world() * x.numel() // x.shape[1]
            self.running_mean.lerp_(mean.detach(), self.momentum or 0.0)
            self.running_var.lerp_(variance.detach() * num / (num - 1), self.momentum or 0.0)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
        scale = torch.rsqrt(variance + self.eps)
        normal = centred * scale[:, None, None]
        if self.affine:
            normal = normal * self.weight[:, None, None] + self.bias[:, None, None]
        return normal.to(h.dtype)
