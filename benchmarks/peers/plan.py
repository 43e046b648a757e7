"""Who does what, and what of it is still to be done."""

import math
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.peers import visits
from benchmarks.peers.peer import Peer, Place
from benchmarks.peers.processes import Job
from benchmarks.peers.rows import Rows
from benchmarks.peers.visits import Visit
from pipeline.runtime.errors import InputError


@dataclass(frozen=True)
class Plan:
    """Everybody's jobs; all paths are absolute, as programs work in folders of their own."""

    clones: Path  # by the names of their repositories
    tasks: Path
    work: Path
    threads: int
    samples: int  # of each program; 0: as many as it says
    rows: Rows

    @property
    def inputs(self) -> Path:
        return self.work / "inputs"

    def clone(self, peer: Peer) -> Path:
        return self.clones / peer.repository.split("/")[-1]

    def snapshots(self, peer: Peer) -> Path:
        return self.work / peer.name / "snapshots"

    def job(self, peer: Peer, what: str, visit: Callable[..., Visit], images: float = math.inf) -> Job:
        folder, log = self.work / peer.name / what, self.work / "logs" / f"{peer.name}-{what}.log"
        place = Place(self.clone(peer), folder, self.inputs, self.tasks, self.threads, images)
        return Job(peer.name, place, visit, log)

    def timing(self, peer: Peer) -> Job:
        return self.job(peer, "rate", visits.rates)

    def trainings(self, peer: Peer, minutes: Sequence[float]) -> Iterator[Job]:
        """Those that lack: one for all minutes, or one for each, where the schedule is made for them."""
        for marks in [[mark] for mark in minutes] if peer.scheduled else [list(minutes)]:
            if not all(self.trained(peer, mark) for mark in marks):
                images = (self.rows.rate(peer.name) or math.inf) * 60 * max(marks)
                visit = partial(visits.snapshots, minutes=marks, folder=self.snapshots(peer))
                yield self.job(peer, f"train-{max(marks):g}", visit, images if peer.scheduled else math.inf)

    def trained(self, peer: Peer, minutes: float) -> bool:
        known = self.rows.text(peer.name, "images_trained", f"{minutes:g}")
        return bool(known) and visits.snapshot(self.snapshots(peer), minutes).exists()

    def scoring(self, peer: Peer, minutes: Sequence[float]) -> Iterator[Job]:
        """One for each snapshot that there is and has not been scored."""
        for mark in minutes:
            if self.trained(peer, mark) and not self.rows.text(peer.name, "fid", f"{mark:g}"):
                folder, task = self.snapshots(peer), self.tasks / peer.task
                visit = partial(visits.scores, minutes=mark, folder=folder, task=task, samples=self.samples)
                yield self.job(peer, f"score-{mark:g}", visit)

    def check(self, peer: Peer) -> None:
        """An InputError where its clone is missing, or at another commit than the one compared with."""
        clone, asked = (
            self.clone(peer),
            f"a clone of github.com/{peer.repository} at commit {peer.commit[:7]}",
        )
        if not peer.repository:
            return
        done = subprocess.run(["git", "-C", str(clone), "rev-parse", "HEAD"], capture_output=True, text=True)
        if done.returncode != 0 or not clone.is_dir():
            raise InputError(f"{clone}: must be {asked}")
        if done.stdout.strip() != peer.commit:
            raise InputError(
                f"{clone}: must be {asked}, and is at {done.stdout[:7]}: git checkout {peer.commit}"
            )
