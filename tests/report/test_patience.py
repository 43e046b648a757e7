"""The report's section on what comes of more steps."""

import shutil
from functools import reduce
from operator import getitem
from pathlib import Path

import pandas as pd
import pytest
from helpers.project import ROOT
from helpers.report import rendered
from ruamel.yaml import YAML

from pipeline.report import patience, tables

HERE = {
    "gan-dcgan": {"fid": 151.25},
    "cgan-sketch": {"fid": 0.025, "energy_score": 0.084, "mean_mse": 0.0174},
}
THERE = {
    "gan-dcgan": {"fid": 50.5, "recall": 0.5},
    "gan-stylegan2": {"fid": 20.25},
    "cgan-sketch": {"fid": 0.0125, "energy_score": 0.08, "mean_mse": 0.0171, "gain_8": 2.25},
    "stacked-dcgan": {"modes": 99.0, "kl": 3.4},
}


def comparison(metrics: dict[str, dict[str, float]]) -> pd.DataFrame:
    return tables.comparison({(name, 0): values for name, values in metrics.items()})


@pytest.fixture
def longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a longer run of the data of params.yaml, which is in the working folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "long/figures").mkdir(parents=True)
    shutil.copy(ROOT / "reports/long/params.yaml", tmp_path / "long")
    comparison(THERE).to_csv(tmp_path / "long/comparison.csv", index=False)
    for name in ("gan-stylegan2-sheet", "gan-stylegan2-curves", "images-sketch"):
        (tmp_path / f"long/figures/{name}.png").write_bytes(b"a picture")
    return tmp_path / "long"


def change(file: Path, key: str, value: object) -> None:
    """Set a dotted key."""
    yaml = YAML()
    content = yaml.load(file)
    *sections, last = key.split(".")
    reduce(getitem, sections, content)[last] = value
    yaml.dump(content, file)


def test_each_model_of_the_longer_run_stands_beside_what_it_came_to_here(longer: Path) -> None:
    section = patience.section(comparison(HERE), longer)
    assert section is not None
    digits, drawings, stacked = section.values["tables"]
    assert digits["headings"][:3] == ["model", ("FID", "budget 1"), ("FID", "budget 10")]
    assert [row[:3] for row in digits["rows"]] == [
        ["gan-dcgan", "151.2", "50.5"],
        ["gan-stylegan2", "-", "20.2"],
    ]
    assert drawings["rows"] == [
        ["cgan-sketch", "0.0840", "0.0800", "0.025", "0.013", "0.0174", "0.0171", "-", "2.25"]
    ]
    assert stacked["rows"] == [["stacked-dcgan", "-", "99", "-", "3.400"]]
    assert set(section.figures) == {"patience-gan-stylegan2-sheet", "patience-images-sketch"}
    page = rendered(section)
    assert "a budget 10 times as large" in page
    assert page.count("<table>") == 3
    assert "<b>gan-stylegan2</b>, samples, not selected" in page


def test_numbers_of_other_data_are_not_compared_and_the_page_says_why(longer: Path) -> None:
    change(Path("params.yaml"), "datasets.digits.dataset", "fashion_mnist")
    change(Path("params.yaml"), "datasets.drawings.features", {"width": 4})
    change(Path("params.yaml"), "evaluate.features", "inception")
    change(Path("params.yaml"), "tasks.digit", {"data": "drawings", "condition": "label"})
    section = patience.section(comparison(HERE), longer)
    assert section is not None
    assert section.figures == {}
    page = rendered(section)
    assert "datasets.digits.dataset (fashion_mnist here, mnist there)" in page
    assert "datasets.drawings.features (" in page
    assert "evaluate.features (inception here, own there)" in page
    assert "tasks.digit.data (drawings here, digits there)" in page
    assert "<table>" not in page


def test_of_data_sets_those_that_both_runs_have_are_compared(longer: Path) -> None:
    for file in (Path("params.yaml"), longer / "params.yaml"):
        change(file, f"datasets.only-{file.parent.name or 'here'}", {"kind": "faces", "folder": str(file)})
    found = patience.kept(longer)
    assert found is not None
    assert found.differing == []


def test_a_run_that_is_no_longer_and_a_folder_without_one_make_no_section(longer: Path) -> None:
    shutil.copy(longer / "params.yaml", "params.yaml")
    assert patience.section(comparison(HERE), longer) is None
    (longer / "comparison.csv").unlink()
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    assert patience.section(comparison(HERE), longer) is None
