"""How programs of others are visited, counted and judged, on toys; what they score is no test's business."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers.project import ROOT
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.peers import judge, page, processes, program, visits
from benchmarks.peers.entrants import PEERS
from benchmarks.peers.peer import Peer, Place, Step
from benchmarks.peers.plan import Plan
from benchmarks.peers.processes import Job
from benchmarks.peers.rows import Row, Rows
from pipeline.runtime.errors import InputError

SCRIPT = """
import os, sys, torch
from torch.utils.data import DataLoader, TensorDataset
epochs, where = int(sys.argv[1]), os.getcwd()
layer = torch.nn.Linear(3, 5)
optimizer = torch.optim.SGD(layer.parameters(), 0.1)
loader = DataLoader(TensorDataset(torch.ones(10, 3), torch.zeros(10)), batch_size=4)
done = 0
for epoch in range(epochs):
    for x, _ in loader:
        optimizer.zero_grad()
        layer(x).sum().backward()
        optimizer.step()
        done += len(x)
"""
FUNCTION = "def main(epochs):\n" + "".join(
    f"    {line}\n" for line in SCRIPT.splitlines() if "argv" not in line
)
FORWARD = 2 * 3 * 5  # operations for one image; as many again for the gradient of the weights


@pytest.fixture
def script(tmp_path):
    file = tmp_path / "clone" / "train.py"
    file.parent.mkdir()
    file.write_text(SCRIPT)
    return file


class Pipe:
    """The end of a visit: hands out `asked`, one after the other, and keeps what is sent."""

    def __init__(self, *asked):
        self.asked, self.sent = list(asked), []

    def recv(self):
        return self.asked.pop(0)

    def send(self, what):
        self.sent.append(what)


class Clock:
    """Time that passes only by `now`."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(visits.time, "perf_counter", lambda: self.now)


def all_sent(visit, steps):
    """How many steps a visit takes before it ends."""
    next(visit)
    for number, step in enumerate(steps, 1):
        try:
            visit.send(step)
        except StopIteration:
            return number
    raise AssertionError("the visit has not ended")


def toy(**more):
    return Peer("toy", "a layer", lambda place, tell: None, network=lambda names: names["layer"], **more)


def test_a_script_is_visited_before_its_first_step_and_after_each(script, tmp_path):
    seen = []

    def tell(step):
        names = step.names()
        seen.append((step.images, names["done"]))
        assert names["where"] == str(tmp_path / "work")

    plain = DataLoader.__iter__
    program.script(script, ["2"], tmp_path / "work", tell)
    assert seen == [(0, 0), (4, 4), (4, 8), (2, 10), (4, 14), (4, 18), (2, 20)]
    assert DataLoader.__iter__ is plain
    assert Path.cwd() != tmp_path / "work"
    assert sys.argv[1:] != ["2"]


def test_a_visit_that_ends_stops_the_program_and_leaves_the_process_as_it_was(script, tmp_path):
    steps, plain, before = [], DataLoader.__iter__, Path.cwd()

    def visit():
        for _ in range(3):
            steps.append((yield))

    with pytest.raises(program.Stop):
        program.script(script, ["1000"], tmp_path / "work", visits.Visitor(visit()).tell)
    assert [step.images for step in steps] == [0, 4, 4]
    assert (DataLoader.__iter__, Path.cwd()) == (plain, before)


def test_a_functions_own_variables_are_those_that_are_seen(script, tmp_path):
    script.write_text(FUNCTION)
    seen = []
    given = {"epochs": 1}
    tell = lambda step: seen.append((step.images, step.names()["done"], step.names()["epochs"]))  # noqa: E731
    program.function(script, "main", given, tmp_path / "work", script.parent, tell)
    assert seen == [(0, 0, 1), (4, 4, 1), (4, 8, 1), (2, 10, 1)]


def test_a_notebook_runs_without_magics_up_to_a_cell_before_which_variables_are_set(tmp_path):
    head, loop = SCRIPT.replace("int(sys.argv[1])", "50").split("done = 0\n")
    cells = ["%matplotlib inline\nimport torch\n", head, f"done = 0\n{loop}", "raise AssertionError"]
    kinds = ["code", "markdown", "code", "code", "code"]
    cells.insert(1, "text")
    found = [
        {"cell_type": kind, "source": cell.splitlines(True)} for kind, cell in zip(kinds, cells, strict=True)
    ]
    file = tmp_path / "toy.ipynb"
    file.write_text(json.dumps({"cells": found}))
    seen = []
    program.notebook(file, 3, {"epochs": 1}, tmp_path, tmp_path, lambda step: seen.append(step.images))
    assert seen == [0, 4, 4, 2]


def test_operations_are_counted_after_the_warm_up_backward_pass_included(script, tmp_path):
    pipe = Pipe(0.0)
    with suppress(program.Stop):
        program.script(script, ["1000"], tmp_path, visits.Visitor(visits.rates(toy(), pipe)).tell)
    assert pipe.sent == [2 * FORWARD]


def test_operations_are_counted_of_gradients_that_are_differentiated_again():
    layer = nn.Sequential(nn.Linear(3, 5, bias=False), nn.Softplus(), nn.Linear(5, 1, bias=False))
    x = torch.ones(2, 3, requires_grad=True)
    with visits.operations() as counter:
        (gradient,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
        gradient.square().sum().backward()
    assert counter.get_total_flops() > 2 * 3 * (2 * 3 * 5 + 2 * 5)


def test_a_rate_is_of_the_images_and_seconds_between_two_visits(monkeypatch):
    clock, pipe = Clock(monkeypatch), Pipe(10.0, 4.0, 0.0)

    def steps():
        yield Step(dict, 0)
        while True:
            clock.now += 1.5
            yield Step(dict, 6)

    all_sent(visits.rates(toy(), pipe), steps())
    assert pipe.sent == [0.0, (42, 10.5), (18, 4.5)]


def test_a_slow_programs_warm_up_is_a_minute_instead_of_twenty_steps(monkeypatch):
    clock, pipe = Clock(monkeypatch), Pipe(0.0)

    def steps():
        while True:
            yield Step(dict, 1)
            clock.now += 25

    assert all_sent(visits.rates(toy(), pipe), steps()) == 1 + 3 + visits.COUNTED


def test_snapshots_are_of_their_minute_and_copying_is_no_time_of_training(monkeypatch, tmp_path):
    clock, pipe, layer = Clock(monkeypatch), Pipe(), nn.Linear(1, 1, bias=False)
    copy = torch.save

    def slow(*args):
        clock.now += 600
        copy(*args)

    monkeypatch.setattr(visits.torch, "save", slow)

    def steps():
        yield Step(dict, 0, 10.0)  # so long the program has prepared
        for step in range(1, 100):
            clock.now += 20
            nn.init.constant_(layer.weight, step)
            yield Step(lambda: {"layer": layer}, 5)

    all_sent(visits.snapshots(toy(), [2, 1], tmp_path / "shots", pipe), steps())
    about = [(at, round(60 * kept["minutes_trained"]), kept["images_trained"]) for at, kept in pipe.sent]
    assert about == [("1", 70, 15), ("2", 130, 30)]
    kept = [torch.load(visits.snapshot(tmp_path / "shots", mark), weights_only=True) for mark in (1, 2)]
    assert [state["weight"].item() for state in kept] == [3, 6]


def ended(place, tell):
    """A program of one step of 8 images."""
    tell(Step(dict, 0))
    tell(Step(lambda: {"layer": nn.Linear(1, 1)}, 8))


@pytest.mark.parametrize("died", [False, True])
def test_a_program_whose_schedule_has_ended_waits_for_its_visit_unless_nobody_listens(
    died, tmp_path, monkeypatch
):
    pipe, parents = Pipe(), iter([7, 7, 7, 7, 8])
    place = Place(tmp_path, tmp_path, tmp_path, tmp_path, 1, float("inf"))
    job = Job("toy", place, partial(visits.snapshots, minutes=[0.002], folder=tmp_path), tmp_path / "log")
    monkeypatch.setitem(PEERS, "toy", replace(toy(), run=ended))
    monkeypatch.setattr(processes, "settle", lambda job, cores: None)
    if died:
        monkeypatch.setattr(os, "getppid", lambda: next(parents))
    processes.work(job, [0], pipe)
    assert [values["images_trained"] for _, values in pipe.sent] == ([] if died else [8])


def test_evaluations_are_rows_that_pass_through_a_network():
    network = nn.Linear(2, 2)
    with visits.Calls(network) as calls:
        network(torch.zeros(3, 2))
        network(torch.zeros(4, 2))
    network(torch.zeros(5, 2))
    assert calls.rows == 7


def test_samples_are_those_of_a_snapshot_and_cost_evaluations(tmp_path, monkeypatch):
    class Judge:
        def __init__(self, task):
            self.task = task

        def samples(self, draw, num, batch):
            return torch.cat([draw(torch.zeros(batch, 1)) for _ in range(num // batch)])

        def scores(self, drawn):
            return {"fid": drawn.mean().item()}

    monkeypatch.setattr(visits, "Judge", Judge)
    layer, pipe = nn.Linear(1, 1), Pipe()
    torch.save({"weight": torch.zeros(1, 1), "bias": torch.full((1,), 6.0)}, visits.snapshot(tmp_path, 5))
    peer = toy(batch=2, num_samples=100, draw=lambda names, c: names["layer"](names["layer"](c)))
    visit = visits.scores(peer, 5, tmp_path, tmp_path, 4, pipe)
    assert all_sent(visit, [Step(lambda: {"layer": layer}, 0)]) == 1
    (at, values), (_, about) = pipe.sent
    assert (at, values["fid"], values["evaluations"]) == ("5", 6.0, 2.0)
    assert (about["samples"], about["parameters"]) == (4, 2e-6)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_images_that_were_enlarged_come_back_as_they_were(size):
    x = torch.rand(2, 1, 28, 28) * 2 - 1
    torch.testing.assert_close(judge.reduced(judge.enlarged(x, size), 28), x, atol=1e-4, rtol=0)


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


def test_a_program_that_fails_is_told_with_its_last_line_and_the_others_go_on(tmp_path):
    place = Place(tmp_path, tmp_path / "x", tmp_path / "in", tmp_path, 1, float("inf"))
    job = Job("pytorch-gan", place, partial(visits.snapshots, minutes=[1], folder=tmp_path), tmp_path / "log")
    found = list(processes.side_by_side([job], [0], 1, 1, lambda job, sent: None))
    assert len(found) == 1
    assert "pytorch-gan: its program failed: FileNotFoundError" in str(found[0])


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
