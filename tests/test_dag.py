"""The stages as DVC runs them, on a few synthetic images: same bits, resume, and what a change reruns."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from commands import (
    COMMANDS,
    EVALUATED,
    GENERATORS,
    IMAGES,
    IMAGES_EVALUATED,
    STACKED,
    TRAINED,
    call,
    listing,
)
from conftest import edit, environment, run, wait_for
from dvc.repo import Repo
from inputs import write_inputs
from ruamel.yaml import YAML

import pipeline.runtime.params


def test_the_whole_dag_ends_in_a_report_that_shows_every_model(finished):
    page = (finished / "reports/index.html").read_text()
    for model in GENERATORS:
        assert f"<h3>{model.removesuffix('-0')}</h3>" in page
    for model in STACKED:
        assert f'alt="Samples of {model.removesuffix("-0")}"' in page
    assert len(re.findall(r'src="data:image/png;base64,', page)) == len(
        list((finished / "reports/figures").iterdir())
    )
    assert not re.search(r'(src|<link[^>]* href)="(https?:)?//', page), (
        "the page asks for something from outside"
    )
    table = (finished / "reports/comparison.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in table[:2]] == [["model", "seed"], ["real", ""]]
    assert ["-".join(line.split(",")[:2]) for line in table[2:]] == [*GENERATORS, *IMAGES, *STACKED]


def test_a_second_repro_does_nothing(finished):
    before = (finished / "dvc.lock").read_bytes()
    done = run(finished, "dvc repro")
    assert done.returncode == 0
    assert "Running" not in done.stdout
    assert (finished / "dvc.lock").read_bytes() == before


def test_forced_stages_leave_the_lock_file_as_it_was_byte_for_byte(finished):
    before = (finished / "dvc.lock").read_bytes()
    again = "train_gan@clustered-0 evaluate_cgan@digit-0 theory bayes report"
    done = run(finished, f"dvc repro --force --single-item {again}")
    assert done.stdout.count("Running stage") == 5, done.stdout + done.stderr
    assert (finished / "dvc.lock").read_bytes() == before


def test_a_training_killed_at_a_random_moment_ends_with_the_bits_of_an_uninterrupted_one(make_project):
    project, stage = make_project("killed"), "train_cgan@digit-0"
    section = {"num_steps": 240, "save_every": 20, "log_every": 20, "num_snapshots": 5, "fid_every": 120}
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
    lock = (project / "dvc.lock").read_bytes()
    uninterrupted = run(project, " ".join([*command, "--force"]))
    assert uninterrupted.returncode == 0
    assert "resuming" not in uninterrupted.stdout
    assert (project / "dvc.lock").read_bytes() == lock


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
    return {
        "compute": {*TRAINED, *EVALUATED, *IMAGES_EVALUATED}
        - {"train_toy@ring-plain"},  # which computes its own way
        "download": {"download@mnist", "download@penguins"},
        "digits": {"prepare@digits"} | ({"download@mnist"} if rest == "dataset" else set()),
        "judge": {"train_judge"},
        "launch": TRAINED - {"train_judge", "train_observer", "train_toy@ring-plain"},
        "drawings": {"prepare@drawings"} | ({"evaluate_drawings"} if rest == "source" else set()),
        "observer": {"train_observer"},
        "image_regressions": {f"train_image_regression@{name}-0"},
        "image_cgans": {f"train_image_cgan@{name}-0"},
        "ablations": {f"train_ablation@{name}-0"},
        "evaluate_images": IMAGES_EVALUATED,
        "seeds": set(),  # they name stages, and no stage but the report reads them
        "defaults": set(),  # of entries, which have them as their own
        "gans": {f"train_gan@{name}-0"},
        "regressions": {f"train_regression@{name}-0"},
        "cgans": {f"train_cgan@{name}-0"},
        "stacked": {f"train_stacked@{name}-0"},
        "toys": {f"train_toy@{name}"},
        "stacked_digits": {
            f"{'train' if rest == 'num_pictures' else 'evaluate'}_stacked@pacdcgan2-0",
        },
        "theory": {"theory"},
        "bayes": {"bayes"},
        "evaluate": EVALUATED - (set() if rest == "seed" else {"evaluate_stacked@pacdcgan2-0"}),
    }[section]


def test_each_key_of_the_parameters_is_read_by_exactly_its_stages(inside):
    keys = list(leaves(YAML(typ="safe").load((inside / "params.yaml").read_text())))
    assert len(keys) > 150
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


KEYS = ("compute.threads", "digits.dataset", "judge.width", "gans.mlp.augment", "gans.clustered.clusters")
KEYS += (
    "regressions.digit.fid_every",
    "cgans.digit.discriminator_sees_condition",
    "stacked.pacdcgan2.packing",
)
KEYS += ("drawings.image_size", "image_cgans.text.spread", "ablations.gan.l1", "evaluate_images.seed")
KEYS += ("stacked_digits.num_samples", "evaluate.seed", "theory.discriminator.width", "bayes.cgan.loss")


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
    assert set(named) == {"code", "train_gan@dcgan-0", "report"}


def test_an_added_gan_adds_its_two_stages_and_touches_no_other_model(inside, settings):
    content = YAML(typ="safe").load((inside / "params.yaml").read_text())
    settings({"gans.mine": content["gans"]["dcgan"]})
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"code", "train_gan@mine-0", "evaluate_gan@mine-0", "report"}


def test_an_added_seed_adds_two_stages_a_model_and_touches_no_other(inside, settings):
    settings({"seeds": [0, 1]})
    models = {stage for stage in TRAINED | EVALUATED | IMAGES_EVALUATED if stage.endswith("-0")}
    with Repo(str(inside)) as repo:
        assert set(repo.status()) == {"code", "report"} | {stage[:-1] + "1" for stage in models}


@pytest.mark.parametrize("stage", COMMANDS)
def test_a_stage_reads_the_sections_that_dvc_tracks_for_it_and_repeats_its_outputs(
    inside, stage, monkeypatch
):
    read_sections = set()
    read = pipeline.runtime.params.read

    def recording(section: str, *rest: Any, **given: Any) -> Any:
        read_sections.add(section)
        return read(section, *rest, **given)

    monkeypatch.setattr(pipeline.params, "read", recording)
    with Repo(str(inside)) as repo:
        (found,) = repo.stage.collect(stage)
        tracked = {name for dep in found.deps for name in getattr(dep, "params", [])}
    before = listing(inside / "models") | listing(inside / "data")
    assert call(COMMANDS[stage], monkeypatch) == 0
    printed = "params.yaml" in {dep.def_path for dep in found.deps if not hasattr(dep, "params")}
    assert printed == (stage in ("code", "report"))
    assert printed or read_sections == tracked
    assert listing(inside / "models") | listing(inside / "data") == before, (
        "a stage run twice gave other bits"
    )
