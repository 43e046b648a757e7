"""Programs in processes of their own: in turns, or side by side on cores of their own."""

import contextlib
import multiprocessing
import os
import queue
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.peers.entrants import PEERS
from benchmarks.peers.peer import Place, Step
from benchmarks.peers.program import Stop
from benchmarks.peers.visits import Visit, Visitor
from pipeline.runtime.errors import InputError


class Job(NamedTuple):
    """A program, and who visits it."""

    name: str  # of the peer
    place: Place
    visit: Callable[..., Visit]  # of the peer and the pipe that it answers through
    log: Path  # of what the program prints


Cores = Sequence[int]


def settle(job: Job, cores: Cores) -> None:
    """Give this process its cores and threads, and have it print into the job's log."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    torch.set_num_threads(job.place.threads)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("w", encoding="utf-8") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())


def work(job: Job, cores: Cores, pipe: Connection) -> None:
    """A job's process."""
    settle(job, cores)
    peer, parent = PEERS[job.name], os.getppid()
    visitor = Visitor(job.visit(peer=peer, pipe=pipe))

    def tell(step: Step) -> None:
        if os.getppid() != parent:  # killed; nobody would hear what is measured here
            raise Stop
        visitor.tell(step)

    with contextlib.suppress(Stop):
        peer.run(job.place, tell)
        while True:  # its schedule has ended: wait for the end of the visit
            time.sleep(0.01)
            tell(Step(visitor.last.names, 0))


class Running:
    """A job that has been started."""

    def __init__(self, job: Job, cores: Cores) -> None:
        context = multiprocessing.get_context("spawn")
        self.job = job
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(job, cores, theirs))
        self.process.start()
        theirs.close()

    def receive(self) -> Any:
        """What the visit sends next; an InputError where the program failed."""
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            raise self.failure() from None

    def failure(self) -> InputError:
        lines = self.job.log.read_text("utf-8", errors="replace").strip().splitlines() or [
            "nothing was printed"
        ]
        return InputError(f"{self.job.name}: its program failed: {lines[-1]} (all of it: {self.job.log})")

    def rest(self) -> Iterator[Any]:
        """All that the visit sends until the process ends; an InputError where it failed."""
        with contextlib.suppress(EOFError):
            while True:
                yield self.pipe.recv()
        self.process.join()
        if self.process.exitcode != 0:
            raise self.failure()


class Rates(NamedTuple):
    flop: float  # an image
    turns: list[float]  # images a second in each


def in_turns(jobs: Sequence[Job], cores: Cores, rounds: int, seconds: float) -> dict[str, Rates]:
    """Rates of each, on the same cores, one at a time for so many seconds, again and again."""
    running = dict[str, Running]()
    found = dict[str, Rates]()
    for job in jobs:
        running[job.name] = Running(job, cores)
        found[job.name] = Rates(running[job.name].receive(), [])
        print(f"{job.name}: {found[job.name].flop / 1e6:.1f} MFLOP an image, warmed up", flush=True)
    for number in range(1, rounds + 1):
        for name, each in running.items():
            each.pipe.send(seconds)
            images, taken = each.receive()
            found[name].turns.append(images / taken)
            print(f"turn {number} of {rounds}: {name}: {images / taken:.1f} images/s", flush=True)
    for each in running.values():
        each.pipe.send(0.0)
        each.process.join()
    return found


def side_by_side(
    jobs: Sequence[Job], cores: Cores, threads: int, abreast: int, keep: Callable[[Job, list[Any]], None]
) -> Iterator[InputError]:
    """Run jobs, so many at once, each on as many cores of its own as it has threads; what each has sent is
    kept. Gives what failed; the others go on.
    """
    free: queue.Queue[Cores] = queue.Queue()
    for slot in range(abreast):
        free.put([cores[(slot * threads + i) % len(cores)] for i in range(threads)])

    def one(job: Job) -> list[Any]:
        mine = free.get()
        try:
            return list(Running(job, mine).rest())
        finally:
            free.put(mine)

    with ThreadPoolExecutor(abreast) as pool:
        started = {pool.submit(one, job): job for job in jobs}
        for future in as_completed(started):
            try:
                keep(started[future], future.result())
            except InputError as error:
                yield error
