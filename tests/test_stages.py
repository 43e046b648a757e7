"""The stages as DVC runs them, on a few synthetic images: same bits, resume, one writer, errors, tracking."""

import importlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import edit, environment, run
from dvc.repo import Repo
from ruamel.yaml import YAML
from safetensors.torch import load_file

import pipeline.params
import stages
from pipeline.files import sha256

DIGITS, JUDGE, REAL = (
    "data/prepared/digits.npz",
    "models/judge/weights.safetensors",
    "reports/metrics/real.json",
)
TRAINED = ("train_judge", "train_gan@mlp", "train_gan@dcgan", "train_regression@digit", "train_cgan@digit")
EVALUATED = ("evaluate_real", "evaluate_gan@mlp", "evaluate_gan@dcgan")
EVALUATED += ("evaluate_regression@digit", "evaluate_cgan@digit")
COMMANDS = {
    "download@mnist": "download data/raw/mnist",
    "prepare@digits": f"prepare data/raw/mnist {DIGITS}",
    "train_judge": f"train_judge {DIGITS} models/judge",
    "train_gan@dcgan": f"train_gan dcgan {DIGITS} models/gan-dcgan",
    "train_regression@digit": f"train_regression digit {DIGITS} models/regression-digit",
    "train_cgan@digit": f"train_cgan digit {DIGITS} models/cgan-digit",
    "evaluate_real": f"evaluate_real {DIGITS} {JUDGE} {REAL}",
    "evaluate_cgan@digit": f"evaluate models/cgan-digit {DIGITS} {JUDGE} {REAL} cgan.json cgan.npz",
    "report": f"report {DIGITS} models reports/metrics reports/samples again",
}


def listing(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its hash."""
    return {str(path): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def inside(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The finished project as the working folder; params.yaml is put back afterwards."""
    monkeypatch.chdir(finished)
    monkeypatch.setenv("DVC_ROOT", str(finished))
    return finished


@pytest.fixture
def settings(inside: Path) -> Iterator[Callable[[dict[str, object]], None]]:
    """Changes keys of params.yaml for one test."""
    before = (inside / "params.yaml").read_bytes()
    yield lambda changes: edit(inside, changes)
    (inside / "params.yaml").write_bytes(before)


def call(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a stage's command line in this process; its exit code."""
    name, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            stages.run(importlib.import_module(f"stages.{name}").main)
    finally:
        signal.signal(signal.SIGTERM, handler)
    return int(ended.value.code or 0)


# ---------------------------------------------------------------------------------------------- the DAG


def test_the_whole_dag_ends_in_a_report_that_shows_every_model(finished):
    page = (finished / "reports/index.html").read_text()
    for model in ("gan-mlp", "gan-dcgan", "regression-digit", "cgan-digit"):
        assert f"<h3>{model}</h3>" in page
    assert len(re.findall(r'src="data:image/png;base64,', page)) == len(
        list((finished / "reports/figures").iterdir())
    )
    assert not re.search(r'(src|href)="(https?:)?//', page), "the page asks for something from outside"
    table = (finished / "reports/comparison.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table] == [
        "model", "real", "regression-digit", "cgan-digit", "gan-mlp", "gan-dcgan",
    ]  # fmt: skip


def test_a_second_repro_does_nothing(finished):
    before = (finished / "dvc.lock").read_bytes()
    done = run(finished, "dvc repro")
    assert done.returncode == 0
    assert "Running" not in done.stdout
    assert (finished / "dvc.lock").read_bytes() == before


def test_forced_stages_leave_the_lock_file_as_it_was_byte_for_byte(finished):
    before = (finished / "dvc.lock").read_bytes()
    again = "train_gan@mlp evaluate_cgan@digit report"
    done = run(finished, f"dvc repro --force --single-item {again}")
    assert done.stdout.count("Running stage") == 3, done.stdout + done.stderr
    assert (finished / "dvc.lock").read_bytes() == before


def test_a_training_killed_at_a_random_moment_ends_with_the_bits_of_an_uninterrupted_one(make_project):
    project = make_project("killed")
    section = {"num_steps": 400, "save_every": 20, "log_every": 20, "num_snapshots": 5}
    edit(project, {f"cgans.digit.{key}": value for key, value in section.items()})
    assert run(project, "dvc repro prepare@digits").returncode == 0
    work, command = project / "runs/train_cgan@digit", ["dvc", "repro", "--single-item", "train_cgan@digit"]

    dvc = subprocess.Popen(
        command, cwd=project, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: (work / "checkpoint.pt").exists())
    time.sleep(random.uniform(0, 1))
    os.kill(int((work / "lock").read_text()), signal.SIGKILL)
    assert dvc.wait(60) != 0
    assert not (project / "models/cgan-digit").exists()

    resumed = run(project, " ".join(command))
    assert re.search(r"resuming at step [1-9]", resumed.stdout), resumed.stdout + resumed.stderr
    assert not (work / "checkpoint.pt").exists()
    lock = (project / "dvc.lock").read_bytes()
    uninterrupted = run(project, " ".join([*command, "--force"]))
    assert uninterrupted.returncode == 0
    assert "resuming" not in uninterrupted.stdout
    assert (project / "dvc.lock").read_bytes() == lock


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# ---------------------------------------------------------------------------------------------- params.yaml


def leaves(content: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def affected(key: str) -> set[str]:
    """Which stages read a key of params.yaml, said here once more, by hand; the report prints every key."""
    section, _, rest = key.partition(".")
    return {"report"} | {
        "compute": {*TRAINED, *EVALUATED},
        "download": {"download@mnist"},
        "digits": {"prepare@digits"} | ({"download@mnist"} if rest == "dataset" else set()),
        "judge": {"train_judge"},
        "gans": {f"train_gan@{rest.split('.')[0]}"},
        "regressions": {f"train_regression@{rest.split('.')[0]}"},
        "cgans": {f"train_cgan@{rest.split('.')[0]}"},
        "evaluate": set(EVALUATED),
    }[section]


def test_each_key_of_the_parameters_puts_exactly_its_stages_out_of_date(inside, settings):
    keys = list(leaves(YAML(typ="safe").load((inside / "params.yaml").read_text())))
    assert len(keys) > 60
    before = (inside / "params.yaml").read_bytes()
    with Repo(str(inside)) as repo:
        stages_now = list(repo.index.stages)  # what `dvc status` asks, without reading dvc.yaml for each key
        for key in keys:
            settings({key: "changed"})
            changed = {s.addressing for s in stages_now if any(dep.status() for dep in s.deps)}
            assert changed == affected(key), key
            (inside / "params.yaml").write_bytes(before)


def test_dvc_status_names_the_stages_that_a_changed_key_affects(inside, settings):
    settings({"gans.dcgan.width": 16})
    named = re.findall(r"^(\S+):$", run(inside, "dvc status").stdout, re.MULTILINE)
    assert set(named) == {"train_gan@dcgan", "report"}


def test_an_added_gan_adds_its_two_stages_and_touches_no_other_model(inside, settings):
    content = YAML(typ="safe").load((inside / "params.yaml").read_text())
    settings({"gans.mine": content["gans"]["dcgan"]})
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"train_gan@mine", "evaluate_gan@mine", "report"}


@pytest.mark.parametrize("stage", COMMANDS)
def test_a_stage_reads_the_sections_that_dvc_tracks_for_it_and_repeats_its_outputs(
    inside, stage, monkeypatch
):
    read_sections = set()
    read = pipeline.params.read

    def recording(section: str, *rest: Any) -> Any:
        read_sections.add(section)
        return read(section, *rest)

    monkeypatch.setattr(pipeline.params, "read", recording)
    with Repo(str(inside)) as repo:
        (found,) = repo.stage.collect(stage)
        tracked = {name for dep in found.deps for name in getattr(dep, "params", [])}
    before = listing(inside / "models") | listing(inside / "data")
    assert call(COMMANDS[stage], monkeypatch) == 0
    assert read_sections == tracked
    assert listing(inside / "models") | listing(inside / "data") == before, (
        "a stage run twice gave other bits"
    )


# ---------------------------------------------------------------------------------------------- mistakes

MISTAKES = {
    "an unknown key": ("train_gan@dcgan", {"gans.dcgan.learning_rat": 0.1}, "gans.dcgan.learning_rat = 0.1"),
    "a misspelt loss": ("train_cgan@digit", {"cgans.digit.loss": "hing"}, "did you mean 'hinge'"),
    "a negative rate": ("train_gan@dcgan", {"gans.dcgan.learning_rate": -1.0}, "learning_rate = -1.0"),
    "a zero batch": ("train_judge", {"judge.batch_size": 0}, "judge.batch_size = 0"),
    "a large batch": ("train_judge", {"judge.batch_size": 5000}, "5000: the training set has only 600"),
    "a string": ("train_regression@digit", {"regressions.digit.num_steps": "ten"}, "num_steps = 'ten'"),
    "many samples": ("evaluate_real", {"evaluate.num_samples": 301}, "evaluate.num_samples = 301"),
    "no source": ("download@mnist", {"download.source": "wheels"}, "did you mean 'wheel'"),
    "no folder": ("download@mnist", {"download.folder": "/nowhere"}, "download.folder = '/nowhere'"),
    "other data": (
        "download@mnist",
        {"digits.dataset": "mnist"},
        "MNIST's is 6bbc9ace898e44ae57da46a324031adb",
    ),
    "a large split": ("prepare@digits", {"digits.num_validation": 900}, "digits.num_validation = 900"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_parameters_is_one_line_and_code_2_and_nothing_is_lost(
    name, inside, settings, monkeypatch, capfd
):
    stage, changes, words = MISTAKES[name]
    before = {**listing(inside / "models"), **listing(inside / "data"), **listing(inside / "reports")}
    settings(changes)
    assert call(COMMANDS[stage], monkeypatch) == 2
    error = capfd.readouterr().err
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert {**listing(inside / "models"), **listing(inside / "data"), **listing(inside / "reports")} == before
    assert not list(inside.rglob("*.part"))


def test_a_missing_section_is_named(inside, settings, monkeypatch, capfd):
    settings({"gans": {}})
    assert call(COMMANDS["train_gan@dcgan"], monkeypatch) == 2
    assert "section 'gans.dcgan' is missing" in capfd.readouterr().err


def test_a_number_in_scientific_notation_without_a_point_is_a_number(inside, monkeypatch):
    text = (inside / "params.yaml").read_text()
    changed = re.sub(r"learning_rate: 0.001\b", "learning_rate: 1e-3", text)
    assert changed != text
    (inside / "params.yaml").write_text(changed)
    with Repo(str(inside)) as repo:
        assert repo.status() == {}
    assert call(COMMANDS["train_gan@dcgan"], monkeypatch) == 0
    (inside / "params.yaml").write_text(text)


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_damaged_inputs_are_named(damage, inside, tmp_path, monkeypatch, capfd):
    names = {"data": inside / DIGITS, "weights": inside / JUDGE}
    for name, source in names.items():
        copy = tmp_path / f"{name}{source.suffix}"
        if damage == "truncated":
            copy.write_bytes(source.read_bytes()[:-100])
        elif damage == "other":
            copy.write_bytes(b"something else entirely")
        data, judge = (copy, JUDGE) if name == "data" else (DIGITS, copy)
        assert call(f"evaluate_real {data} {judge} {tmp_path / 'out.json'}", monkeypatch) == 2
        assert copy.name in re.sub(r"[\s│]", "", capfd.readouterr().err)  # Typer breaks long lines in a box
        assert not (tmp_path / "out.json").exists()


def test_a_corrupt_idx_file_is_named(inside, tmp_path, monkeypatch, capfd):
    (tmp_path / "FashionMNIST/raw").mkdir(parents=True)
    for file in (inside / "data/raw/mnist/FashionMNIST/raw").iterdir():
        (tmp_path / "FashionMNIST/raw" / file.name).write_bytes(file.read_bytes()[:-1])
    assert call(f"prepare {tmp_path} {tmp_path / 'out.npz'}", monkeypatch) == 2
    assert "train-images-idx3-ubyte: truncated" in capfd.readouterr().err


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 200 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk]).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_told_in_one_line_and_nothing_half_written_stays(
    inside, tiny_disk, monkeypatch, capfd
):
    assert call(f"train_gan mlp {DIGITS} {tiny_disk / 'mlp'}", monkeypatch) == 2
    error = capfd.readouterr().err
    assert "No space left on device" in error
    assert error.count("\n") == 1
    assert list(tiny_disk.iterdir()) == []
    assert call(f"train_gan mlp {DIGITS} {inside / 'again'}", monkeypatch) == 0
    assert "resuming at step 12" in capfd.readouterr().out, "the training itself was lost"
    assert sha256(inside / "again/weights.safetensors") == sha256(
        inside / "models/gan-mlp/weights.safetensors"
    )


def test_a_read_only_folder_is_told_in_one_line(inside, tiny_disk, monkeypatch, capfd):
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    assert call(f"evaluate_real {DIGITS} {JUDGE} {tiny_disk / 'real.json'}", monkeypatch) == 2
    error = capfd.readouterr().err
    assert "Read-only file system" in error
    assert error.count("\n") == 1


def test_a_diverging_training_stops_with_the_step_and_writes_no_model(inside, settings, monkeypatch, capfd):
    settings({"gans.mlp.learning_rate": 1e30, "gans.mlp.log_every": 1, "gans.mlp.save_every": 1})
    assert call(f"train_gan mlp {DIGITS} diverged", monkeypatch) == 1
    assert re.search(r"error: training diverged: \w+ is (nan|inf|-inf) at step \d", capfd.readouterr().err)
    assert not (inside / "diverged").exists()


def test_a_second_writer_is_refused_and_told_who_the_first_is(inside, monkeypatch, capfd):
    holding = "from pathlib import Path; from pipeline.files import sole_writer; import time, sys\n"
    holding += "with sole_writer(Path('runs/train_gan@dcgan')): print('in', flush=True); time.sleep(60)"
    first = subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        first.stdout.readline()
        assert call(COMMANDS["train_gan@dcgan"], monkeypatch) == 2
        assert f"process {first.pid} is writing here" in capfd.readouterr().err
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    assert call(COMMANDS["train_gan@dcgan"], monkeypatch) == 0


# ---------------------------------------------------------------------------------------------- tracking


def test_each_model_has_one_run_that_holds_its_training_and_its_evaluation(inside):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{inside / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("plausible-answers")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    latest = {run.info.run_name: run for run in reversed(runs)}
    assert set(latest) == {"judge", "gan-mlp", "gan-dcgan", "regression-digit", "cgan-digit"}
    for name in ("gan-mlp", "regression-digit", "cgan-digit"):
        found = [run for run in runs if run.info.run_name == name and "test_fid" in run.data.metrics]
        assert found, f"no run of {name} has both"
        run = found[-1]
        assert run.info.status == "FINISHED"
        assert {"test_coverage", "train_seconds", "images_per_second"} < set(run.data.metrics)
        weights = sha256(inside / f"models/{name}/weights.safetensors")
        assert run.data.tags["weights.sha256"] == weights
        assert run.data.tags["data.sha256"] == sha256(inside / DIGITS)
        assert run.data.tags["git.dirty"] in ("true", "false")
        assert len(run.data.tags["mlflow.source.git.commit"]) == 40
        assert run.data.params["params.num_steps"] == "12"
        assert run.inputs.dataset_inputs[0].dataset.name == DIGITS
        loss = "loss" if name.startswith("regression") else "g_loss"
        assert [point.step for point in client.get_metric_history(run.info.run_id, loss)] == [4, 8, 12]
        pictures = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
        assert sum(path.endswith(".png") for path in pictures) == 3


@pytest.mark.parametrize("kind", ["refusing", "silent"])
def test_a_dead_tracking_server_costs_a_warning_and_seconds_and_changes_nothing(kind, inside):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if kind == "silent":
            server.listen()  # connections are taken and never answered
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        start = time.monotonic()
        command = f"python -m stages.train_cgan digit {DIGITS} models/untracked"
        done = run(inside, command, MLFLOW_TRACKING_URI=uri)
        assert time.monotonic() - start < 30
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("does not answer") == 1
    assert "did not reach MLflow" in done.stderr
    same = listing(inside / "models/cgan-digit").values()
    assert list(listing(inside / "models/untracked").values()) == list(same)
    for file in (inside / "models/untracked").iterdir():
        file.unlink()
    (inside / "models/untracked").rmdir()


def test_the_report_is_complete_without_mlflow(inside, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert call(f"report {DIGITS} models reports/metrics reports/samples untracked", monkeypatch) == 0
    assert (inside / "untracked/index.html").read_bytes() == (inside / "reports/index.html").read_bytes()
    assert "does not answer" in (inside / "untracked/timings.html").read_text()


def test_the_times_of_the_stages_are_beside_the_report(inside):
    times = (inside / "reports/timings.html").read_text()
    for stage in (*TRAINED, *EVALUATED, "download@mnist", "prepare@digits"):
        assert f"<td>{stage}</td>" in times


def test_every_weight_is_finite_and_every_model_has_its_samples(inside):
    for file in (inside / "models").glob("*/weights.safetensors"):
        assert all(tensor.isfinite().all() for tensor in load_file(file).values()), file
    for file in (inside / "reports/samples").iterdir():
        with np.load(file) as arrays:
            assert arrays["pixels"].shape == (300, 1, 28, 28)
            assert arrays["pixels"].dtype == np.uint8
            assert arrays["pixels"].std() > 0
