"""What all kinds of data sets have, and how an entry of params.yaml comes to one."""

from pathlib import Path

import pytest

from pipeline.data.download.choice import Entry
from pipeline.data.sets import kind
from pipeline.runtime.errors import InputError
from pipeline.tasks import question
from stages import sections

KINDS = ["digits", "drawings", "earth", "faces", "images", "labelled", "pairs"]


def test_every_file_of_the_room_but_the_contract_is_a_kind() -> None:
    assert kind.available() == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_keeps_the_contract(name: str) -> None:
    found = kind.load(name)
    assert issubclass(found.Settings, Entry)
    settings = found.Settings(kind=name, folder="mine")
    assert (settings.folder, settings.features, settings.seed) == ("mine", {}, 0)
    assert "images" in found.FIELDS
    method, condition = found.LEARNER
    assert method in sections.FEATURE_NETWORKS
    assert set(question.load(condition).needs) <= set(found.FIELDS)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{folder: mine}", "section 'datasets.mine.kind' is missing; datasets.mine has: folder"),
        ("{kind: pair, folder: mine}", "datasets.mine.kind = 'pair': allowed are .* .did you mean 'pairs'"),
        ("{kind: pairs}", "datasets.mine.folder is missing"),
        ("{kind: faces, folder: mine, dataset: mnist}", "datasets.mine.dataset = 'mnist': unknown key"),
    ],
)
def test_an_entry_that_is_of_no_kind_or_has_other_keys_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(f"datasets: {{mine: {entry}}}")
    with pytest.raises(InputError, match=f"^params.yaml: {expected}"):
        kind.of("mine")


def test_an_entry_comes_to_its_kind_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("datasets: {mine: {kind: faces, folder: mine, image_size: 64}}")
    found, settings = kind.of("mine")
    assert found is kind.load("faces")
    assert settings.image_size == 64
