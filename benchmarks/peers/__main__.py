"""The whole comparison in one command; what the table of rows has already is not measured again."""

import os
import platform
import re
import sys
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks.peers import inputs, measured, page
from benchmarks.peers.entrants import PEERS
from benchmarks.peers.measured import Machine
from benchmarks.peers.plan import Plan
from benchmarks.peers.rows import Rows
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sole_writer

Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False)]


def main(
    clones: Folder,
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PEERS)}; else all.")] = None,
    turns: Annotated[int, typer.Option(min=1)] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of a turn.")] = 60.0,
    minutes: Annotated[str, typer.Option(help="Of training, after which samples are scored.")] = "2,5,20",
    threads: Annotated[int, typer.Option(min=1, help="And cores, of each program.")] = 1,
    abreast: Annotated[int, typer.Option(min=1, help="Trainings at once, each on its own cores.")] = 1,
    samples: Annotated[int, typer.Option(min=0, help="Of each program; 0: as many as entrants says.")] = 0,
    tasks: Annotated[Path, typer.Option(exists=True, file_okay=False)] = Path("data/tasks"),
    table: Annotated[Path, typer.Option(help="Of the rows.")] = Path("benchmarks/peers.csv"),
    text: Annotated[Path, typer.Option("--page", help="That the tables are in.", exists=True)] = page.PAGE,
    work: Annotated[Path, typer.Option(help="Of inputs, snapshots and logs.")] = Path("runs/peers"),
) -> None:
    """Time the programs of the repositories in the folder CLONES, and ours, in turns; then let each train for
    so many minutes and score what it draws, and write the tables into the page.
    """
    try:
        marks, rows = marked(minutes), Rows(table)
        for name in only or ():
            params.check_name("--only", name, list(PEERS))
        peers = [PEERS[name] for name in only or PEERS]
        plan = Plan(clones.resolve(), tasks.resolve(), work.resolve(), threads, samples, rows)
        for peer in peers:
            plan.check(peer)
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
        machine = Machine(cores, threads, abreast)
        with sole_writer(work):
            rows.same(facts(threads))
            inputs.made(tasks, plan.inputs)
            measured.rates(plan, peers, machine, turns, seconds)
            failed = measured.quality(plan, [peer for peer in peers if peer.task], machine, marks)
            page.fill(text, rows)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    if failed:
        raise typer.Exit(1)


def marked(minutes: str) -> list[float]:
    """Numbers with commas between them, in order."""
    try:
        found = sorted({float(word) for word in minutes.split(",")})
    except ValueError:
        found = []
    if not found or found[0] <= 0:
        raise InputError(
            f"--minutes = {minutes!r}: allowed are numbers above 0 with commas between, such as 2,5,20"
        )
    return found


def facts(threads: int) -> dict[str, str]:
    """What rates depend on beside the programs."""
    known = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", known.read_text("utf-8")) if known.exists() else None
    return {
        "processor": found[1] if found else platform.processor(),
        "torch": torch.__version__,
        "threads": str(threads),
    }


if __name__ == "__main__":
    typer.run(main)
