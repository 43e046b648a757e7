"""Command `repro`: the whole DAG, several stages at a time, in an order that leaves no core idle at the end.

    python -m stages.repro --jobs 2
    python -m stages.repro claim      the page of the claim, and what it needs

What hangs together is DVC's own graph; of the stages that could start, the one with the longest way still to
go does, by the seconds that each took last: those MLflow knows, else those of benchmarks/seconds.json. What
the claim needs goes before all else.

It prints a line a stage; what a stage says itself is in logs/<stage>.log.
"""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from networkx import DiGraph, ancestors, descendants, relabel_nodes, topological_sort

from pipeline.report.headlines import headlines
from pipeline.runtime import logs, params
from pipeline.runtime.errors import InputError
from pipeline.runtime.overview import Overview
from pipeline.tasks.claimed import Settings as Claim
from pipeline.tracking import runs
from pipeline.tracking.courier import courier
from stages import run, sections

FIRST, CLAIM, LAST = "check", "claim", "report"
PAGES = {CLAIM: "reports/claim.html", LAST: "reports/index.html"}
SECONDS = Path("benchmarks/seconds.json")
UNKNOWN = 30.0  # seconds of a stage of which nothing is known
DVC = ("dvc", "--wait-for-lock", "repro", "--single-item")
LOOK_EVERY = 0.1  # seconds
SHOWN = 12  # lines of the log of a stage that failed
SETTLED = 60.0  # seconds of work after which this run's own pace counts half


Target = Annotated[str | None, typer.Argument(help="A stage, or all of a kind, such as evaluate_cgan.")]


def main(
    target: Target = None,
    jobs: Annotated[int, typer.Option(min=1, help="Stages at a time.")] = os.cpu_count() or 1,
) -> None:
    """Bring the TARGET and all it needs up to date, or else everything, to the same bits as `dvc repro`."""
    sections.check_names()  # before DVC reads them
    sections.check_folders()  # it stops, or waits, at what it cannot read there
    with Overview() as overview, courier():
        overview.running({}, "checking params.yaml")
        finish(Call(["dvc", "repro", FIRST], [FIRST]), overview)
        overview.running({}, "looking for what is out of date")
        graph, changed = plan()
        asked = [] if target is None else stages_of(graph, target)
        todo = changed.union(*(ancestors(graph, stage) for stage in changed)) - {FIRST}
        todo &= needed(graph, asked or graph)
        overview.expect(todo)
        work = Work(graph, known_seconds(graph), todo, jobs)
        ending = {LAST} if target is None else {target} & {*asked}  # of a kind of stages none
        run_all(work, ending, overview)
        finish(Call(["dvc", "repro", *asked], sorted(todo & ending)), overview, work)
    said = [] if target else headlines(Path("reports"), params.read("claim", Claim).left_out)
    print(*(found.line for found in said), *where(asked or [LAST]), sep="\n", flush=True)


def stages_of(graph: DiGraph, target: str) -> list[str]:
    """The stages that a target names; an InputError if there is none."""
    found = sorted(stage for stage in graph if target in (stage, stage.split("@")[0]))
    if not found:
        raise InputError(f"TARGET = {target!r}: no stage; `dvc stage list` names all")
    return found


def needed(graph: DiGraph, stages: Iterable[str]) -> set[str]:
    """These and all they need."""
    return {*stages}.union(*(descendants(graph, stage) for stage in stages))


def where(stages: Iterable[str]) -> list[str]:
    """Where to look, a line a page that one of these stages makes."""
    return [f"The {stage}: file://{Path.cwd()}/{PAGES[stage]}" for stage in stages if stage in PAGES]


class Call:
    """One call of DVC that runs `chain`, some stages one after another, and writes into their logs."""

    def __init__(self, command: Sequence[str], chain: Sequence[str]) -> None:
        self.chain = list(chain)
        self.logs = logs.StageLogs((*chain, LAST)[0])
        self.left = list(chain)  # of the chain, what is not done
        self.since = time.monotonic()
        with self.logs.written.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)
        self.code: int | None = None  # its exit code, once all that it said is dealt out

    def look(self) -> list[tuple[str, float | None]]:
        """The stages done since the last look, with their seconds; None for one that did not have to run."""
        code = self.process.poll()
        before = self.logs.stage
        begun = self.logs.read() if code is None else self.logs.close()
        ended = [before, *begun][: None if code == 0 else -1]
        done = [self._done(stage) for stage in ended if stage]
        if code == 0:  # of the others DVC found that nothing had changed for them
            done += [(stage, None) for stage in self.left]
            self.left = []
        self.code = code
        return done

    def _done(self, stage: str) -> tuple[str, float | None]:
        now = time.monotonic()
        seconds, self.since = now - self.since, now
        if stage in self.left:
            self.left.remove(stage)
        return stage, None if stage in self.logs.cached else seconds

    def running(self) -> dict[str, float]:
        """The stage that it is at, and for how many seconds."""
        stage = self.logs.stage if self.logs.stage in self.left else (*self.left, LAST)[0]
        return {stage: time.monotonic() - self.since}


class Work:
    """What is to be done, and how long that will take by what is known and by how it went so far."""

    def __init__(self, graph: DiGraph, seconds: Mapping[str, float], todo: set[str], jobs: int) -> None:
        self.graph, self.seconds, self.todo, self.jobs = graph, seconds, set(todo), jobs
        self.known, self.took = SETTLED, SETTLED

    def done(self, stage: str, seconds: float | None) -> None:
        self.todo.discard(stage)
        if seconds is not None:
            self.known, self.took = self.known + self.seconds.get(stage, seconds), self.took + seconds

    def time_left(self, running: Mapping[str, float]) -> float:
        """Seconds, if no core idles: of the longest way, or of all work over the jobs, if that is more."""
        pace = self.took / self.known
        rest = {stage: max(pace * self.seconds[stage] - running.get(stage, 0), 0) for stage in self.todo}
        ways = longest_ways(self.graph, {stage: rest.get(stage, 0) for stage in self.graph})
        return max([*ways.values(), sum(rest.values()) / self.jobs])


def run_all(work: Work, ending: Collection[str], overview: Overview) -> None:
    """Run all but the `ending`, `jobs` stages at a time. If one fails, those beside it end first."""
    waiting = work.todo - {*ending}
    ways, urgent = longest_ways(work.graph, work.seconds), needed(work.graph, {CLAIM} & {*work.graph})
    calls: list[Call] = []
    code = 0
    try:
        while waiting or calls:
            chains = [call.chain for call in calls]
            while len(calls) < work.jobs and (chain := next_chain(work.graph, waiting, chains, ways, urgent)):
                waiting -= set(chain)
                chains.append(chain)
                calls.append(Call([*DVC, *chain], chain))
            time.sleep(LOOK_EVERY)
            look(calls, overview, work)
            for call in [call for call in calls if call.code is not None]:
                calls.remove(call)
                if call.code:
                    tell(call, [other.logs.stage or other.chain[0] for other in calls])
                    code, waiting = code or call.code, set()
    finally:
        for call in calls:  # this was interrupted
            call.logs.read()
    if code:
        raise SystemExit(code)


def finish(call: Call, overview: Overview, work: Work | None = None) -> None:
    """Wait for a call; end with its exit code if it fails, and with the stage's if that found a mistake."""
    while call.code is None:
        time.sleep(LOOK_EVERY)
        look([call], overview, work)
    if not call.code:
        return
    if call.logs.stage == FIRST and (mistake := logs.lines_with(FIRST, "error: ")):
        print(*mistake, sep="\n", file=sys.stderr, flush=True)
        exited = re.search(r"exited with (\d+)", "\n".join(logs.last_lines(FIRST, SHOWN)))
        raise SystemExit(int(exited[1]) if exited else call.code)
    tell(call, [])
    raise SystemExit(call.code)


def look(calls: Sequence[Call], overview: Overview, work: Work | None) -> None:
    """Tell what is done, and show what runs."""
    done = [each for call in calls for each in call.look()]
    running = {stage: since for call in calls if call.code is None for stage, since in call.running().items()}
    if work is None:
        return
    for stage, seconds in done:
        work.done(stage, seconds)
        overview.finished(stage, seconds, work.time_left(running))
        overview.warn(logs.lines_with(stage, "warning: ") if seconds is not None else [])
        if work.todo:  # while the rest goes on
            overview.warn(where([stage]))
    overview.running(running)


def tell(call: Call, others: Collection[str]) -> None:
    """Why a call failed: the last lines of the stage's log, or all that DVC said if it came to no stage."""
    if not (stage := call.logs.stage):
        print(call.logs.unclaimed.strip(), file=sys.stderr, flush=True)
        return
    ending = f"; {', '.join(others)} is waited for" if others else ""
    said = [f"    {line}" for line in logs.last_lines(stage, SHOWN)]
    text = [f"repro: {stage} failed{ending}. The end of {logs.path(stage)}:", *said]
    print(*text, sep="\n", file=sys.stderr, flush=True)


def plan() -> tuple[DiGraph, set[str]]:
    """DVC's graph, from each stage to those it depends on, and which stages are out of date."""
    from dvc.repo import Repo

    with redirect_stderr(io.StringIO()) as said, Repo() as repo:  # no terminal: it shows no bars
        names = {stage: stage.addressing for stage in repo.index.graph}
        found = relabel_nodes(repo.index.graph, names), set(repo.status())
    print(said.getvalue(), end="", file=sys.stderr)
    return found


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
    graph: DiGraph,
    waiting: set[str],
    running: Iterable[list[str]],
    ways: Mapping[str, float],
    urgent: Collection[str] = (),
) -> list[str]:
    """The stage to start next, and those behind it that wait for it alone and that alone wait for it, which
    one call of DVC runs one after another; empty if none can start. While any of the `urgent` is not done, it
    is one of these, or where none can start the other with the shortest way to go, so that they soon find a
    core free.
    """
    open_stages = waiting | {stage for chain in running for stage in chain}
    ready = [stage for stage in waiting if not set(graph[stage]) & open_stages]
    if not ready:
        return []
    pressing = [stage for stage in ready if stage in urgent]
    if not pressing and not open_stages.isdisjoint(urgent):
        return [min(ready, key=lambda stage: (ways[stage], stage))]
    chain = [max(pressing or ready, key=lambda stage: (ways[stage], stage))]
    while True:
        behind = [stage for stage in waiting - set(chain) if chain[-1] in graph[stage]]
        if len(behind) != 1 or (set(graph[behind[0]]) & open_stages) - set(chain):
            return chain
        chain += behind


if __name__ == "__main__":
    run(main)
