"""Calls to MLflow are carried out by the process that starts the stages, or by the stage itself."""

import os
import subprocess
import sys

import pytest

from pipeline.tracking import courier, store

SAID = "import os; from pipeline.tracking.courier import carried; print(carried(os.getpid), os.getpid())"
A_STAGE = """
import sys
from pipeline.tracking import outbox, runs

runs.add_stage("theory", 2.0, 0.5)
outbox.drain()
assert "mlflow" not in sys.modules
"""


def child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | environment
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)


def test_a_child_has_its_calls_carried_out_here_and_afterwards_by_itself():
    with courier.courier():
        address = os.environ[courier.ADDRESS]
        caller, _ = child(SAID).stdout.split()
        assert int(caller) == os.getpid()
    assert courier.ADDRESS not in os.environ
    for environment in ({}, {courier.ADDRESS: address}):  # of a stage that outlives who started it
        caller, itself = child(SAID, **environment).stdout.split()
        assert caller == itself


def test_what_fails_there_is_told_here():
    with courier.courier():
        assert courier.carried(int, "12") == 12
        with pytest.raises(RuntimeError, match="invalid literal"):
            courier.carried(int, "twelve")
        assert courier.carried(int, "13") == 13


def test_one_that_is_killed_before_it_asks_for_something_holds_up_no_other():
    with courier.courier():
        hanging = courier.Client(os.environ[courier.ADDRESS])
        assert courier.carried(int, "12") == 12
        hanging.close()
        assert courier.carried(int, "13") == 13


def test_a_stage_reaches_the_store_without_importing_mlflow(own_store: None):
    with courier.courier():
        done = child(A_STAGE)
    assert done.returncode == 0, done.stderr
    (run,) = store.client().search_runs([store.experiment_id("plausible-answers-stages")])
    assert run.info.run_name == "theory"
    assert run.data.metrics == {"seconds": 2.0, "loop_seconds": 0.5}
