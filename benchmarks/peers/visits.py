"""What is done between a program's steps. A visit is a generator that is sent each step, the first of them
before there was any; when it returns, the program is stopped.
"""

import contextlib
import time
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.peers.judge import Judge
from benchmarks.peers.peer import Peer, Step
from benchmarks.peers.program import Stop
from pipeline.report.figures.figures import sheet
from pipeline.runtime.size import num_parameters

Visit = Generator[None, Step, None]

WARM_UP = 20  # steps; fewer where they take longer than
PATIENCE = 60.0  # seconds
SHOWN = 48  # samples in a picture
COUNTED = 4  # steps whose operations are counted: penalties of ours come every fourth


class Visitor:
    """Sends a visit what a program tells, and keeps the last of it."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.last = visit, Step(dict, 0)
        next(visit)

    def tell(self, step: Step) -> None:
        self.last = step
        try:
            self.visit.send(step)
        except StopIteration:
            raise Stop from None


def rates(peer: Peer, pipe: Connection) -> Visit:
    """After the warm-up, send floating-point operations an image, a multiply-add counting two. Then, whenever
    a number of seconds is received, let the program step so long, and send images and seconds.
    """
    yield
    start = time.perf_counter()
    for _ in range(WARM_UP):
        yield
        if time.perf_counter() - start > PATIENCE:
            break
    images, counter = 0, operations()
    with counter:
        for _ in range(COUNTED):
            images += (yield).images
    pipe.send(counter.get_total_flops() / images)
    while seconds := pipe.recv():
        start, images, now = time.perf_counter(), 0, 0.0
        while now < seconds:
            images += (yield).images
            now = time.perf_counter() - start
        pipe.send((images, now))


class Whole(contextlib.nullcontext[None]):
    """Instead of FlopCounterMode's tracker of modules, whose hooks fail on gradients by `autograd.grad`."""

    parents = ("Global",)


def operations() -> FlopCounterMode:
    """Counts floating-point operations, not told apart by module."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = Whole()  # type: ignore[assignment]
    return counter


def snapshots(peer: Peer, minutes: Sequence[float], folder: Path, pipe: Connection) -> Visit:
    """Copy the weights to the folder after so many minutes of training each, copying left out; send how many
    minutes it really was, and images so far.
    """
    begun = yield
    start, images = time.perf_counter() - begun.seconds, 0
    for mark in sorted(minutes):
        while True:
            step = yield
            images += step.images
            now = time.perf_counter()
            if now - start >= 60 * mark:
                break
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(peer.state(step.names()), snapshot(folder, mark))
        pipe.send((f"{mark:g}", {"minutes_trained": (now - start) / 60, "images_trained": images}))
        start += time.perf_counter() - now


def snapshot(folder: Path, minutes: float) -> Path:
    """The file of one."""
    return folder / f"{minutes:g}.pt"


def scores(peer: Peer, minutes: float, folder: Path, task: Path, samples: int, pipe: Connection) -> Visit:
    """Send what the samples of a snapshot score, and what one costs, before the program takes a step. A
    picture of some lies beside the snapshot.
    """
    names, judge = (yield).names(), Judge(task)
    network = peer.network(names)
    network.load_state_dict(torch.load(snapshot(folder, minutes), weights_only=True))
    torch.manual_seed(0)
    with Calls(peer.counted(names)) as calls:
        start = time.perf_counter()
        drawn = judge.samples(lambda c: peer.draw(names, c), samples or peer.num_samples, peer.batch)
        seconds = time.perf_counter() - start
    picture = sheet(drawn[:SHOWN].numpy(), columns=12, zoom=3)
    snapshot(folder, minutes).with_suffix(".png").write_bytes(picture)
    cost = {"ms_per_sample": 1000 * seconds / len(drawn), "evaluations": calls.rows / len(drawn)}
    pipe.send((f"{minutes:g}", judge.scores(drawn) | cost))
    pipe.send(("", {"samples": len(drawn), "parameters": num_parameters(network) / 1e6}))


class Calls:
    """Counts for how many rows a network is evaluated while it lasts."""

    def __init__(self, network: nn.Module) -> None:
        self.network, self.rows = network, 0

    def __enter__(self) -> "Calls":
        self.handle = self.network.register_forward_pre_hook(self.count, with_kwargs=True)
        return self

    def count(self, network: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.rows += max(len(value) for value in given if isinstance(value, torch.Tensor) and value.ndim)

    def __exit__(self, *_: object) -> None:
        self.handle.remove()
