"""The report's section on data sets beside that of the first page."""

from typing import Any

import pytest
from helpers.report import noise, rendered, result

from pipeline.report import others, tables
from pipeline.report.results import Result, Section

VALUES = {"fid": 20.25, "precision": 0.5}


def real(data: str, fid: float, **facts: Any) -> dict[str, Any]:
    return {
        "metrics": {"fid": fid},
        "counts": {"fid": [300, 1200]},
        "facts": {"data": data, "source": "own", **facts},
    }


REAL = {
    "pets": real("pets", 3.25, classes=["cat", "dog"]),
    "all-pets": real("pets", 3.25, classes=["cat", "dog"]),
    "clouds": real("clouds", 7.5),
}


def model(entry: str, task: str) -> Result:
    details = {"task": task, "method": "adversarial", "kind": "none"}
    return result("cgans", entry, details=details, metrics=VALUES, samples={"sheet": noise(80, 3, 8, 8)})


@pytest.fixture(scope="module")
def section() -> Section:
    models = {f"cgan-{task}": model(task, task) for task in REAL}
    metrics = {(name, 0): VALUES for name in models} | {("gan-of-digits", 0): {"fid": 1.0, "recall": 1.0}}
    return others.section(models, REAL, tables.comparison(metrics))


def test_each_data_set_has_a_table_of_its_models_beside_its_own_noise_floor(section: Section) -> None:
    page = rendered(section)
    assert page.count("<table>") == 2  # a data set, as of the three groups of metrics one is known
    pets, clouds = page[page.index("<h3>pets</h3>") :].split("<h3>clouds</h3>")
    for part, models, floor in (
        (pets, ("cgan-pets", "cgan-all-pets"), "3.25"),
        (clouds, ("cgan-clouds",), "7.50"),
    ):
        assert f"come to an FID of {floor} (300 against 1,200)" in part
        assert all(f"<b>{name}</b>, samples" in part for name in models)
    assert "Classes: cat, dog;" in pets
    assert "Classes" not in clouds
    assert "gan-of-digits" not in page
    assert page.count("<td>20.2</td>") == 3
    assert page.count("<caption>are samples like real images?</caption>") == 2


def test_a_sheet_is_shown_of_each_model(section: Section) -> None:
    assert list(section.figures) == ["cgan-pets-sheet", "cgan-all-pets-sheet", "cgan-clouds-sheet"]
