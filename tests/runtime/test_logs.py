"""What stages say, in a file each."""

from pathlib import Path

import pytest

from pipeline.runtime import logs
from pipeline.runtime.logs import StageLogs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def add(file: Path, text: str) -> None:
    with file.open("a") as out:
        out.write(text)


def test_what_one_call_writes_is_dealt_out_to_its_stages_as_it_comes() -> None:
    call = StageLogs("train@a")
    assert call.read() == []
    add(call.written, "Running stage 'train@a':\n> python -m stages.train\nstep 1/2\nRunning sta")
    assert call.read() == ["train@a"]
    assert logs.path("train@a").read_text().endswith("step 1/2\n")  # not the half line
    add(call.written, "ge 'evaluate@a':\nhalf a line")
    assert call.close() == ["evaluate@a"]
    assert call.stage == "evaluate@a"
    assert logs.path("train@a").read_text() == (
        "Running stage 'train@a':\n> python -m stages.train\nstep 1/2\n"
    )
    assert logs.path("evaluate@a").read_text() == "Running stage 'evaluate@a':\nhalf a line"
    assert sorted(path.name for path in logs.FOLDER.iterdir()) == ["evaluate@a.log", "train@a.log"]


def test_a_stage_from_the_cache_is_known_and_one_that_did_not_change_keeps_its_log() -> None:
    call = StageLogs("task@a")
    logs.path("prepare@a").write_text("of the last run\n")
    add(call.written, "Stage 'prepare@a' didn't change, skipping\n")
    add(call.written, "Stage 'task@a' is cached - skipping run, checking out outputs\n")
    assert call.close() == ["task@a"]
    assert call.cached == {"task@a"}
    assert logs.path("prepare@a").read_text() == "of the last run\n"


def test_what_is_said_before_the_first_stage_belongs_to_none() -> None:
    call = StageLogs("report")
    add(call.written, "ERROR: failed to parse 'dvc.yaml'\n")
    assert call.close() == []
    assert call.stage is None
    assert call.unclaimed == "ERROR: failed to parse 'dvc.yaml'\n"


def test_a_new_call_does_not_read_what_one_that_was_left_behind_goes_on_writing() -> None:
    old = StageLogs("train@a")
    with old.written.open("a") as orphan:
        new = StageLogs("train@a")
        orphan.write("Running stage 'old':\n")
        orphan.flush()
        assert new.read() == []
        assert old.close() == ["old"]  # it is the other's
        assert new.close() == []


def test_the_last_lines_leave_blank_ones_out() -> None:
    assert logs.last_lines("train@a", 3) == []
    logs.FOLDER.mkdir()
    logs.path("train@a").write_text("1\n2\n\nwarning: 3\n\n")
    assert logs.last_lines("train@a", 2) == ["2", "warning: 3"]
    assert logs.lines_with("train@a", "warning: ") == ["warning: 3"]
