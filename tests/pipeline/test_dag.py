"""The stages as DVC runs them, on a few synthetic images: same bits, resume, and what a change reruns."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from helpers.commands import (
    COMMANDS,
    EVALUATED,
    FEATURES_TRAINED,
    GENERATORS,
    IMAGES,
    STACKED,
    TOYS_TRAINED,
    TRAINED,
    call,
    listing,
    train,
)
from helpers.inputs import write_inputs
from helpers.project import edit, environment, run, wait_for
from ruamel.yaml import YAML

import pipeline.runtime.params


def test_the_whole_dag_ends_in_a_report_that_shows_every_model(finished):
    page = (finished / "reports/index.html").read_text()
    for model in GENERATORS:
        assert f"<h3>{model.removesuffix('-0')}</h3>" in page
    for model in STACKED:
        assert f'alt="Samples of {model.removesuffix("-0")}:' in page
    assert len(re.findall(r'src="data:image/webp;base64,', page)) == len(
        list((finished / "reports/figures").iterdir())
    )
    assert not re.search(r'(src|<link[^>]* href)="(https?:)?//', page), (
        "the page asks for something from outside"
    )
    table = (finished / "reports/comparison.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in table[:2]] == [["model", "seed"], ["real", ""]]
    # in their order, and each in params.yaml's
    sections = ("regression", "engression", "cgan", "flow", "gan", "stacked", "ablation")
    models = ["-".join(line.split(",")[:2]) for line in table[2:]]
    assert sorted(models) == sorted([*GENERATORS, *IMAGES, *STACKED])
    assert models == sorted(models, key=lambda model: sections.index(model.split("-")[0]))


def test_a_short_form_is_in_the_comparison_and_not_in_the_report(inside, settings, tmp_path, monkeypatch):
    shutil.copytree(inside / "reports", tmp_path / "reports")
    settings({"claim": {"task": "text", "whole": "digit"}})
    assert (inside / "reports/figures/images-text.png").exists()
    assert call(f"report data/tasks/digit models {tmp_path}/reports", monkeypatch) == 0
    assert not (tmp_path / "reports/figures/images-text.png").exists()
    assert "models/cgan-text-0/" in (inside / "reports/index.html").read_text()
    assert "models/cgan-text-0/" not in (tmp_path / "reports/index.html").read_text()
    table, before = ((folder / "reports/comparison.csv").read_text() for folder in (tmp_path, inside))
    assert table == before
    assert "\ncgan-text,0," in table


def test_the_claims_page_is_made_before_all_that_it_does_not_need(finished):
    log = (finished / "repro.log").read_text()
    told = re.findall(r"^(\S+) +\d+ (?:s|min)  ", log, re.M)
    assert f"\n  The claim: file://{finished}/reports/claim.html\n" in log
    assert told.index("claim") < len(told) / 2
    page = (finished / "reports/claim.html").read_text()
    assert len(re.findall(r'src="data:image/webp;base64,', page)) == 6 + 6  # methods, and the dial
    assert "instead of" not in page  # the task is a whole one


def test_stages_that_ran_at_once_are_all_in_the_lock_file_and_each_told_in_one_line(inside):
    with Repo() as repo:
        names = {stage.addressing for stage in repo.index.stages}
    assert set(YAML(typ="safe").load((inside / "dvc.lock").read_text())["stages"]) == names
    log = (inside / "repro.log").read_text()
    told = re.findall(r"^(\S+) +\d+ (?:s|min)  +(\d+) of (\d+) done", log, re.M)
    assert {stage for stage, *_ in told} == names - {"check"}
    assert [(int(done), int(total)) for _, done, total in told] == [
        (i + 1, len(names) - 1) for i in range(len(names) - 1)
    ]
    assert told[-1][0] == "report"
    assert log.splitlines()[-1] == f"The report: file://{inside}/reports/index.html"


def test_each_stages_log_holds_what_it_said_and_nothing_of_others(inside):
    with Repo() as repo:
        names = {stage.addressing for stage in repo.index.stages}
    assert {path.name for path in (inside / "logs").iterdir()} == {f"{name}.log" for name in names}
    for name in names:
        log = (inside / f"logs/{name}.log").read_text()
        assert re.findall(r"^Running stage '(.*)':$", log, re.M) == [name], log
    assert "step 12/12" in (inside / "logs/train_cgan@digit-0.log").read_text()
    assert "/logs/" not in run(inside, "git status --short --untracked-files=all").stdout


def test_a_second_repro_does_nothing(finished):
    before = (finished / "dvc.lock").read_bytes()
    done = run(finished, "dvc repro")
    assert done.returncode == 0
    assert "Running" not in done.stdout
    assert (finished / "dvc.lock").read_bytes() == before


def test_forced_stages_leave_the_lock_file_as_it_was_byte_for_byte(finished):
    before = (finished / "dvc.lock").read_bytes()
    again = "check evaluate_cgan@digit-0 report"
    done = run(finished, f"dvc repro --force --single-item {again}")
    assert done.stdout.count("Running stage") == 3, done.stdout + done.stderr
    assert (finished / "dvc.lock").read_bytes() == before


def test_a_training_killed_at_a_random_moment_ends_with_the_bits_of_an_uninterrupted_one(
    make_project, monkeypatch, capfd
):
    project, stage = make_project("killed"), "train_cgan@digit-0"
    section = {"num_steps": 240, "save_every": 20, "log_every": 20, "num_snapshots": 5, "monitor_every": 120}
    edit(project, {f"cgans.digit.{key}": value for key, value in section.items()})
    write_inputs(project)
    work, command = project / "runs" / stage, ["dvc", "repro", "--single-item", stage]

    dvc = subprocess.Popen(
        command, cwd=project, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: (work / "checkpoint.pt").exists())
    time.sleep(random.uniform(0, 1))
    os.kill(int((work / "lock").read_text()), signal.SIGKILL)
    assert dvc.wait(60) != 0
    assert not (project / "models/cgan-digit-0").exists()

    resumed = run(project, " ".join(command))
    assert re.search(r"resuming at step [1-9]", resumed.stdout), resumed.stdout + resumed.stderr
    assert not (work / "checkpoint.pt").exists()
    monkeypatch.chdir(project)
    assert call(train("adversarial", "cgans.digit", "digit", "uninterrupted"), monkeypatch) == 0
    assert "resuming" not in capfd.readouterr().out
    ended, expected = (listing(project / "models" / name) for name in ("cgan-digit-0", "uninterrupted"))
    assert [*ended.values()] == [*expected.values()]


def leaves(content: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def affected(key: str) -> set[str]:
    """Which stages read a key of params.yaml, said here once more, by hand, but for the first stage, which
    checks the whole file, and the report, which prints it.
    """
    section, _, rest = key.partition(".")
    name = rest.split(".")[0]
    claimed = {"claim"} if name == "digit" else set()  # whose settings its page prints
    return {
        "budget": TRAINED - FEATURES_TRAINED | {"theory", "claim", "play"},
        "compute": TRAINED - TOYS_TRAINED | EVALUATED | {"claim"},  # toys compute their own way
        "launch": TRAINED - TOYS_TRAINED - FEATURES_TRAINED,
        "datasets": {f"{stage}@{name}" for stage in ("download", "prepare", "train_features")},
        "tasks": {f"task@{name}", "play"},
        "seeds": {"play"},  # they name stages, and no other stage but the report reads them
        "regressions": {f"train_regression@{name}-0", "play"} | claimed,
        "engressions": {f"train_engression@{name}-0", "play"} | claimed,
        "cgans": {f"train_cgan@{name}-0", "play"} | claimed,
        "flows": {f"train_flow@{name}-0", "play"} | claimed,
        "gans": {f"train_gan@{name}-0"},
        "stacked": {f"train_stacked@{name}-0"},
        "ablations": {f"train_ablation@{name}-0"},
        "toys": {f"train_toy@{name}", "play"},
        "evaluate": EVALUATED | {"claim", "play"},
        "claim": {"claim"},
        "theory": {"theory"},
        "bayes": {"theory", "download_penguins", "play"},
    }[section]


def test_each_key_of_the_parameters_is_read_by_exactly_its_stages(inside):
    keys = list(leaves(YAML(typ="safe").load((inside / "params.yaml").read_text())))
    assert len(keys) > 120
    with Repo(str(inside)) as repo:
        tracked = {
            stage.addressing: [name for dep in stage.deps for name in getattr(dep, "params", [])]
            for stage in repo.index.stages
        }
    for key in keys:
        readers = {
            stage for stage, names in tracked.items() if any(f"{key}.".startswith(f"{n}.") for n in names)
        }
        assert readers == affected(key), key


KEYS = ("compute.threads", "launch.processes", "bayes.timeout", "datasets.digits.dataset")
KEYS += ("datasets.drawings.image_size", "datasets.pairs.a", "datasets.digits.features.width")
KEYS += ("datasets.drawings.features.temperature", "tasks.sketch.condition")
KEYS += ("regressions.digit.monitor_every", "cgans.text.spread", "gans.mlp.augment", "bayes.cgan.loss")
KEYS += ("stacked.pacdcgan2.packing", "cgans.digit.clusters", "ablations.gan.l1")
KEYS += ("flows.tones.guidance", "engressions.digit.exponent", "budget", "toys.ring-flow.solver")
KEYS += ("toys.ring-plain.target", "evaluate.seed", "theory.discriminator.width")  # half of them defaults


def test_a_changed_key_puts_its_stages_out_of_date_and_no_other(inside, settings):
    before = (inside / "params.yaml").read_bytes()
    with Repo(str(inside)) as repo:
        stages_now = list(repo.index.stages)  # what `dvc status` asks, without reading dvc.yaml for each key
        for key in KEYS:
            settings({key: "changed"})
            changed = {
                stage.addressing
                for stage in stages_now
                if any(dep.status() for dep in stage.deps if hasattr(dep, "params"))
            }
            assert changed == affected(key), key
            (inside / "params.yaml").write_bytes(before)


def test_dvc_status_names_the_stages_that_a_changed_key_affects(inside, settings):
    settings({"gans.dcgan.width": 16})
    named = re.findall(r"^(\S+):$", run(inside, "dvc status").stdout, re.MULTILINE)
    assert set(named) == {"check", "train_gan@dcgan-0", "report"}


ADDED = {
    "a GAN": ({"gans.mine": {}}, {"train_gan@mine-0", "evaluate_gan@mine-0"}),
    "a variant": (
        {"variants.wide": {"method": "adversarial", "task": "sketch", "width": 8, "seed": 1}},
        {"train_variant@wide", "evaluate_variant@wide"},
    ),
    "a data set": (
        {
            "datasets.mine": {"kind": "images", "folder": "mine/pairs"},
            "tasks.mine": {"data": "mine", "condition": "edges"},
            "regressions.mine": {},
        },
        {f"{stage}@mine" for stage in ("download", "prepare", "train_features", "task", "evaluate_real")}
        | {"train_regression@mine-0", "evaluate_regression@mine-0", "play"},
    ),
}


@pytest.mark.parametrize("kind", ADDED)
def test_what_is_added_adds_its_own_stages_and_touches_no_other(kind, inside, settings):
    changes, stages = ADDED[kind]
    settings(changes)
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"check", "report"} | stages


def test_an_added_seed_adds_two_stages_a_model_and_touches_no_other(inside, settings):
    settings({"seeds": [0, 1]})
    models = {stage for stage in TRAINED | EVALUATED if stage.endswith("-0")}
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"check", "report", "play"} | {stage[:-1] + "1" for stage in models}


def content(project: Path) -> dict[str, str]:
    """All that stages write, with its hash, but for the page of times."""
    folders = (project / name for name in ("models", "data", "reports"))
    files = {file: found for folder in folders for file, found in listing(folder).items()}
    return {file: found for file, found in files.items() if not file.endswith("timings.html")}


@pytest.mark.parametrize("stage", COMMANDS)
def test_a_stage_reads_the_sections_that_dvc_tracks_for_it_and_repeats_its_outputs(
    inside, stage, monkeypatch
):
    read_sections = set()
    read = pipeline.runtime.params.read

    def recording(section: str, *rest: Any, **given: Any) -> Any:
        read_sections.add(section)
        return read(section, *rest, **given)

    monkeypatch.setattr(pipeline.runtime.params, "read", recording)
    with Repo(str(inside)) as repo:
        (found,) = repo.stage.collect(stage)
        tracked = {name for dep in found.deps for name in getattr(dep, "params", [])}
    before = content(inside)
    assert call(COMMANDS[stage], monkeypatch) == 0
    printed = "params.yaml" in {dep.def_path for dep in found.deps if not hasattr(dep, "params")}
    assert printed == (stage in ("check", "report"))
    within = {name for name in read_sections if any(name.startswith(f"{known}.") for known in tracked)}
    assert printed or read_sections - within == tracked
    assert content(inside) == before, "a stage run twice gave other bits"
