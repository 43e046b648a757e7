"""Tables of all models and seeds, what is said of each GAN, and the page they stand on."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from helpers.commands import call
from helpers.report import noise, rendered, result

from pipeline.methods.adversarial import Settings
from pipeline.report import image_tables, study, tables
from pipeline.report.figures import figures
from pipeline.report.styles import STYLES, style_of

METRICS: dict[tuple[str, int | None], dict[str, float]] = {
    ("real", None): {"fid": 1.26, "recall": 0.75},
    ("gan-b", 0): {"fid": 120.0},
    ("gan-b", 1): {"fid": 126.0},
    ("cgan-a", 0): {"class_mean_error": 0.00012, "fid": 7.04},
    ("cgan-a", 1): {"fid": 7.04},
}


def test_a_comparison_has_a_row_a_model_and_seed_and_is_empty_where_a_metric_is_absent() -> None:
    table = tables.comparison(METRICS)
    assert list(table.columns[:2]) == ["model", "seed"]
    assert set(table.columns[2:]) == {"fid", "recall", "class_mean_error"}
    assert table["model"].tolist() == ["real", "gan-b", "gan-b", "cgan-a", "cgan-a"]
    assert table["fid"].tolist() == [1.26, 120.0, 126.0, 7.04, 7.04]
    assert table["recall"].isna().tolist() == [False, True, True, True, True]
    lines = table[["model", "seed", "fid"]].to_csv(index=False).splitlines()
    assert lines[:3] == ["model,seed,fid", "real,,1.26", "gan-b,0,120.0"]


def test_a_written_table_has_a_row_a_model_in_the_order_given_with_mean_and_spread_over_seeds() -> None:
    columns = {name: tables.COLUMNS[name] for name in ("recall", "fid", "class_mean_error")}
    models = ("real", "gan-b", "cgan-a")
    found = tables.written(tables.comparison(METRICS), columns, models)
    assert {name: [re.sub("<.*?>", "", cell) for cell in cells] for name, cells in found.items()} == {
        "real": ["0.750", "1.3", "-"],
        "gan-b": ["-", "123.0 ± 4.2", "-"],  # 6 / sqrt 2
        "cgan-a": ["-", "7.0 ± 0.0", "1.2e-04"],
    }
    assert list(found) == list(models)
    assert found["gan-b"][1].startswith('<span data-seeds="0:120.0 1:126.0">')


def test_a_wide_table_is_split_and_no_number_of_it_lost() -> None:
    values = {name: float(i + 1) for i, name in enumerate(tables.COLUMNS)}
    table = tables.comparison({("all", 0): values, ("some", 0): {"fid": 3.0}, ("none", 0): {"modes": 9.0}})
    found = tables.split(table, tables.GROUPS, ["all", "some", "none"])
    assert list(found) == list(tables.GROUPS)
    assert max(len(each["headings"]) for each in found.values()) <= 9
    of_all = [cell for each in found.values() for row in each["rows"] if row[0] == "all" for cell in row[1:]]
    assert of_all == [form.format(values[name]) for name, (_, _, form) in tables.COLUMNS.items()]
    named = [[row[0] for row in each["rows"]] for each in found.values()]
    assert named == [["all", "some"], ["all"], ["all"]]


def test_every_metric_has_a_heading_and_a_way_to_be_better() -> None:
    every = tables.COLUMNS | study.OF_STACKED | image_tables.OF_TASKS | image_tables.OF_TONES
    for heading, better, written in every.values():
        assert heading
        assert better in ("lower", "higher", "0: z ignored") or re.fullmatch(r"near \d(\.\d+)?", better)
        assert float(written.format(1.0)) == 1


@pytest.mark.parametrize(
    ("method", "kind", "style"),
    [
        ("regression", "class", "regression"),
        ("regression", "image", "regression"),
        ("adversarial", "none", "gan"),
        ("adversarial", "class", "cgan"),
        ("adversarial", "words", "cgan"),
    ],
)
def test_a_model_is_shown_by_its_method_and_the_kind_of_its_condition(method, kind, style) -> None:
    assert style_of({"method": method, "kind": kind}) == STYLES[style]


def test_the_section_of_stacked_digits_shows_its_own_models_alone() -> None:
    table = tables.comparison(METRICS | {("stacked-x", 0): {"modes": 812, "kl": 1.2345}})
    details = {"counts": {"modes": [26000, 0]}}
    model = result("stacked", "x", samples={"sheet": noise(4, 3, 5, 5)}, details=details)
    section = study.of_stacked(table, {"stacked-x": model}, 9)
    assert section.values["rows"] == [["stacked-x", "812", "1.234", "1,000", "26,000"]]
    assert "Trained on 9 images" in rendered(section)
    assert list(section.figures) == ["stacked-x-sheet"]
    assert section.figures["stacked-x-sheet"].startswith(b"\x89PNG")


def test_twins_differ_in_nothing_but_whether_the_loss_saturates() -> None:
    entries = {
        "hinge": Settings(loss="hinge"),
        "plain": Settings(loss="nonsaturating"),
        "wide": Settings(loss="saturating", width=64),
    }
    assert study.twins(entries) == []
    assert study.twins(entries | {"old": Settings(loss="saturating")}) == ["old", "plain"]


def test_the_study_says_of_a_gan_what_it_is_and_what_it_cost() -> None:
    entry = Settings(loss="hinge", r1=0.5, packing=2, clusters=3, discriminator_steps=2, num_steps=1200)
    model = result("gans", "mine", details={"num_parameters": 1234567, "flops": 12_340_000.0})
    switches = "R1 0.5, packs of 2, 3 clusters, K = 2"
    assert study.facts(model, entry) == ["mine", "dcgan", "hinge", switches, "76,800", "1,234,567", "12.3"]
    assert study.facts(model, Settings())[3] == "none"


def test_the_truncation_curves_are_those_of_the_models_that_have_one() -> None:
    rows = [{"truncation": t, "fid": 9 * t, "precision": 1 - t / 2, "recall": t} for t in (1.0, 0.5)]
    models = {
        "cut": result("gans", "cut", details={"truncation_curve": rows}),
        "not": result("gans", "not", details={}),
    }
    found = study.of_truncation(models)
    assert found == {"cut": rows}
    for cell, name in zip(figures.truncations(found).axes, ("fid", "precision", "recall"), strict=True):
        (line,) = cell.lines
        assert line.get_label() == "cut"
        assert list(line.get_xdata()) == [1.0, 0.5]
        assert list(line.get_ydata()) == [row[name] for row in rows]


def test_a_curve_is_over_images_and_has_the_steps_at_which_the_fid_was_taken() -> None:
    history = pd.DataFrame({"step": [10, 20, 30], "fid": [90.0, None, 40.0]})
    assert study.curve(history, Settings(batch_size=64)) == [(640, 90.0), (1920, 40.0)]


# the small project's page


def contents(folder: Path, pattern: str) -> dict[str, dict]:
    return {file.stem: json.loads(file.read_text()) for file in folder.glob(pattern)}


@pytest.fixture
def two_seeds(inside: Path, tmp_path: Path, settings) -> Path:
    """Reports as two seeds leave them, the second with an FID larger by 2, and other weights."""
    settings({"seeds": [0, 1]})
    reports = tmp_path / "reports"
    shutil.copytree(inside / "reports", reports)
    for name, metrics in contents(reports / "metrics", "*-0.json").items():
        details = json.loads((reports / f"details/{name}.json").read_text())
        other = metrics | ({"fid": metrics["fid"] + 2} if "fid" in metrics else {})
        (reports / f"metrics/{name[:-1]}1.json").write_text(json.dumps(other))
        details |= {"weights": "of the other seed"}
        (reports / f"details/{name[:-1]}1.json").write_text(json.dumps(details))
    return reports


def test_with_two_seeds_tables_show_mean_and_spread_and_images_are_of_the_first(
    inside, two_seeds, monkeypatch
):
    before = (inside / "reports/index.html").read_text()
    assert call(f"report data/tasks/digit models {two_seeds}", monkeypatch) == 0
    page = (two_seeds / "index.html").read_text()
    table = pd.read_csv(two_seeds / "comparison.csv")

    names = list(contents(inside / "reports/metrics", "*-0.json"))
    assert table["seed"].notna().sum() == 2 * len(names)
    for name in names:
        model = name.removesuffix("-0")
        fids = table[table["model"] == model].set_index("seed")["fid"]
        if fids.notna().all():
            assert fids[1] - fids[0] == pytest.approx(2)
            mean = fids[0] + 1
            assert f"{mean:.1f} ± 1.4" in page or f"{mean:.3f} ± 1.414" in page, name
        assert f"models/{name}/weights.safetensors" in page
        assert f"models/{model}-1/weights.safetensors" in page
    assert page.count("of the other seed") == len(names)
    assert "2 seeds: mean ± standard deviation" in page
    assert "mean ± standard deviation" not in before
    for file in (inside / "reports/figures").iterdir():
        if file.stem != "fid":  # its bars are means
            assert (two_seeds / "figures" / file.name).read_bytes() == file.read_bytes(), file.name


def test_the_page_says_how_many_modes_of_stacked_digits_were_hit(inside):
    page = (inside / "reports/index.html").read_text()
    table = pd.read_csv(inside / "reports/comparison.csv").set_index("model")
    for name, metrics in contents(inside / "reports/metrics", "stacked-*-0.json").items():
        details = json.loads((inside / f"reports/details/{name}.json").read_text())
        model, num = name.removesuffix("-0"), details["counts"]["modes"][0]
        row = f"<td>{model}</td><td>{metrics['modes']:.0f}</td><td>{metrics['kl']:.3f}</td><td>1,000</td>"
        assert f"{row}<td>{num:,}</td>" in page
        assert table.loc[model, "modes"] == metrics["modes"]
