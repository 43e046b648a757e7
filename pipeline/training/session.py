"""One training from its start, or from where it was killed, to the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from pipeline import compute
from pipeline.digits import Pictures
from pipeline.images import grid
from pipeline.training import checkpoint
from pipeline.training.loop import Schedule, fit


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
        listeners: are told each row of the history and each frame.
    """

    state: Any
    schedule: Schedule
    folder: Path
    mark: str
    draw: Callable[[], Tensor] | None = None
    frame_steps: Sequence[int] = ()
    listeners: Sequence[Listener] = ()
    history: list[dict[str, float]] = field(default_factory=list)
    frames: list[Tensor] = field(default_factory=list)
    seconds: float = 0.0  # spent in the loop by this process

    def resume(self) -> str:
        """Go to the last checkpoint if it is this training's; returns a line for the user."""
        extra, message = checkpoint.restore(self.folder, self.mark, self.state)
        if extra:
            self.history, self.frames = extra["history"], extra["frames"]
        return message

    def run(self, kind: ModuleType, pictures: Pictures, precision: compute.Params) -> None:
        """Train to the end of the schedule.

        Raises:
            FloatingPointError: the training diverged; the last good checkpoint stays.
        """

        def train_step() -> Any:
            with compute.autocast(precision):
                return kind.train_step(self.state, pictures, self.schedule)

        start = time.perf_counter()
        fit(self.state, train_step, self.schedule, self)
        self.seconds = time.perf_counter() - start

    def log(self, step: int, scalars: dict[str, float]) -> None:
        self.history.append({"step": step, **scalars})
        for listener in self.listeners:
            listener.log(step, scalars)

    def picture(self, step: int) -> None:
        if self.draw and step in self.frame_steps:
            self.frames.append(self.draw())
            picture = grid(self.frames[-1], 10).permute(1, 2, 0).numpy()
            for listener in self.listeners:
                listener.show(step, picture)

    def save(self) -> None:
        checkpoint.save(self.folder, self.mark, self.state, {"history": self.history, "frames": self.frames})


def evenly(num_steps: int, num_frames: int) -> list[int]:
    """Steps at which to look, evenly spread, the last step among them."""
    return sorted({max(1, round(num_steps * (i + 1) / num_frames)) for i in range(num_frames)})
