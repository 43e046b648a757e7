"""What is counted, timed, kept and judged of peers, on toys; what they score is no test's business."""

import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from helpers.peers import Pipe, toy
from PIL import Image
from torch import nn

from benchmarks.peers import judge, processes, visits
from benchmarks.peers.entrants import PEERS
from benchmarks.peers.peer import Place, Step
from benchmarks.peers.processes import Job


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

        @torch.no_grad()
        def samples(self, draw, num, batch):
            return torch.cat([draw(torch.zeros(batch, 1, 1, 1)) for _ in range(num // batch)])

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
    assert (np.asarray(Image.open(tmp_path / "5.png"))[1:4, 1:4] == 6).all()


@pytest.mark.parametrize("size", [28, 32, 64])
def test_images_that_were_enlarged_come_back_as_they_were(size):
    x = torch.rand(2, 1, 28, 28) * 2 - 1
    torch.testing.assert_close(judge.reduced(judge.enlarged(x, size), 28), x, atol=1e-4, rtol=0)


def test_a_program_that_fails_is_told_with_its_last_line_and_the_others_go_on(tmp_path):
    place = Place(tmp_path, tmp_path / "x", tmp_path / "in", tmp_path, 1, float("inf"))
    job = Job("pytorch-gan", place, partial(visits.snapshots, minutes=[1], folder=tmp_path), tmp_path / "log")
    found = list(processes.side_by_side([job], [0], 1, 1, lambda job, sent: None))
    assert len(found) == 1
    assert "pytorch-gan: its program failed: FileNotFoundError" in str(found[0])
