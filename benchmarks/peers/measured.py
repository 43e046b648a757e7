"""What is measured of all, in order, into the table of rows."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks import contest
from benchmarks.peers import processes
from benchmarks.peers.judge import Judge
from benchmarks.peers.peer import Peer
from benchmarks.peers.plan import Plan
from benchmarks.peers.processes import Job
from benchmarks.peers.rows import Row
from pipeline.runtime.errors import InputError


class Machine(NamedTuple):
    """What programs may use of it."""

    cores: Sequence[int]
    threads: int  # of each program, which has as many cores
    abreast: int  # programs at once


def rates(plan: Plan, peers: Sequence[Peer], machine: Machine, turns: int, seconds: float) -> None:
    """Images a second of all in turns; again for all if one of them lacks, as turns of another hour do not
    compare.
    """
    rows = plan.rows
    if all(len(rows.series(peer.name, "images_per_second")) >= turns for peer in peers):
        return
    jobs = [plan.timing(peer) for peer in peers]
    best = contest.best_precision()
    rows.add(Row(peer.name, "precision", "", peer.precision or best) for peer in peers)
    for name, found in processes.in_turns(jobs, machine.cores[: machine.threads], turns, seconds).items():
        rows.forget(name, "images_per_second")
        rows.add([Row(name, "mflop_per_image", "", f"{found.flop / 1e6:.3f}")])
        rows.add(Row(name, "images_per_second", str(i), f"{x:.2f}") for i, x in enumerate(found.turns, 1))
    rows.add([Row("machine", "turn_seconds", "", f"{seconds:g}")])


def quality(
    plan: Plan, peers: Sequence[Peer], machine: Machine, minutes: Sequence[float]
) -> list[InputError]:
    """Train all, then score what they draw; gives what failed."""
    trainings = [job for peer in peers for job in plan.trainings(peer, minutes)]
    failed = shared(plan, trainings, machine)
    failed += shared(plan, [job for peer in peers for job in plan.scoring(peer, minutes)], machine)
    for peer in peers:
        if not plan.rows.text(peer.name, "real_fid"):
            found = Judge(plan.tasks / peer.task).floor(plan.samples or peer.num_samples, peer.pixels)
            plan.rows.add([Row(peer.name, "real_fid", "", f"{found:.3f}")])
    return failed


def shared(plan: Plan, jobs: Sequence[Job], machine: Machine) -> list[InputError]:
    """Run jobs side by side, and keep what they send: numbers by measure, at so many minutes or at none."""

    def keep(job: Job, sent: Sequence[tuple[str, dict[str, float]]]) -> None:
        for at, values in sent:
            plan.rows.add(Row(job.name, name, at, f"{value:.6g}") for name, value in values.items())
        print(f"{job.name}: {job.log.stem}: {shown(sent)}", flush=True)

    failed = list[InputError]()
    for error in processes.side_by_side(jobs, machine.cores, machine.threads, machine.abreast, keep):
        print(f"error: {error}", file=sys.stderr, flush=True)
        failed.append(error)
    return failed


def shown(sent: Sequence[tuple[str, Any]]) -> str:
    parts = [
        f"{name} {value:.4g}{f' at {at}' if at else ''}"
        for at, values in sent
        for name, value in values.items()
    ]
    return ", ".join(parts)
