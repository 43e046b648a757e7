"""Tables of all models and seeds, and the page they stand on."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import DIGITS, GENERATORS, IMAGES, STACKED, call

from pipeline.report import stacked, tables

FLOOR = {"fid": {"value": 1.26, "num_samples": 9}, "recall": {"value": 0.75}}
SCORES: dict[tuple[str, int | None], dict[str, Any]] = {
    ("real", None): {"metrics": FLOOR},
    ("gan-b", 0): {"metrics": {"fid": {"value": 120.0, "floor": 1.26}}},
    ("gan-b", 1): {"metrics": {"fid": {"value": 126.0, "floor": 1.26}}},
    ("cgan-a", 0): {"metrics": {"class_mean_error": {"value": 0.00012}, "fid": {"value": 7.04}}},
    ("cgan-a", 1): {"metrics": {"fid": {"value": 7.04}}},
}


def test_a_comparison_has_a_row_a_model_and_seed_and_is_empty_where_a_metric_is_absent() -> None:
    table = tables.comparison(SCORES)
    assert list(table.columns[:2]) == ["model", "seed"]
    assert set(table.columns[2:]) == {"fid", "recall", "class_mean_error"}
    assert table["model"].tolist() == ["real", "gan-b", "gan-b", "cgan-a", "cgan-a"]
    assert table["fid"].tolist() == [1.26, 120.0, 126.0, 7.04, 7.04]
    assert table["recall"].isna().tolist() == [False, True, True, True, True]
    lines = table[["model", "seed", "fid"]].to_csv(index=False).splitlines()
    assert lines[:3] == ["model,seed,fid", "real,,1.26", "gan-b,0,120.0"]


def test_a_written_table_has_a_row_a_model_in_the_order_given_with_mean_and_spread_over_seeds() -> None:
    columns = {name: tables.COLUMNS[name] for name in ("recall", "fid", "class_mean_error")}
    assert tables.written(tables.comparison(SCORES), columns) == [
        ["real", "0.750", "1.3", "-"],
        ["gan-b", "-", "123.0 ± 4.2", "-"],  # 6 / sqrt 2
        ["cgan-a", "-", "7.0 ± 0.0", "1.2e-04"],
    ]


def test_every_metric_has_a_heading_and_a_way_to_be_better() -> None:
    for heading, better, written in (*tables.COLUMNS.values(), *stacked.COLUMNS.values()):
        assert heading
        assert better in ("lower", "higher") or re.fullmatch(r"near [01](\.5)?", better)
        assert float(written.format(1.0)) == 1


def test_the_section_of_stacked_digits_shows_its_own_models_alone() -> None:
    counts = {"modes": {"value": 812}, "kl": {"value": 1.2345}}
    table = tables.comparison(SCORES | {("stacked-x", 0): {"metrics": counts}})
    sheet = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 5), np.uint8)
    section = stacked.section(table, {"stacked-x": sheet}, {"num_samples": 26000, "num_pictures": 9})
    assert section.values["rows"] == [["stacked-x", "812", "1.234"]]
    assert section.values["num_samples"] == 26000
    assert list(section.figures) == ["stacked-x-sheet"]
    assert section.figures["stacked-x-sheet"].startswith(b"\x89PNG")


@pytest.fixture
def two_seeds(inside: Path, tmp_path: Path, settings) -> tuple[Path, Path]:
    """Metrics and samples as two seeds leave them, the second with an FID larger by 2, and other weights."""
    settings({"seeds": [0, 1]})
    metrics, samples = tmp_path / "metrics", tmp_path / "samples"
    shutil.copytree(inside / "reports/metrics", metrics)
    shutil.copytree(inside / "reports/samples", samples)
    for name in (*GENERATORS, *STACKED, *IMAGES):
        content = json.loads((metrics / f"{name}.json").read_text())
        if name in GENERATORS:
            content["metrics"]["fid"]["value"] += 2
        (metrics / f"{name[:-1]}1.json").write_text(json.dumps(content | {"weights": "of the other seed"}))
    return metrics, samples


def test_with_two_seeds_tables_show_mean_and_spread_and_pictures_are_of_the_first(
    inside, two_seeds, tmp_path, monkeypatch
):
    metrics, samples = two_seeds
    before = (inside / "reports/index.html").read_text()
    command = f"report {DIGITS} models {metrics} {samples} reports/theory {tmp_path / 'out'}"
    assert call(command, monkeypatch) == 0
    page = (tmp_path / "out/index.html").read_text()
    table = pd.read_csv(tmp_path / "out/comparison.csv")

    assert len(table) == 1 + 2 * (len(GENERATORS) + len(IMAGES) + len(STACKED))
    for name in GENERATORS:
        model = name.removesuffix("-0")
        fids = table[table["model"] == model].set_index("seed")["fid"]
        assert fids[1] - fids[0] == pytest.approx(2)
        assert f"<td>{fids[0] + 1:.1f} ± 1.4</td>" in page
        assert f"models/{name}/weights.safetensors" in page
        assert f"models/{model}-1/weights.safetensors" in page
    assert page.count("of the other seed") == len(GENERATORS) + len(IMAGES) + len(STACKED)
    assert "2 seeds: mean ± standard deviation" in page
    assert "±" not in before
    for file in (inside / "reports/figures").iterdir():
        if file.stem != "fid":  # its bars are means
            assert (tmp_path / "out/figures" / file.name).read_bytes() == file.read_bytes()


def test_the_page_says_how_many_modes_of_stacked_digits_were_hit(inside):
    page = (inside / "reports/index.html").read_text()
    metrics = json.loads((inside / f"reports/metrics/{STACKED[0]}.json").read_text())["metrics"]
    row = rf"<td>{STACKED[0].removesuffix('-0')}</td><td>{metrics['modes']['value']:.0f}</td>"
    assert re.search(rf"{row}<td>{metrics['kl']['value']:.3f}</td><td>1,000</td><td>300</td>", page)
    table = pd.read_csv(inside / "reports/comparison.csv").set_index("model")
    assert table.loc["stacked-pacdcgan2", "modes"] == metrics["modes"]["value"]
