"""What goes wrong in a stage is told in one line, and nothing is lost."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo
from helpers.commands import COMMANDS, call, listing
from helpers.project import edit, run
from ruamel.yaml import YAML

from pipeline.runtime.files import sha256

VARIANT = {"method": "adversarial", "task": "sketch", "width": 8}
SETTINGS = {  # mistakes that `check` finds, before any other stage has run
    "an unknown section": ({"gan": {}}, "section = 'gan': allowed are"),
    "an unknown key": ({"gans.dcgan.learning_rat": 0.1}, "gans.dcgan.learning_rat = 0.1"),
    "a misspelt loss": ({"cgans.digit.loss": "hing"}, "did you mean 'hinge'"),
    "a negative rate": ({"gans.dcgan.learning_rate": -1.0}, "learning_rate = -1.0"),
    "a seed": ({"gans.dcgan.seed": 3}, "gans.dcgan.seed = 3: does not belong here"),
    "no batch norm with R1": ({"gans.dcgan.r1": 1.0}, "discriminator_norm = 'batch'"),
    "an odd batch": ({"stacked.pacdcgan2.batch_size": 31}, "packing = 2"),
    "checkpoints between rows": (
        {"gans.mlp.save_every": 6},
        "save_every = 6 must be a multiple of log_every",
    ),
    "a zero batch": (
        {"datasets.digits.features.batch_size": 0},
        "datasets.digits.features.batch_size = 0",
    ),
    "a string": ({"regressions.digit.num_steps": "ten"}, "regressions.digit.num_steps = 'ten'"),
    "nothing": ({"regressions.digit": None}, "regressions.digit = None"),
    "a key of features": (
        {"datasets.pairs.features.widht": 8},
        "datasets.pairs.features.widht = 8: unknown key; did you mean 'width'",
    ),
    "uneven members": ({"toys.ring-plain.num_members": 3}, "batch_size = 40: of 3 members, each must see 1"),
    "a toy of no method": (
        {"toys.ring-plain": {}},
        "section 'toys.ring-plain.method' is missing; toys.ring-plain has: \n",
    ),
    "a toy by a learner of features": (
        {"toys.ring-flow.method": "contrastive"},
        "toys.ring-flow.method = 'contrastive': allowed are ablation, adversarial, engression, flow",
    ),
    "a toy by a method of means": (
        {"toys.ring-flow.method": "regression"},
        "method 'regression' takes no conditions of kind 'points'",
    ),
    "no budget": ({"budget": 0}, "budget = 0: Input should be greater than 0"),
    "draws on no task": (
        {"evaluate.num_draws_on": {"sketches": 9}},
        "evaluate.num_draws_on = 'sketches': allowed are",
    ),
    "a dial on no task": ({"evaluate.dial_on": ["tone"]}, "did you mean 'tones'"),
    "a claim of no task": ({"claim.task": "digt"}, "claim.task = 'digt': allowed are digit"),
    "a claim without classes": ({"claim.whole": "digits"}, "claim.whole = 'digits': allowed are digit"),
    "patches larger than the image": (
        {"engressions.digit.patch_sizes": [1, 32]},
        "engressions.digit.patch_sizes: 32 pixels is more than the 28 that images have",
    ),
    "guidance from nowhere": ({"flows.tones.guidance": 2.0}, "guidance = 2.0"),
    "a flow of generators": ({"flows.tones.network": "unet"}, "'unet' takes no condition of kind 'image'"),
    "no seeds": ({"seeds": []}, "seeds = []"),
    "a seed below 0": ({"seeds": [-1]}, "seeds.0 = -1"),
    "no source": ({"datasets.drawings.source": "wheels"}, "did you mean 'wheel'"),
    "no source of penguins": (
        {"bayes.source": "wheels"},
        "bayes.source = 'wheels': allowed are auto, folder",
    ),
    "no such kind": ({"datasets.pairs.kind": "pair"}, "datasets.pairs.kind = 'pair': allowed are"),
    "a data set without a kind": ({"datasets.mine": {}}, "section 'datasets.mine.kind' is missing"),
    "a data set without a folder": ({"datasets.mine": {"kind": "faces"}}, "datasets.mine.folder is missing"),
    "a key of another kind": (
        {"datasets.drawings.dataset": "mnist"},
        "datasets.drawings.dataset = 'mnist': unknown key",
    ),
    "an archive without its hash": (
        {"datasets.pairs.source": "url", "datasets.pairs.url": "http://here"},
        "datasets.pairs: source = 'url': url and sha256 must be given",
    ),
    "no such task": ({"cgans.txt": {}}, "cgans.txt: no task 'txt'; tasks has: digits, digit"),
    "no such data": ({"tasks.digit.data": "digit"}, "did you mean 'digits'"),
    "no such condition": ({"tasks.text.condition": "txt"}, "did you mean 'text'"),
    "digits without captions": (
        {"tasks.text.data": "digits"},
        "tasks.text.condition = 'text': digits has no",
    ),
    "pairs without sketches": (
        {"tasks.pairs.condition": "sketch"},
        "tasks.pairs.condition = 'sketch': pairs has no sketches",
    ),
    "stacks of drawings": (
        {"tasks.stacked.data": "drawings"},
        "tasks.stacked.condition = 'none': drawings has no",
    ),
    "stacks with a condition": ({"tasks.stacked.condition": "label"}, "num_stacks stacks digits"),
    "the wrong network": ({"cgans.text.network": "unet"}, "'unet' takes no condition of kind 'words'"),
    "a key of other kinds": ({"gans.mlp.mirror": True}, "mirror = True means nothing for conditions of kind"),
    "a cGAN without a condition": ({"regressions.digits": {}}, "takes no conditions of kind 'none'"),
    "one draw": ({"cgans.text.num_draws": 1}, "num_draws = 1"),
    "a variant of no method": (
        {"variants.mine": VARIANT | {"method": "gan"}},
        "variants.mine.method = 'gan'",
    ),
    "a variant by a learner of features": (
        {"variants.mine": VARIANT | {"method": "contrastive"}},
        "variants.mine.method = 'contrastive': allowed are ablation, adversarial, engression, flow",
    ),
    "a variant of no task": ({"variants.mine": VARIANT | {"task": "txt"}}, "variants.mine: no task 'txt'"),
    "a variant without a task": (
        {"variants.sketch": {"method": "adversarial"}},
        "section 'variants.sketch.task' is missing; variants.sketch has: method",
    ),
    "a variant's unknown key": ({"variants.mine": VARIANT | {"widht": 8}}, "did you mean 'width'"),
    "no such patch": ({"ablations.gan.patch_size": 5}, "ablations.gan: patch_size = 5: allowed are 0"),
    "a size the U-Net cannot halve": (
        {"datasets.drawings.image_size": 40},
        "sides must be multiples of 16 (datasets.drawings.image_size = 40)",
    ),
    "a direction": (
        {"datasets.pairs.direction": "ba"},
        "datasets.pairs: direction: is said by a task's condition",
    ),
    "an odd size": ({"datasets.pairs.image_size": 30}, "image_size = 30"),
    "no drawings to train on": ({"datasets.drawings.test_share": 0.8}, "must be below 1"),
    "own files that are not there": ({"datasets.pairs.folder": "data/raw/x"}, "not a folder"),
    "own files in an output": ({"datasets.pairs.folder": "data/tasks"}, "DVC writes and removes data/tasks"),
    "own files around outputs": ({"datasets.drawings.folder": "data"}, "must lie elsewhere"),
    "own files in the whole project": ({"bayes.folder": "."}, "must lie elsewhere"),
    "own files nowhere": ({"datasets.digits.folder": ""}, "datasets.digits.folder = '': not a folder"),
    "own files at home": ({"datasets.pairs.folder": "~/pairs"}, "without ~"),
    "a name for the shell": ({"gans.a;touch X": {}}, "gans has an entry 'a;touch X': allowed are"),
    "a name that is a number": ({"toys": {7: {}}}, "toys has an entry 7"),
}
DATA = {  # those that a stage finds in what it reads
    "another reference": (
        "evaluate_cgan@digit-0",
        {"evaluate.num_neighbours": 4},
        "data/reference/digit: taken with other settings",
    ),
    "other birds": (
        "download_penguins",
        {"bayes.folder": "/"},
        "params.yaml: bayes: folder = '/': penguins.csv is missing",
    ),
    "no folder": (
        "download@digits",
        {"datasets.digits.folder": "/nowhere"},
        "params.yaml: datasets.digits: folder = '/nowhere': not a folder",
    ),
    "other data": (
        "download@digits",
        {"datasets.digits.dataset": "mnist"},
        "that of MNIST is 6bbc9ace898e44ae57da46a324031adb",
    ),
    "no pairs": (
        "prepare@pairs",
        {"datasets.pairs.folder": "mine/drawings"},
        "params.yaml: datasets.pairs: mine/drawings: examples found: 0, files left out: 102 (the first: svg/",
    ),
    "a large split": (
        "prepare@digits",
        {"datasets.digits.num_validation": 900},
        "params.yaml: datasets.digits: num_validation = 900",
    ),
    "a misspelt loss, without check": ("train_cgan@digit-0", {"cgans.digit.loss": "hing"}, "'hinge'"),
    "a missing section": ("train_gan@dcgan-0", {"gans": {}}, "section 'gans.dcgan' is missing"),
}
MISTAKES = {name: ("check", *told) for name, told in SETTINGS.items()} | DATA


def products(project: Path) -> dict[str, str]:
    """All that stages made."""
    folders = (project / name for name in ("models", "data", "reports"))
    return {file: found for folder in folders for file, found in listing(folder).items()}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_parameters_is_one_line_and_code_2_and_nothing_is_lost(
    name, inside, settings, monkeypatch, capfd
):
    stage, changes, words = MISTAKES[name]
    before = products(inside)
    settings(changes)
    assert call(COMMANDS[stage], monkeypatch) == 2
    error = capfd.readouterr().err
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert products(inside) == before
    assert not list(inside.rglob("*.part"))


def test_a_mistake_in_the_last_entry_ends_repro_at_once_and_nothing_is_gone(finished, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    content = YAML(typ="safe").load((project / "params.yaml").read_text())
    key = (last := list(content)[-1]) + "." + list(content[last])[-1]
    before, text = products(project), (project / "params.yaml").read_bytes()
    edit(project, {key: "nonsense", "compute.threads": 2})
    done = run(project, "dvc repro")
    assert done.returncode
    assert re.findall(r"Running stage '(.*)'", done.stdout) == ["check"]
    assert re.findall(r"^error: .*", done.stderr, re.MULTILINE) == [
        f"error: params.yaml: {key} = 'nonsense': Input should be a valid dictionary or instance of"
        " FlowSettings"
    ]
    assert "Traceback" not in done.stderr
    assert "exited with 2" in done.stderr
    assert products(project) == before
    (project / "params.yaml").write_bytes(text)
    assert "up to date" in run(project, "dvc status").stdout


def test_a_number_in_scientific_notation_without_a_point_is_a_number(inside, monkeypatch):
    text = (inside / "params.yaml").read_text()
    changed = re.sub(r"learning_rate: 0.001\b", "learning_rate: 1e-3", text)
    assert changed != text
    (inside / "params.yaml").write_text(changed)
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"check", "report"}  # of which one checks the file, one prints it
    assert call(COMMANDS["train_gan@dcgan-0"], monkeypatch) == 0
    (inside / "params.yaml").write_text(text)


DAMAGED = {  # an input and the stage that reads it
    "data/prepared/digits/train_images.npy": "task digit {}/.. models/features-digits data/again",
    "models/features-digits/weights.safetensors": (
        "evaluate {}/.. data/tasks/digit data/reference/digit reports"
    ),
    "data/tasks/digit/test_images.npy": "evaluate_real {}/.. again reports",
    "data/reference/digit/reference.npz": ("evaluate models/cgan-digit-0 data/tasks/digit {}/.. reports"),
}


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
@pytest.mark.parametrize("file", DAMAGED)
def test_damaged_inputs_are_named(file, damage, inside, tmp_path, monkeypatch, capfd):
    folder = tmp_path / Path(file).parent.name
    shutil.copytree((inside / file).parent, folder)
    copy = folder / Path(file).name
    content = copy.read_bytes()
    copy.unlink()
    if damage != "missing":
        copy.write_bytes(content[:-100] if damage == "truncated" else b"something else entirely")
    before = products(inside)
    assert call(DAMAGED[file].replace("{}/..", str(folder)).format(copy), monkeypatch) == 2
    told = re.sub(r"[\s│]", "", capfd.readouterr().err)  # Typer breaks long lines in a box
    assert str(folder) in told
    assert "Traceback" not in told
    assert products(inside) == before


def test_a_model_of_another_task_is_refused(inside, monkeypatch, capfd):
    command = COMMANDS["evaluate_gan@dcgan-0"].replace("/digits", "/digit")
    assert call(command, monkeypatch) == 2
    told = "models/gan-dcgan-0/weights.safetensors: trained on task 'digits', not on 'digit'"
    assert capfd.readouterr().err == f"error: {told}\n"


def test_a_corrupt_idx_file_is_named(inside, tmp_path, monkeypatch, capfd):
    (tmp_path / "KMNIST/raw").mkdir(parents=True)
    for file in (inside / "data/raw/digits/KMNIST/raw").iterdir():
        (tmp_path / "KMNIST/raw" / file.name).write_bytes(file.read_bytes()[:-1])
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
    command = COMMANDS["train_gan@mlp-0"]
    assert call(command.replace("models/gan-mlp-0", str(tiny_disk / "gan-mlp-0")), monkeypatch) == 2
    error = capfd.readouterr().err
    assert "No space left on device" in error
    assert error.count("\n") == 1
    assert list(tiny_disk.iterdir()) == []
    before = sha256(inside / "models/gan-mlp-0/weights.safetensors")
    assert call(command, monkeypatch) == 0
    assert "resuming at step 12" in capfd.readouterr().out, "the training itself was lost"
    assert sha256(inside / "models/gan-mlp-0/weights.safetensors") == before


def test_a_read_only_folder_is_told_in_one_line(inside, tiny_disk, monkeypatch, capfd):
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    assert call(f"prepare digits data/raw/digits {tiny_disk / 'digits.npz'}", monkeypatch) == 2
    error = capfd.readouterr().err
    assert "Read-only file system" in error
    assert error.count("\n") == 1


def test_a_diverging_training_stops_with_the_step_and_writes_no_model(inside, settings, monkeypatch, capfd):
    settings({"gans.mlp.learning_rate": 1e30, "gans.mlp.log_every": 1, "gans.mlp.save_every": 1})
    command = COMMANDS["train_gan@mlp-0"].replace("models/gan-mlp-0", "models/diverged")
    assert call(command, monkeypatch) == 1
    assert re.search(r"error: training diverged: \w+ is (nan|inf|-inf) at step \d", capfd.readouterr().err)
    assert not (inside / "models/diverged").exists()


def test_a_second_writer_is_refused_and_told_who_the_first_is(inside, monkeypatch, capfd):
    holding = "from pathlib import Path; from pipeline.runtime.files import sole_writer; import time, sys\n"
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
