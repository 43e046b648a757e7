"""How programs of others are run and visited between their steps, on a toy."""

import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.peers import Pipe, toy
from torch.utils.data import DataLoader

from benchmarks.peers import program, visits

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
