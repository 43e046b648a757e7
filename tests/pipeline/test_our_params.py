"""Our own params.yaml: it is valid, and says little, so what its entries come to is said here once more."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from helpers.commands import call
from helpers.project import ROOT
from ruamel.yaml import YAML

from stages import sections

OURS, TEN_TIMES = ROOT / "params.yaml", ROOT / "reports/long/params.yaml"
THREE_SEEDS = ROOT / "reports/seeds/params.yaml"
GAN = {  # DCGAN with the non-saturating loss
    "network": "dcgan",
    "num_latents": 64,
    "width": 32,
    "clusters": 0,
    "discriminator_sees_condition": True,
    "loss": "nonsaturating",
    "discriminator_norm": "none",
    "minibatch_stddev": False,
    "packing": 1,
    "augment": [],
    "r1": 0.0,
    "r2": 0.0,
    "gradient_penalty": 0.0,
    "penalty_every": 1,
    "orthogonal": 0.0,
    "discriminator_steps": 1,
    "fresh_latents": True,
    "learning_rate": 0.001,
    "beta1": 0.5,
    "beta2": 0.999,
    "decay_from": 1.0,
    "ema_halflife": 10_000.0,
    "batch_size": 64,
    "num_steps": 1200,
    "log_every": 50,
    "save_every": 400,
    "num_snapshots": 8,
    "monitor_every": 300,
    "adversarial": 1.0,
    "score": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "num_draws": 1,
    "spread": 0.0,
    "mode_seeking": 0.0,
    "mirror": False,
    "max_shift": 0,
    "latents_at_every_level": True,
    "layer_noise": False,
    "num_members": 1,
    "patch_size": 0,
    "seed": 0,
}
CGAN = GAN | {  # image to image
    "network": "unet",
    "mirror": True,
    "num_latents": 16,
    "score": 5.0,
    "num_draws": 2,
    "r1": 0.3,
    "r2": 0.3,
    "penalty_every": 4,
    "beta1": 0.0,
    "beta2": 0.99,
    "decay_from": 0.5,
    "batch_size": 32,
    "num_steps": 1000,
    "save_every": 500,
    "num_snapshots": 6,
    "monitor_every": 250,
}
ABLATION = CGAN | {"latents_at_every_level": False, "num_latents": 4, "num_draws": 1, "score": 0.0}
ABLATION |= {"l1": 3.0, "num_steps": 500, "monitor_every": 100}
BATCH_NORM = {"discriminator_norm": "batch", "num_steps": 900}
REGRESSION = {
    "network": "dcgan",
    "width": 32,
    "learning_rate": 0.002,
    "ema_halflife": 10_000.0,
    "mirror": False,
    "max_shift": 0,
    "latents_at_every_level": True,
    "num_members": 1,
    "batch_size": 64,
    "num_steps": 1500,
    "log_every": 50,
    "save_every": 500,
    "num_snapshots": 8,
    "monitor_every": 300,
    "seed": 0,
}
IMAGE_REGRESSION = REGRESSION | {
    "network": "unet",
    "mirror": True,
    "batch_size": 32,
    "num_steps": 1000,
    "num_snapshots": 6,
    "monitor_every": 250,
}
SCORE = {"num_draws": 2, "exponent": 1.0, "repulsion": 1.0, "patch_sizes": [1, 4, 0], "layer_noise": False}
FLOW = {
    "network": "denoiser",
    "clusters": 0,
    "learning_rate": 0.012,
    "solver": "adams_bashforth",
    "solver_steps": 16,
    "prediction": "data",
    "times": "logit_normal",
    "shift": 0.0,
    "share_at_zero": 0.1,
    "spacing": 1.0,
    "dropout": 0.0,
    "guidance": 1.0,
    "drop_condition": 0.0,
}
IMAGE_FLOW = FLOW | {"learning_rate": 0.007, "shift": -0.6, "spacing": 0.5, "dropout": 0.1}
LONG = {"num_steps": 4800, "monitor_every": 1200}
TOY = GAN | {  # eight Gaussians
    "network": "points",
    "target": "ring",
    "num_members": 5,
    "num_latents": 256,
    "width": 64,
    "learning_rate": 0.0002,
    "ema_halflife": 20_000.0,
    "batch_size": 320,
    "num_steps": 4000,
    "save_every": 1000,
    "num_snapshots": 6,
    "monitor_every": 100,
}
RING = TOY | {"num_latents": 2, "discriminator_steps": 5, "learning_rate": 0.003, "beta1": 0.9, "beta2": 0.99}
RING |= {"decay_from": 0.3, "num_steps": 4000, "save_every": 500}
GRID = RING | {"target": "grid", "beta1": 0.5, "num_steps": 4500}
RELATIVISTIC = {"loss": "relativistic", "r1": 0.1, "r2": 0.1, "penalty_every": 4}
LEARNER = {"width": 16, "ema_halflife": 20_000.0, "seed": 0}
CONTRASTIVE = LEARNER | {"learning_rate": 0.002, "weight_decay": 0.01, "temperature": 0.1}
CONTRASTIVE |= {"batch_size": 128, "num_steps": 600, "log_every": 50, "save_every": 200}
SOURCE = {"source": "wheel", "folder": "data/none", "timeout": 30.0, "seed": 0, "features": {}}
SHARES = {"image_size": 32, "validation_share": 0.15, "test_share": 0.15}
COMES_TO: dict[str, dict[str, Any]] = {
    "gans.mlp": GAN
    | {"network": "mlp", "num_latents": 100, "width": 240, "batch_size": 128, "num_steps": 1000},
    "gans.dcgan": GAN
    | {"discriminator_norm": "batch", "discriminator_steps": 2}
    | {"log_every": 20, "save_every": 200, "monitor_every": 200},
    "gans.cluster-conditioned": GAN
    | RELATIVISTIC
    | {"clusters": 300, "num_steps": 2100, "monitor_every": 200},
    "cgans.digit": GAN | {"clusters": 30, "decay_from": 0.8, "num_steps": 2700, "save_every": 300},
    "stacked.pacdcgan2": GAN | BATCH_NORM | {"packing": 2},
    "cgans.sketch": CGAN | LONG,
    "cgans.superres": CGAN | {"score": 40.0},
    "cgans.text": CGAN
    | {"network": "caption", "mirror": False}
    | {"score": 30.0, "num_steps": 2000, "monitor_every": 500},
    "ablations.l1": ABLATION | {"adversarial": 0.0, "l1": 10.0},
    "ablations.gan": ABLATION | {"discriminator_sees_condition": False, "l1": 0.0},
    "ablations.rcgan": ABLATION | {"num_draws": 2, "spread": 1.0, "latents_at_every_level": True},
    "regressions.digit": REGRESSION,
    "regressions.sketch": IMAGE_REGRESSION | LONG | {"max_shift": 1},
    "regressions.text": IMAGE_REGRESSION
    | {"network": "caption", "mirror": False}
    | {"num_steps": 2000, "monitor_every": 500},
    "engressions.digit": REGRESSION | SCORE | {"num_latents": 64},
    "engressions.sketch": IMAGE_REGRESSION | SCORE | LONG | {"num_latents": 16, "max_shift": 1},
    "flows.digit": REGRESSION
    | FLOW
    | {"drop_condition": 0.1, "guidance": 1.5, "solver_steps": 8, "num_steps": 2000, "monitor_every": 1000},
    "flows.tones": IMAGE_REGRESSION | IMAGE_FLOW | {"num_steps": 3000, "monitor_every": 1000},
    "engressions.map": IMAGE_REGRESSION
    | SCORE
    | {"num_latents": 16, "layer_noise": True, "patch_sizes": [1, 2, 4, 8, 0]},
    "cgans.map": CGAN | {"layer_noise": True, "num_steps": 1500, "monitor_every": 500},
    "regressions.digit-quick": REGRESSION | {"num_steps": 300, "save_every": 300, "monitor_every": 300},
    "toys.ring-plain": RING,
    "toys.grid-plain": GRID,
    "toys.grid-stabilised": GRID | RELATIVISTIC,
    "datasets.digits": SOURCE | {"kind": "digits", "dataset": "mnist", "num_validation": 10_000},
    "datasets.drawings": SOURCE | SHARES | {"kind": "drawings"},
    "datasets.earth": SOURCE
    | {"kind": "earth", "image_size": 32, "validation_share": 0.2, "test_share": 0.2}
    | {"reduced": 2, "stride": 4, "land": 0.5},
}
LEARNERS: dict[str, dict[str, Any]] = {  # of the data sets' feature networks
    "digits": LEARNER
    | {"learning_rate": 0.003, "weight_decay": 0.0, "max_shift": 1}
    | {"batch_size": 64, "num_steps": 4600, "log_every": 100, "save_every": 500},
    "drawings": CONTRASTIVE,
    "earth": CONTRASTIVE,
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    return ROOT


def test_our_own_file_is_valid(here):
    sections.check()


@pytest.mark.parametrize("file", [OURS, TEN_TIMES, THREE_SEEDS], ids=["ours", "long", "seeds"])
def test_every_section_of_our_own_files_is_there(file):
    assert set(YAML(typ="safe").load(file.read_text())) == set(sections.SECTIONS)


def test_the_long_run_is_valid_and_has_the_entries_of_the_short_one_ten_times_as_long(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(TEN_TIMES.read_text())
    monkeypatch.chdir(tmp_path)
    sections.check()
    ours, long = (YAML(typ="safe").load(file.read_text()) for file in (OURS, TEN_TIMES))
    assert long["budget"] == 10 * ours["budget"]
    for family in ("datasets", "tasks", "regressions", "engressions", "cgans", "flows", "stacked"):
        assert long[family].items() <= ours[family].items(), family
    assert ours["gans"].items() <= long["gans"].items()
    for name in ("regressions", "engressions", "cgans", "flows"):
        assert long[name].keys() >= {"digit", "sketch", "colourise"}


def test_the_run_of_three_seeds_is_valid_and_has_the_entries_and_settings_of_ours(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(THREE_SEEDS.read_text())
    monkeypatch.chdir(tmp_path)
    sections.check()
    ours, three = (YAML(typ="safe").load(file.read_text()) for file in (OURS, THREE_SEEDS))
    families = ("tasks", "regressions", "engressions", "cgans", "flows")
    for family in families:
        assert three[family] == {
            name: ours[family][name] for name in ("digit", "sketch", "colourise", "tones")
        }
    assert three["datasets"] == {name: ours["datasets"][name] for name in ("digits", "drawings")}
    emptied = ("gans", "stacked", "ablations", "variants", "toys")
    assert [three[name] for name in emptied] == [{}] * 5
    assert three["seeds"] == [0, 1, 2]
    assert three["claim"] == {"task": "digit", "whole": "digit"}
    others = three.keys() - {*families, *emptied, "seeds", "datasets", "claim"}
    assert {name: three[name] for name in others} == {name: ours[name] for name in others}


@pytest.mark.parametrize("key", COMES_TO)
def test_what_an_entry_comes_to(key, here):
    assert sections.settings(key).model_dump() == COMES_TO[key]


@pytest.mark.parametrize("data", LEARNERS)
def test_what_a_data_sets_feature_network_comes_to(data, here):
    assert sections.learner(data)[2].model_dump() == LEARNERS[data]


def test_what_an_entry_comes_to_is_printed(here, monkeypatch, capfd):
    assert call("settings cgans.sketch", monkeypatch) == 0
    printed = dict(line.split(": ") for line in capfd.readouterr().out.splitlines())
    assert printed == {name: str(value) for name, value in COMES_TO["cgans.sketch"].items()}


def test_of_a_misspelt_entry_all_that_there_are_are_told(here, monkeypatch, capfd):
    assert call("settings cgans.skech", monkeypatch) == 2
    told = capfd.readouterr().err
    assert told.startswith("error: KEY = 'cgans.skech': allowed are compute, launch,")
    assert "cgans.sketch" in told
    assert told.count("\n") == 1


def test_what_an_experiment_sets_changes_and_nothing_else(tmp_path):
    """`dvc exp run -S`, also of a key that takes its default."""
    path = tmp_path / "params.yaml"
    path.write_text(OURS.read_text())
    apply_overrides(path, ["gans.cluster-conditioned.r1=0.25", "++gans.cluster-conditioned.orthogonal=0.1"])
    before, after = (YAML(typ="safe").load(file.read_text()) for file in (OURS, path))
    before["gans"]["cluster-conditioned"] |= {"r1": 0.25, "orthogonal": 0.1}
    assert after == before
