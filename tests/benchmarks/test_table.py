"""Who takes part in the table of peers, what is still asked of them, and how the page gets its figures."""

import os
import subprocess
import sys

import pytest
from helpers.project import ROOT

from benchmarks.peers import page, visits
from benchmarks.peers.entrants import PEERS
from benchmarks.peers.plan import Plan
from benchmarks.peers.rows import Row, Rows
from pipeline.runtime.errors import InputError


def test_who_takes_part_has_names_of_their_own_and_a_commit_for_each_repository():
    assert len(PEERS) == 11
    assert all(len(peer.commit) == 40 for peer in PEERS.values() if peer.repository)


def plan(tmp_path, rows=None):
    rows = rows or Rows(tmp_path / "rows.csv")
    return Plan(tmp_path / "clones", tmp_path / "tasks", tmp_path / "work", 1, 0, rows)


def test_trainings_are_one_for_all_minutes_or_one_for_each_where_schedules_depend_on_them(tmp_path):
    found = plan(tmp_path)
    rate = ("ours-cgans.sketch", "images_per_second")
    found.rows.add([Row(*rate, str(turn), str(value)) for turn, value in enumerate((50, 10, 20))])
    jobs = [list(found.trainings(PEERS[name], [2, 5])) for name in ("pytorch-gan", "ours-cgans.sketch")]
    assert [[(job.visit.keywords["minutes"], job.place.images) for job in some] for some in jobs] == [
        [([2, 5], float("inf"))],
        [([2], 20 * 120), ([5], 20 * 300)],
    ]


def test_what_is_trained_and_scored_is_not_asked_for_again(tmp_path):
    found, peer = plan(tmp_path), PEERS["ours-cgans.sketch"]
    file = visits.snapshot(found.snapshots(peer), 2)
    file.parent.mkdir(parents=True)
    file.touch()
    found.rows.add([Row(peer.name, "images_trained", "2", "9")])
    assert [job.visit.keywords["minutes"] for job in found.trainings(peer, [2, 5])] == [[5]]
    assert [job.visit.keywords["minutes"] for job in found.scoring(peer, [2, 5])] == [2]
    found.rows.add([Row(peer.name, "fid", "2", "1.5")])
    assert list(found.scoring(peer, [2, 5])) == []


def test_rows_are_read_back_and_of_another_machine_refused(tmp_path):
    file = tmp_path / "rows.csv"
    Rows(file).add([Row("a", "fid", "2", "1.5"), Row("a", "fid", "5", "0.5")])
    rows = Rows(file)
    rows.same({"threads": "1"})
    assert rows.series("a", "fid") == {"2": 1.5, "5": 0.5}
    with pytest.raises(InputError, match=r"rows\.csv: of threads = 1, not 2"):
        Rows(file).same({"threads": "2"})
    file.write_text("x,y\n")
    with pytest.raises(InputError, match="not a table of peer, measure, at, value"):
        Rows(file)


def test_the_page_gets_rates_shares_of_the_convolution_and_scores_in_its_place(tmp_path):
    rows, text = Rows(tmp_path / "rows.csv"), tmp_path / "page.md"
    text.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    for name, flop, turns in (("pytorch-gan", 100, (30, 20, 90)), ("convolution-fp32", 1000, (10, 12, 8))):
        rows.add([Row(name, "mflop_per_image", "", str(flop))])
        rows.add(Row(name, "images_per_second", str(turn), str(rate)) for turn, rate in enumerate(turns))
    rows.add([Row("pytorch-gan", "precision", "", "fp32")])
    scores = {"fid": (("10", 4.125), ("2", 100)), "images_trained": (("2", 7), ("10", 12345))}
    rows.add(Row("pytorch-gan", name, at, str(v)) for name, values in scores.items() for at, v in values)
    costs = {
        "evaluations": (("2", 7.5), ("10", 80)),
        "ms_per_sample": (("2", 9), ("10", 99)),
        "parameters": (("", 3),),
    }
    rows.add(Row("pytorch-gan", name, at, str(v)) for name, values in costs.items() for at, v in values)
    page.fill(text, rows)
    found = text.read_text()
    assert "| 100.0 | 30 (20 to 90) | 3 | 30% of fp32 |" in found
    assert "| program | FID after 2 min | FID after 10 min |" in found
    assert "| pytorch-gan | 100.0 | 4.12 | - | - | - | 12,345 |" in found
    assert "| pytorch-gan | 3.00 | 80.0 | 99.00 |" in found
    assert found.startswith("before\n")
    assert found.endswith("\nafter\n")
    assert "old" not in found


def test_the_page_of_this_repository_has_the_place():
    text = (ROOT / page.PAGE).read_text("utf-8")
    assert text.index(page.BEGIN) < text.index(page.END)
    assert all(peer.commit[:7] in text for peer in PEERS.values())


def test_a_clone_that_is_missing_or_elsewhere_is_told_in_one_line(tmp_path):
    found, peer = plan(tmp_path), PEERS["pytorch-gan"]
    with pytest.raises(InputError, match=r"PyTorch-GAN: must be a clone of github\.com/.* at commit 36d3c77"):
        found.check(peer)
    clone = tmp_path / "clones" / "PyTorch-GAN"
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", clone], check=True)
    subprocess.run(["git", "-C", clone, *author, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    with pytest.raises(InputError, match=r"and is at \w{7}: git checkout 36d3c77"):
        found.check(peer)
    found.check(PEERS["ours-gans.dcgan"])


@pytest.mark.parametrize("minutes", ["2,x", "", "0"])
def test_minutes_that_are_none_are_refused_in_one_line(minutes, tmp_path):
    command = [sys.executable, "-m", "benchmarks.peers", tmp_path, "--tasks", tmp_path]
    options = [f"--minutes={minutes}", f"--table={tmp_path / 'x.csv'}", f"--page={ROOT / page.PAGE}"]
    done = subprocess.run(
        [*map(str, command), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: --minutes = ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "x.csv").exists()
