"""How far a training is: a live bar in a terminal, a plain line every few seconds elsewhere."""

import sys
import time
from collections.abc import Mapping

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY = 5.0  # seconds between plain lines


class Bar:
    """A `Listener` of `training.trainer`; a context manager. Of what is `brief` the end is not told."""

    def __init__(self, name: str, step: int, num_steps: int, shown: bool = True, brief: bool = False) -> None:
        self.name, self.first, self.num_steps, self.done = name, step, num_steps, step
        self.started = self.printed = time.monotonic()
        self.shown, self.brief, self.live = shown, brief, shown and sys.stdout.isatty()
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[scalars]}"),
        )
        self.progress = Progress(*columns, disable=not self.live)
        self.task = self.progress.add_task(name, total=num_steps, completed=step, scalars="")

    def __enter__(self) -> "Bar":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        text = " ".join(f"{name} {value:.3f}" for name, value in scalars.items())
        self.progress.update(self.task, completed=step, scalars=text)
        now = time.monotonic()
        due = now - self.printed > LINE_EVERY or (step == self.num_steps and not self.brief)
        if self.shown and not self.live and due:
            left = (now - self.started) / max(step - self.first, 1) * (self.num_steps - step)
            said = ", ".join(filter(None, (f"step {step}/{self.num_steps}", text, f"{left:.0f} s left")))
            print(f"{self.name}: {said}", flush=True)
            self.printed = now

    def advance(self, num: int) -> None:
        """So many steps more."""
        self.done += num
        self.log(self.done, {})

    def show(self, step: int, image: np.ndarray) -> None:
        pass
