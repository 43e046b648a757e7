"""Contenders that take turns: how long a training step takes, against the plain loop and the machine's limit.

Each contender lives in a process of its own (how memory is kept is a setting of the process), and they run in
turn, again and again, so that what else the machine does touches all alike: read the ratios.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from pipeline.kernels import joined, library
from pipeline.networks import denoiser, patchgan, unet
from pipeline.networks.layers import FromImage, ToImage
from pipeline.runtime import compute, params

M = TypeVar("M", bound=nn.Module)
Step = Callable[[], None]
Contenders = Mapping[str, tuple[Callable[..., Step], tuple[Any, ...]]]  # what makes the step, of what

PLAIN = "plain loop"
PLAIN_LAYERS: dict[type, Any] = {ToImage: nn.ConvTranspose2d, FromImage: nn.Conv2d}
WARM_UP = 3  # steps
CONVOLUTION_FLOP = 2 * 32 * 28 * 28 * 256 * 256 * 9  # of `convolution` below


def settings(precision: str, threads: int) -> compute.Settings:
    """The section `compute` of params.yaml with these numbers: this process now computes as it says."""
    section = params.read("compute", compute.Settings)
    section = section.model_copy(update={"precision": precision, "threads": threads})
    compute.configure(section)
    return section


def best_precision() -> str:
    """The precision that stages train in on this machine."""
    return compute.precision(params.read("compute", compute.Settings))


def as_in_tutorials(network: M) -> M:
    """The network with PyTorch's own layers in place of this project's faster ones."""
    for layer in network.modules():
        layer.__class__ = PLAIN_LAYERS.get(type(layer), type(layer))
    return network


def concatenated(*maps: Tensor) -> Tensor:
    return torch.cat(maps, 1)


def plainly() -> None:
    """From here on this process computes by PyTorch's own operations, as tutorials do."""
    library.wanted = False
    for module in (joined, unet, denoiser, patchgan):
        vars(module)["side_by_side"] = concatenated


def convolution(precision: str) -> Step:
    """A convolution large enough to show what the processor can do."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    layer = nn.Conv2d(256, 256, 3, padding=1, dtype=dtype).to(memory_format=torch.channels_last)
    x = torch.randn(32, 256, 28, 28, dtype=dtype).to(memory_format=torch.channels_last)

    def step() -> None:
        with torch.inference_mode():
            layer(x)

    return step


LIMITS: Contenders = {f"convolution {kind}": (convolution, (kind,)) for kind in ("fp32", "bf16")}


def serve(pipe: Connection, threads: int, make: Callable[..., Step], given: tuple[Any, ...]) -> None:
    """A contender's process: whenever it is sent a number of seconds, it steps so long and answers seconds a
    step.
    """
    torch.set_num_threads(threads)
    step = make(*given)
    for _ in range(WARM_UP):
        step()
    pipe.send(0.0)
    while seconds := pipe.recv():
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            calls += 1
        pipe.send((time.perf_counter() - start) / calls)


def hold(contenders: Contenders, threads: int, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds a step of each contender on so many threads, one number a round; they step in turn for about
    `seconds` each.
    """
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name, (make, given) in contenders.items():
        pipes[name], theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, threads, make, given), daemon=True).start()
        pipes[name].recv()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, pipe in pipes.items():
            pipe.send(seconds)
            taken[name].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send(0.0)
    return taken


def show(title: str, taken: Mapping[str, list[float]], batch_size: int, flop: float) -> None:
    """Print rates, ratios within a round, and the share of the convolution's rate that the plain step's
    arithmetic makes.

    Args:
        title: what was timed.
        taken: seconds a step, of `PLAIN`, of any others, and of `LIMITS`.
        batch_size: images a step.
        flop: of the plain step for one image, a multiply-add counting two.
    """
    peak = {
        kind: CONVOLUTION_FLOP / statistics.median(taken[f"convolution {kind}"]) for kind in ("fp32", "bf16")
    }
    print(f"{title}; plain step: {flop / 1e6:.0f} MFLOP an image")
    print(f"convolution peak: {peak['fp32'] / 1e9:.0f} GFLOP/s fp32, {peak['bf16'] / 1e9:.0f} bf16")
    for name in [name for name in taken if name not in LIMITS]:
        rate = batch_size / statistics.median(taken[name])
        pairs = zip(taken[PLAIN], taken[name], strict=True)
        ratio = statistics.median(plain / ours for plain, ours in pairs)
        share = rate * flop / peak["bf16" if "bf16" in name else "fp32"]
        print(f"{name:24} {rate:6.0f} images/s   {ratio:.2f} x plain   {share:4.0%} of its precision's peak")
