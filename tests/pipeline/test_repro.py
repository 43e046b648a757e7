"""`python -m stages.repro` around the real DVC, with stages that take no time."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from networkx import DiGraph

from pipeline.runtime.errors import InputError
from stages import repro

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value")  # within DVC

STAGES = """\
stages:
  check: {{cmd: "{check}", deps: [params.yaml], outs: [code]}}
  first: {{cmd: echo of the first; cat code > first, deps: [code], outs: [first]}}
  second: {{cmd: "{second}", deps: [first], outs: [second]}}
  claim: {{cmd: echo of the claim; cat first > claim, deps: [first], outs: [claim]}}
  report: {{cmd: echo of the report; cat second > report, deps: [second], outs: [report]}}
"""
GOOD = {"check": "cat params.yaml > code", "second": "echo 'warning: of the second'; cat first > second"}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the dvc.yaml of a DAG of five stages; the test is in its folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setattr(repro.sections, "check_names", lambda: None)
    monkeypatch.setattr(repro.sections, "check_folders", lambda: None)
    monkeypatch.setattr(repro.runs, "stage_seconds", dict)
    subprocess.run(["dvc", "init", "--no-scm", "--quiet"], check=True)
    (tmp_path / "params.yaml").write_text("claim: {task: digit, whole: digit}\n")

    def write(**commands: str) -> None:
        (tmp_path / "dvc.yaml").write_text(STAGES.format(**(GOOD | commands)))

    return write


def test_stages_are_a_line_each_run_once_and_found_in_the_cache(write, tmp_path, capfd):
    write()
    repro.main(jobs=1)
    said = capfd.readouterr()
    assert re.sub(r" +\d+ s ", " N s ", said.out).splitlines() == [
        "first N s  1 of 4 done, about N s left",
        "claim N s  2 of 4 done, about N s left",
        f"  The claim: file://{tmp_path}/reports/claim.html",
        "second N s  3 of 4 done, about N s left",
        "  warning: of the second",
        "report N s  4 of 4 done",
        f"The report: file://{tmp_path}/reports/index.html",
    ]
    assert said.err == ""
    assert "of the first" in (tmp_path / "logs/first.log").read_text()
    assert "warning: of the second" in (tmp_path / "logs/second.log").read_text()
    assert "of the report" in (tmp_path / "logs/report.log").read_text()

    repro.main(jobs=2)
    assert capfd.readouterr().out.splitlines()[0] == "repro: all is up to date"

    for name in ("second", "report"):
        (tmp_path / name).unlink()
    (tmp_path / "dvc.lock").unlink()
    repro.main(jobs=1)
    before = re.findall(r"^(\w+) +as before", capfd.readouterr().out, re.M)
    assert before == ["first", "claim", "second", "report"]


def test_a_target_is_brought_up_to_date_with_what_it_needs_and_nothing_else(write, tmp_path, capfd):
    write()
    repro.main("claim", jobs=2)
    said = capfd.readouterr()
    assert re.findall(r"^(\w+) .* (\d of \d) done", said.out, re.M) == [
        ("first", "1 of 2"),
        ("claim", "2 of 2"),
    ]
    assert said.out.splitlines()[-1] == f"The claim: file://{tmp_path}/reports/claim.html"
    assert not (tmp_path / "second").exists()
    (tmp_path / "params.yaml").write_text("claim: {task: digit, whole: digit}\nchanged: 1\n")
    repro.main("second", jobs=2)
    assert re.findall(r"^(\w+) .* done", capfd.readouterr().out, re.M) == ["first", "second"]
    assert (tmp_path / "claim").read_text() != (tmp_path / "second").read_text()


def test_a_target_that_is_no_stage_is_one_line_before_any_other_stage_runs(write, tmp_path, capfd):
    write()
    with pytest.raises(InputError, match="TARGET = 'clam': no stage; `dvc stage list` names all"):
        repro.main("clam", jobs=1)
    assert not (tmp_path / "first").exists()


def test_a_kind_of_stages_is_a_target_too():
    graph = DiGraph([("train@a", "task"), ("train@b", "task"), ("train_flow@a", "task")])
    assert repro.stages_of(graph, "train") == ["train@a", "train@b"]
    assert repro.stages_of(graph, "train@b") == ["train@b"]
    assert repro.needed(graph, ["train@b"]) == {"train@b", "task"}


def test_what_the_claim_needs_comes_first_and_only_short_work_fills_the_time():
    graph = DiGraph([("claim", "quick"), ("quick", "features"), ("report", "long"), ("report", "short")])
    graph.add_edges_from([("long", "features"), ("report", "other")])
    seconds = {"features": 60.0, "quick": 50.0, "claim": 10.0, "long": 900.0, "other": 200.0}
    seconds |= {"short": 20.0, "report": 10.0}
    ways, urgent = repro.longest_ways(graph, seconds), repro.needed(graph, ["claim"])

    def started(waiting: set[str], running: str, first: set[str]) -> list[str]:
        return repro.next_chain(graph, waiting, [[running]], ways, first)

    assert started({*graph} - {"features"}, "features", urgent) == ["short"]
    rest = {"claim", "quick", "long", "report"}
    assert started(rest, "short", urgent) == ["quick", "claim"]
    assert started(rest, "short", set()) == ["long"]
    assert started({"long", "report"}, "claim", urgent) == ["long"]
    assert started({"long", "report"}, "short", urgent) == ["long"]


def test_a_failed_stage_is_told_with_the_end_of_its_log_and_dvcs_exit_code(write, tmp_path, capfd):
    write(second="seq 1 30; echo 'error: no' >&2; exit 3")
    with pytest.raises(SystemExit) as ended:
        repro.main(jobs=1)
    assert ended.value.code == 255
    said = capfd.readouterr()
    assert re.findall(r"^(\w+) .* done", said.out, re.M) == ["first", "claim"]
    first, *rest = said.err.splitlines()
    assert first == "repro: second failed. The end of logs/second.log:"
    assert rest[0] != "    1"
    assert {"    30", "    error: no"} < set(rest)
    assert "exited with 3" in rest[-1]
    assert "\n1\n" in (tmp_path / "logs/second.log").read_text()
    assert not (tmp_path / "report").exists()


def test_a_mistake_that_the_first_stage_finds_is_its_one_line_and_its_exit_code(write, capfd):
    write(check="echo 'error: params.yaml: a = 1' >&2; exit 2")
    with pytest.raises(SystemExit) as ended:
        repro.main(jobs=2)
    assert ended.value.code == 2
    assert capfd.readouterr() == ("", "error: params.yaml: a = 1\n")


def test_what_dvc_itself_cannot_read_is_told_in_its_words(write, tmp_path, capfd):
    (tmp_path / "dvc.yaml").write_text("stages: {check: {cmd: x, dps: []}}\n")
    with pytest.raises(SystemExit) as ended:
        repro.main(jobs=2)
    assert ended.value.code == 255
    said = capfd.readouterr()
    assert said.out == ""
    assert "dvc.yaml" in said.err
    assert "dps" in said.err


def test_the_time_left_is_the_longest_way_or_all_work_over_the_jobs_at_this_runs_pace():
    graph = DiGraph([("evaluate", "train"), ("report", "evaluate")])
    graph.add_nodes_from(["other", "cached"])
    seconds = {"train": 100.0, "evaluate": 20.0, "report": 10.0, "other": 60.0, "cached": 500.0}
    work = repro.Work(graph, seconds, set(graph), jobs=2)
    work.done("cached", None)  # which says nothing of the pace
    assert work.time_left({}) == 130  # more than 190 / 2
    assert work.time_left({"train": 20}) == 110
    assert work.time_left({"train": 170}) == 60  # the other's; of what takes longer than known, nothing
    work.done("other", 180.0)  # three times as long as known; 60 seconds of trust in what was known
    assert work.time_left({}) == 260
    work.jobs = 1
    work.done("train", 100.0)
    assert work.time_left({}) == pytest.approx(30 * 340 / 220)
