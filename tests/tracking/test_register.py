"""`make register`, and what `mlflow models serve` answers then."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.project import ROOT, environment
from helpers.register import MODELS, write_model, write_project
from helpers.servers import free_port

from pipeline.sampling import weights
from pipeline.sampling.draw import draw
from pipeline.tasks import stored

NEW = r"(\d+) new versions"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in which `register` has run; `first` is what it printed."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder)
    (folder / "first").write_text(register(folder).stdout)
    return folder


def variables(**more: str) -> dict[str, str]:
    return environment() | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


def register(folder: Path, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "stages.register"],
        cwd=folder,
        env=variables(**more),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    return done


def lines(printed: str) -> dict[str, str]:
    """What is said of each task."""
    return {line.split(":")[0]: line for line in printed.splitlines() if "champion" in line}


def test_every_evaluated_model_is_registered_once_under_its_task(project):
    first = (project / "first").read_text()
    said = lines(first)
    assert {name: int(re.search(NEW, line).group(1)) for name, line in said.items()} == {
        "sketch": 3,
        "digit": 1,
        "digits": 2,
    }
    assert "energy_score" in said["sketch"]
    assert "fid" in said["digits"]
    assert "challenger" not in said["digit"]
    assert "flow-digit-0: not trained or not evaluated; left out" in first


def test_a_second_call_computes_and_makes_nothing_and_other_weights_are_told_of(project):
    before = (project / "data/tuning/cgan-sketch-0.json").stat().st_mtime_ns
    again = register(project)
    assert {re.search(NEW, line).group(1) for line in lines(again.stdout).values()} == {"0"}
    assert "tuning half" not in again.stdout
    assert again.stderr == ""
    assert (project / "data/tuning/cgan-sketch-0.json").stat().st_mtime_ns == before

    details = (project / "reports/details/gan-mlp-0.json").read_text()
    write_model(project, "gan-mlp-0", 99)
    (project / "reports/details/gan-mlp-0.json").write_text(details)
    other = register(project)
    assert "gan-mlp-0: was evaluated with other weights; left out" in other.stdout
    assert "1 models, 0 new versions" in lines(other.stdout)["digits"]
    write_model(project, "gan-mlp-0", list(MODELS).index("gan-mlp-0"))


def test_without_a_server_it_ends_at_once_with_one_line_and_code_2(project, closed):
    started = time.monotonic()
    done = register(project, 2, MLFLOW_TRACKING_URI=f"http://me:secret@127.0.0.1:{closed}")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: MLflow at http://***@127.0.0.1:{closed} does not answer, or refuses (")
    assert "secret" not in line
    assert done.stdout == ""
    assert time.monotonic() - started < 60


def expected(project: Path, name: str, pixels: np.ndarray, num: int, seed: int) -> np.ndarray:
    """Samples by the project's own sampler."""
    sampler, _ = weights.load(project / "models" / name / weights.FILE)
    c = stored.encoded(torch.from_numpy(pixels))
    return draw(sampler, c.__getitem__, torch.arange(len(c)), num, seed).numpy()


def ask(port: int, content: object) -> tuple[int, str]:
    """Status and text of an answer."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def answers(server: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert server.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_server_answers_with_the_samplers_pixels_and_refuses_bad_input_in_one_line(project, tmp_path):
    """The slow one: half a minute for MLflow to start."""
    port, log = free_port(), tmp_path / "log"
    pixels = np.load(project / "data/tasks/sketch/validation_sketches.npy")[:2]
    command = f"-m mlflow models serve -m models:/sketch@cgan-sketch-0 --env-manager local -p {port}"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=project,
            env=variables(MLFLOW_TRACKING_URI=f"sqlite:///{project}/mlflow.db"),
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + 240
        while not answers(server, port, log):
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        good = {"inputs": pixels.tolist(), "params": {"num_samples": 3, "seed": 7}}
        status, text = ask(port, good)
        assert status == 200, text
        found = np.array(json.loads(text)["predictions"], np.uint8)
        assert np.array_equal(found, expected(project, "cgan-sketch-0", pixels, 3, 7))
        for change, said in {
            "shape": ({"inputs": pixels[:, :, 1:].tolist()}, "are needed, not (2, 1, 15, 16)"),
            "range": ({"inputs": (pixels + 300.0).tolist()}, "pixels are whole numbers in 0 .. 255"),
            "nan": (b'{"inputs": [[[[NaN]]]]}', "NaN"),
            "many": (good | {"params": {"num_samples": 501}}, "num_samples = 501: allowed are 1 .. 500"),
            "seed": (good | {"params": {"seed": -1}}, "seed = -1: allowed are 0 .. "),
            "type": (good | {"params": {"seed": "x"}}, "Can not safely convert"),
            "key": ({"instances": pixels.tolist()}, "'inputs' key"),
            "json": (b"{", "valid JSON"),
        }.values():
            status, text = ask(port, change)
            assert status == 400, text
            assert said in text
            assert "\n" not in text
            assert "Traceback" not in text
    finally:
        server.terminate()
        server.wait(60)
    assert "Traceback" not in log.read_text()
