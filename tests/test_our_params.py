"""Our own params.yaml: every section is read by somebody, and valid."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline.data import digit_preparation as preparation
from pipeline.data import drawing_preparation
from pipeline.data.download import choice
from pipeline.methods import adversarial, contrastive, points, regression, translation
from pipeline.methods import classification as classifier
from pipeline.methods.translators import TranslatorSchedule
from pipeline.metrics import image_suite as pictures
from pipeline.metrics import suite as measure
from pipeline.runtime import compute, params
from pipeline.runtime import distributed as parallel
from pipeline.theory import answers, game

OURS = Path(__file__).parent.parent / "params.yaml"
ONE_SECTION = {
    "compute": compute.Params,
    "launch": parallel.Params,
    "download": choice.Params,
    "digits": preparation.Params,
    "judge": classifier.Params,
    "evaluate": measure.Params,
    "drawings": drawing_preparation.Params,
    "observer": contrastive.Params,
    "evaluate_images": pictures.Params,
    "theory": game.Params,
    "bayes": answers.Params,
}
ENTRY_EACH = {
    "gans": adversarial.Params,
    "regressions": regression.Params,
    "cgans": adversarial.ConditionalParams,
    "stacked": adversarial.Params,
    "toys": points.Params,
    "image_regressions": TranslatorSchedule,
    "image_cgans": translation.Params,
    "ablations": translation.Params,
}
VALUES = {"seeds", "stacked_digits"}  # of which stages read single values
ANCHORS = {"defaults"}  # which entries begin with


@pytest.mark.parametrize("section", ONE_SECTION)
def test_our_own_section_is_valid(section):
    found = params.read(section, ONE_SECTION[section], OURS)
    assert found.model_dump() == params.read(section, dict[str, Any], OURS)


@pytest.mark.parametrize("section", ENTRY_EACH)
def test_every_entry_of_our_own_models_is_valid(section):
    entries = params.read(section, dict[str, Any], OURS)
    assert entries
    for name, values in entries.items():
        more = {} if section == "toys" else {"seed": 0}  # a toy's members are its seeds
        found = params.read(f"{section}.{name}", ENTRY_EACH[section], OURS, **more)
        assert found.model_dump() == values | more


def test_what_an_experiment_sets_changes_and_nothing_else(tmp_path):
    """`dvc exp run -S` writes out what entries take from defaults."""
    path = tmp_path / "params.yaml"
    path.write_text(OURS.read_text())
    apply_overrides(path, ["gans.saturating.r1=0.1"])
    before, after = (YAML(typ="safe").load(file.read_text()) for file in (OURS, path))
    assert before["gans"]["saturating"].pop("r1") == 0.0
    assert after["gans"]["saturating"].pop("r1") == 0.1
    assert after == before


def test_every_section_of_our_own_file_is_read_by_somebody(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("all:\n" + "".join(f"  {line}\n" for line in OURS.read_text().splitlines()))
    assert set(params.read("all", dict[str, Any], path)) == {*ONE_SECTION, *ENTRY_EACH} | VALUES | ANCHORS
