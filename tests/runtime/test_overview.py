"""What a user sees of the whole DAG."""

import io
import re

import pytest
from rich.console import Console

from pipeline.runtime import overview
from pipeline.runtime.overview import Overview, spoken


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (5940, "99 min"),
        (6000, "1 h 40 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_a_time_is_told_as_one_says_it(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


def test_elsewhere_than_in_a_terminal_each_stage_is_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Overview() as shown:
        shown.expect({"train_cgan@digit-0", "report"})
        shown.running({"train_cgan@digit-0": 3.0})
        shown.finished("train_cgan@digit-0", 61.2, 130)
        shown.warn(["warning: MLflow does not answer"])
        shown.finished("report", None, 0)
        shown.warn(["warning: MLflow does not answer"])
    assert capsys.readouterr().out.splitlines() == [
        "train_cgan@digit-0       61 s  1 of 2 done, about 2 min left",
        "  warning: MLflow does not answer",
        "report              as before  2 of 2 done",
    ]


def test_nothing_to_do_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with Overview() as shown:
        shown.expect(set())
    assert capsys.readouterr().out == "repro: all is up to date\n"


def test_a_terminal_shows_what_runs_on_one_line_however_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()

    def console(**given: bool) -> Console:
        return Console(file=screen, force_terminal=True, width=40, _environ={"TERM": "xterm"}, **given)

    monkeypatch.setattr(overview, "Console", console)
    with Overview() as shown:
        shown.expect({"train_cgan@[bold]digit-0", "report"})
        shown.running({"train_cgan@[bold]digit-0": 3.0, "train_flow@digit-0": 200.0})
        live = screen.getvalue()
        shown.finished("report", 5.0, 61)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", live)
    assert "running: train_cgan@[bold]digit-0 (3 s)" in text  # 39 letters, then the ellipsis
    assert max(map(len, re.split(r"[\r\n]", text))) <= 40
    assert "1 of 2 done, about 61 s left\n" in screen.getvalue()
