"""Command `repro`: the whole DAG, several stages at a time, in an order that leaves no core idle at the end.

    python -m stages.repro --jobs 2

What hangs together is DVC's own graph; of the stages that could start, the one with the longest way still to
go does, by the seconds that each took last: those MLflow knows, else those of benchmarks/seconds.json.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from networkx import DiGraph, ancestors, relabel_nodes, topological_sort

from pipeline.tracking import runs
from stages import run, sections

FIRST, LAST = "check", "report"
SECONDS = Path("benchmarks/seconds.json")
UNKNOWN = 30.0  # seconds of a stage of which nothing is known
DVC = ("dvc", "--wait-for-lock", "repro", "--single-item")


def main(jobs: Annotated[int, typer.Option(min=1, help="Stages at a time.")] = os.cpu_count() or 1) -> None:
    """Bring everything up to date, as `dvc repro` does, to the same bits."""
    sections.check_names()  # before DVC reads them
    sections.check_folders()  # it stops, or waits, at what it cannot read there
    call("dvc", "repro", FIRST)
    graph, changed = plan()
    waiting = changed.union(*(ancestors(graph, stage) for stage in changed)) - {FIRST, LAST}
    ways = longest_ways(graph, known_seconds(graph))
    running: dict[subprocess.Popen[bytes], list[str]] = {}
    total = len(waiting)
    while waiting or running:
        while len(running) < jobs and (chain := next_chain(graph, waiting, running.values(), ways)):
            waiting -= set(chain)
            running[subprocess.Popen([*DVC, *chain])] = chain
        pid, status = os.wait()
        process = next(each for each in running if each.pid == pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        chain = running.pop(process)
        if process.returncode:
            for other in running:
                other.wait()
            raise SystemExit(process.returncode)
        done = total - len(waiting) - sum(map(len, running.values()))
        print(f"repro: {done} of {total} stages done, the last: {chain[-1]}", flush=True)
    call("dvc", "repro")


def call(*command: str) -> None:
    if code := subprocess.run(command).returncode:
        raise SystemExit(code)


def plan() -> tuple[DiGraph, set[str]]:
    """DVC's graph, from each stage to those it depends on, and which stages are out of date."""
    from dvc.repo import Repo

    with Repo() as repo:
        names = {stage: stage.addressing for stage in repo.index.graph}
        return relabel_nodes(repo.index.graph, names), set(repo.status())


def known_seconds(graph: DiGraph) -> dict[str, float]:
    """How long each stage takes; of one that is new, the median of its kind."""
    last = json.loads(SECONDS.read_text("utf-8")) if SECONDS.exists() else {}
    last |= {stage: times["seconds"] for stage, times in runs.stage_seconds().items() if "seconds" in times}
    kinds: dict[str, list[float]] = {}
    for stage, seconds in last.items():
        kinds.setdefault(stage.split("@")[0], []).append(seconds)
    return {stage: last.get(stage, median(kinds.get(stage.split("@")[0], [UNKNOWN]))) for stage in graph}


def longest_ways(graph: DiGraph, seconds: Mapping[str, float]) -> dict[str, float]:
    """For each stage the seconds of the longest way from its start to the end of the DAG."""
    ways: dict[str, float] = {}
    for stage in topological_sort(graph):  # each after those that depend on it
        ways[stage] = seconds[stage] + max((ways[other] for other in graph.pred[stage]), default=0.0)
    return ways


def next_chain(
    graph: DiGraph, waiting: set[str], running: Iterable[list[str]], ways: Mapping[str, float]
) -> list[str]:
    """The stage to start next, and those behind it that wait for it alone and that alone wait for it, which
    one call of DVC runs one after another; empty if none can start.
    """
    open_stages = waiting | {stage for chain in running for stage in chain}
    ready = [stage for stage in waiting if not set(graph[stage]) & open_stages]
    if not ready:
        return []
    chain = [max(ready, key=lambda stage: (ways[stage], stage))]
    while True:
        behind = [stage for stage in waiting - set(chain) if chain[-1] in graph[stage]]
        if len(behind) != 1 or (set(graph[behind[0]]) & open_stages) - set(chain):
            return chain
        chain += behind


if __name__ == "__main__":
    run(main)
