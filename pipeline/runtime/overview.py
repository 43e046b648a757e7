"""How far the whole DAG is: a line a stage that is done, and in a terminal a live one of those that run."""

from collections.abc import Collection, Iterable, Mapping

from rich.console import Console
from rich.live import Live
from rich.text import Text


def spoken(seconds: float) -> str:
    """A time as one says it: 45 s, 12 min, 1 h 05 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


class Overview:
    """Prints to stdout; a context manager."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.total, self.done, self.width = 0, 0, 0
        self.warned: set[str] = set()
        live = self.console.is_terminal and not self.console.is_dumb_terminal
        self.live = Live(console=self.console, transient=True, auto_refresh=False) if live else None

    def __enter__(self) -> "Overview":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def expect(self, stages: Collection[str]) -> None:
        """These are to be done."""
        self.total, self.width = len(stages), max(map(len, stages), default=0)
        if not stages:
            self.say("repro: all is up to date")

    def say(self, line: str) -> None:
        if self.live:
            self.console.print(line)
        else:
            print(line, flush=True)

    def finished(self, stage: str, seconds: float | None, left: float) -> None:
        """A stage is done; `seconds` is None where its results were there already, `left` of all the rest."""
        self.done += 1
        self.total = max(self.total, self.done)
        took = "as before" if seconds is None else spoken(seconds)
        place = f"{self.done:{len(str(self.total))}} of {self.total} done"
        rest = f", about {spoken(left)} left" if self.done < self.total else ""
        self.say(f"{stage:{self.width}}  {took:>9}  {place}{rest}")

    def warn(self, warnings: Iterable[str]) -> None:
        """Say what a stage warned of, each once."""
        for line in warnings:
            if line not in self.warned:
                self.warned.add(line)
                self.say(f"  {line}")

    def running(self, stages: Mapping[str, float], note: str = "") -> None:
        """Show, in a terminal, the stages that run and for how many seconds each has."""
        if self.live:
            said = note or "running: " + ", ".join(
                f"{name} ({spoken(since)})" for name, since in stages.items()
            )
            self.live.update(Text(said, no_wrap=True, overflow="ellipsis", style="dim"), refresh=True)
