"""What a user sees of a training's course."""

import sys
from types import SimpleNamespace

import pytest

from pipeline.runtime import progress
from pipeline.runtime.progress import Bar


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def test_elsewhere_than_in_a_terminal_lines_say_step_scalars_and_time_left(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    with Bar("train@x", 40, 200) as bar:
        clock.now += 10  # for 40 of this process's own steps: 120 are left
        bar.log(80, {"loss": 0.12345, "accuracy": 1.0})
        clock.now += 20
        bar.log(160, {"loss": 0.1, "accuracy": 0.5})
        bar.log(200, {"loss": 0.01, "accuracy": 0.25})
    assert capsys.readouterr().out.splitlines() == [
        "train@x: step 80/200, loss 0.123 accuracy 1.000, 30 s left",
        "train@x: step 160/200, loss 0.100 accuracy 0.500, 10 s left",
        "train@x: step 200/200, loss 0.010 accuracy 0.250, 0 s left",
    ]


def test_lines_come_seconds_apart_and_the_last_always(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Bar("train@x", 0, 5) as bar:
        for step in range(1, 6):
            clock.now += 2
            bar.log(step, {})
    assert capsys.readouterr().out.splitlines() == [  # after 6 and 10 seconds
        "train@x: step 3/5, 4 s left",
        "train@x: step 5/5, 0 s left",
    ]


def test_a_terminal_gets_a_live_bar_and_no_lines(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with Bar("reading [mine]/[/set]", 0, 10) as bar:
        clock.now += 1
        bar.log(10, {"loss": 0.5})
        (task,) = bar.progress.tasks
        assert (task.completed, task.total, task.fields["scalars"]) == (10, 10, "loss 0.500")
    shown = capsys.readouterr().out
    assert "reading [mine]/[/set]" in shown
    assert "10/10" in shown
    assert "s left" not in shown
