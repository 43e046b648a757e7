"""One training from its start, or from where it was killed, to the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from pipeline.data.digits import Examples
from pipeline.data.images import grid
from pipeline.methods.schedule import Schedule
from pipeline.runtime import compute
from pipeline.training import checkpoint
from pipeline.training.loop import fit


class Listener(Protocol):
    """Whoever wants to hear of a training: the progress bar, the tracker."""

    def log(self, step: int, scalars: dict[str, float]) -> None: ...
    def show(self, step: int, picture: np.ndarray) -> None: ...  # (H, W, C) uint8


@dataclass
class Session:
    """The history of a training, its checkpoints and its listeners.

    Args:
        state: a state dataclass of one of the kinds.
        schedule: its numbers.
        folder: where checkpoints go.
        mark: the fingerprint that tells whether a checkpoint found there may be resumed.
        draw: a frame, (n, C, H, W) uint8, that shows what the state can do now; None where there is nothing
            to see.
        frame_steps: the steps after which a frame is due.
        quality: what is measured now and then, such as {"fid": 40.0}; joins that row of the history.
        quality_every: steps; it is measured at the end too.
        listeners: are told each row of the history and each frame.
        keep: tensors, by name, that are kept of the same steps as frames; nobody is told.
        saves: whether this process writes checkpoints.
    """

    state: Any
    schedule: Schedule
    folder: Path
    mark: str
    draw: Callable[[], Tensor] | None = None
    frame_steps: Sequence[int] = ()
    quality: Callable[[], dict[str, float]] | None = None
    quality_every: int = 1
    listeners: Sequence[Listener] = ()
    keep: Callable[[], dict[str, Tensor]] | None = None
    saves: bool = True
    history: list[dict[str, float]] = field(default_factory=list)
    frames: list[Tensor] = field(default_factory=list)
    kept: list[dict[str, Tensor]] = field(default_factory=list)
    started: float = 0.0  # when this process's loop began
    measuring: float = 0.0  # seconds of it spent on `quality`
    seconds: float = 0.0  # and on training

    def resume(self) -> str:
        """Go to the last checkpoint if it is this training's; returns a line for the user."""
        extra, message = checkpoint.restore(self.folder, self.mark, self.state)
        if extra:
            self.history, self.frames, self.kept = extra["history"], extra["frames"], extra["kept"]
        return message

    def run(self, kind: ModuleType, examples: Examples, precision: compute.Params) -> None:
        """Train to the end of the schedule.

        Raises:
            FloatingPointError: the training diverged; the last good checkpoint stays.
        """

        def train_step() -> Any:
            with compute.autocast(precision):
                return kind.train_step(self.state, examples, self.schedule)

        self.started = time.perf_counter()
        fit(self.state, train_step, self.schedule, self)
        self.seconds = time.perf_counter() - self.started - self.measuring

    def log(self, step: int, scalars: dict[str, float]) -> None:
        timed = {}
        if self.quality and (step % self.quality_every == 0 or step == self.schedule.num_steps):
            start = time.perf_counter()
            scalars = {**scalars, **self.quality()}
            timed = {"train_seconds": start - self.started - self.measuring}  # not into the history: no two
            self.measuring += time.perf_counter() - start  # runs take the same time
        self.history.append({"step": step, **scalars})
        for listener in self.listeners:
            listener.log(step, scalars | timed)

    def picture(self, step: int) -> None:
        if self.keep and step in self.frame_steps:
            self.kept.append(self.keep())
        if self.draw and step in self.frame_steps:
            self.frames.append(self.draw())
            picture = grid(self.frames[-1], 10).permute(1, 2, 0).numpy()
            for listener in self.listeners:
                listener.show(step, picture)

    def save(self) -> None:
        if not self.saves:
            return
        extra = {"history": self.history, "frames": self.frames, "kept": self.kept}
        checkpoint.save(self.folder, self.mark, self.state, extra)


def evenly(num_steps: int, num_frames: int) -> list[int]:
    """Steps at which to look, evenly spread, the last step among them."""
    return sorted({max(1, round(num_steps * (i + 1) / num_frames)) for i in range(num_frames)})
