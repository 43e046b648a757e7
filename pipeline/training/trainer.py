"""One training from its start, or from where it was killed, to the model's folder."""

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pipeline.data.images import grid
from pipeline.methods.method import Training
from pipeline.runtime import compute, distributed
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder, sha256, sole_writer
from pipeline.runtime.progress import Bar
from pipeline.sampling import weights
from pipeline.tasks.examples import Examples
from pipeline.training import checkpoint
from pipeline.training.loop import fit

HISTORY, SNAPSHOTS = "history.csv", "snapshots.npz"  # beside the weights in a model's folder

Facts = Mapping[str, object]  # JSON values that decide the outputs


class Listener(Protocol):
    """Whoever wants to hear of a training: the progress bar, the tracker."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None: ...
    def show(self, step: int, image: np.ndarray) -> None: ...  # (H, W, C) uint8


class Tracker(Listener, Protocol):
    """The tracker's run of one training."""

    def finish(self, weights_sha256: str, files: list[Path]) -> None: ...
    def fail(self) -> None: ...


class Monitor(Protocol):
    """What is looked at while a model trains."""

    def measure(self, training: Training) -> dict[str, float]:
        """Cheap metrics, such as {"fid": 40.0}; they join that row of the history."""

    def snapshot(self, training: Training) -> dict[str, Tensor]:
        """What it can do now, by name; `images`, (n, C, H, W) uint8, are shown to the listeners."""


@dataclass(frozen=True)
class Trainer:
    """Trains a model, resumably."""

    stage: str  # its DVC name, such as "train_gan@dcgan-0"
    compute: compute.Settings
    facts: Facts  # beside settings and code; a checkpoint made under others is not resumed
    open_run: Callable[[Facts, bool], Tracker]  # from all facts and whether the training is resumed
    monitor: Monitor | None = None  # None for feature networks
    monitor_every: int = 1  # steps between its metrics
    num_snapshots: int = 0  # evenly spread

    def run(self, training: Training, examples: Examples, out: Path) -> None:
        """Train to the end, or on from where a run was killed; write weights, history and snapshots to OUT.

        Raises:
            InputError: a batch cannot be shared out evenly, another process trains this model, or one that
                shares this training ended or has other settings, data or code.
            FloatingPointError: the training diverged; the last good checkpoint stays.
        """
        device, work = compute.device(self.compute), Path("runs") / self.stage
        computing = self.compute.model_dump() | compute.found(self.compute)
        facts = {**self.facts, "params": training.settings.model_dump(), "compute": computing}
        out.parent.mkdir(parents=True, exist_ok=True)
        group = distributed.group(device.type == "cuda")
        with group as leads, sole_writer(work) if leads else nullcontext():
            self.check(training)
            sizes = training.sizes()
            place(training, device)
            recorder = Recorder(self, training, work, checkpoint.fingerprint(facts), leads)
            recorder.resume()
            first, num_steps = training.steps_done, training.settings.num_steps
            tracker = self.open_run(facts, first > 0) if leads else Nobody()
            tracker.log(first, sizes)
            try:
                with Bar(self.stage, first, num_steps, shown=leads) as bar:
                    recorder.listeners = [tracker, bar]
                    recorder.started = time.perf_counter()
                    fit(training, examples.to(device), partial(compute.autocast, self.compute), recorder)
                seconds = recorder.elapsed()
                if leads:
                    recorder.write(out)
            except BaseException:
                tracker.fail()
                raise
            if leads:
                speed = (num_steps - first) * training.settings.batch_size / max(seconds, 1e-9)
                tracker.log(num_steps, {"train_seconds": seconds, "images_per_second": speed})
                tracker.finish(sha256(out / weights.FILE), [out / weights.FILE, out / HISTORY])
                (work / checkpoint.FILE).unlink(missing_ok=True)

    def check(self, training: Training) -> None:
        """Refuse a batch that processes cannot share."""
        num, size = distributed.world(), training.settings.batch_size
        unit = num * training.settings.together
        if num > 1 and size % unit:
            found = f"batch_size = {size} of {self.stage} must be a multiple of {unit}"
            raise InputError(f"{found} where {num} processes share it")


class Nobody:
    """The tracker of a process that does not lead."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None: ...
    def show(self, step: int, image: np.ndarray) -> None: ...
    def finish(self, weights_sha256: str, files: list[Path]) -> None: ...
    def fail(self) -> None: ...


def place(training: Training, device: torch.device) -> None:
    """Move a training's networks to its device, with batch statistics of all processes; optimizers follow."""
    for part in checkpoint.parts(training).values():
        if isinstance(part, torch.nn.Module):
            distributed.synchronised(part).to(device)


@dataclass
class Recorder:
    """The history of a training, its snapshots, checkpoints and listeners."""

    trainer: Trainer
    training: Training
    folder: Path  # of checkpoints
    identity: str  # the fingerprint that tells whether a checkpoint found there may be resumed
    leads: bool = True  # whether this process measures, and writes checkpoints
    listeners: Sequence[Listener] = ()
    history: list[dict[str, float]] = field(default_factory=list)
    snapshots: list[dict[str, Tensor]] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)
    measuring: float = 0.0  # seconds since then spent on the monitor's metrics

    @cached_property
    def snapshot_steps(self) -> list[int]:
        return evenly(self.training.settings.num_steps, self.trainer.num_snapshots)

    def elapsed(self) -> float:
        """The seconds of training since its start, measuring left out."""
        return time.perf_counter() - self.started - self.measuring

    def resume(self) -> None:
        """Go to the last checkpoint if it is this training's, and tell the user."""
        extra, message = checkpoint.restore(self.folder, self.identity, self.training)
        if extra:
            self.history, self.snapshots = extra["history"], extra["snapshots"]
        if self.leads and message:
            print(f"{self.trainer.stage}: {message}", flush=True)

    def log(self, step: int, scalars: dict[str, float]) -> None:
        timed = {}
        due = step % self.trainer.monitor_every == 0 or step == self.training.settings.num_steps
        if self.trainer.monitor and self.leads and due:
            seconds = self.elapsed()
            scalars = {**scalars, **self.trainer.monitor.measure(self.training)}
            timed = {"train_seconds": seconds}  # not into the history: no two runs take the same time
            self.measuring += self.elapsed() - seconds
        self.history.append({"step": step, **scalars})
        for listener in self.listeners:
            listener.log(step, scalars | timed)

    def snapshot(self, step: int) -> None:
        if not (self.trainer.monitor and self.leads and step in self.snapshot_steps):
            return
        self.snapshots.append(self.trainer.monitor.snapshot(self.training))
        if "images" in self.snapshots[-1]:
            image = grid(self.snapshots[-1]["images"], 10).permute(1, 2, 0).numpy()
            for listener in self.listeners:
                listener.show(step, image)

    def save(self) -> None:
        if self.leads:
            extra = {"history": self.history, "snapshots": self.snapshots}
            checkpoint.save(self.folder, self.identity, self.training, extra)

    def write(self, out: Path) -> None:
        """The model's folder: weights, the history as a table and, if there are any, snapshots."""
        with new_folder(out) as folder:
            weights.save(folder / weights.FILE, self.training.ema, self.training.spec)
            write_history(folder / HISTORY, self.history)
            if shots := self.snapshots:
                arrays = {name: torch.stack([shot[name] for shot in shots]).numpy() for name in shots[0]}
                steps = np.array(self.snapshot_steps)
                np.savez_compressed(folder / SNAPSHOTS, steps=steps, **arrays)  # type: ignore[arg-type]


def evenly(num_steps: int, num: int) -> list[int]:
    """Steps at which to look, evenly spread, the last step among them; none for 0."""
    return sorted({max(1, round(num_steps * (i + 1) / num)) for i in range(num)})


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """The history as a table; a cell is empty where a row lacks what others have."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(history)
