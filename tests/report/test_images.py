"""The report's section on image to image."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pandas as pd
import pytest
from helpers.report import noise, rendered, result

from pipeline.report import image_tables, images, page, tables
from pipeline.report.figures.tones import TONES
from pipeline.report.results import Result, Section

IMAGE = (3, 5, 5)
REAL: dict[str, Any] = {
    "metrics": {"fid": 3.25, "kid": 0.0012},
    "counts": {"fid": [815, 1620], "kid": [815, 1620]},
    "corruptions": {"blurred": 44.1, "grey": 31.5},
    "extractor": {"name": "simclr", "weights": "abc"},
    "facts": {"data": "drawings", "source": "openmoji"},
}
TRUE = np.array([[0.9, 0.8, 0.1], [0.9, 0.7, 0.6], [0.8, 0.6, 0.4], [0.6, 0.4, 0.3], [0.4, 0.3, 0.2]])
TRUE = np.vstack([TRUE, [0.2, 0.1, 0.1]])
CAPTIONS = [f"thing {i}" for i in range(8)]
METHODS = {"regressions": "regression", "cgans": "adversarial", "ablations": "adversarial"}


def model(section: str, entry: str, task: str, sd: float = 0.31, **values: float) -> Result:
    """One as the stages leave it, with these metrics; it has latents unless it is a regression, and tones if
    its condition is a sketch.
    """
    num_draws, num_tone_draws = (1, 1) if section == "regressions" else (4, 7)
    details = {"task": task, "kind": "words" if task == "text" else "image", "num_draws": num_draws}
    details |= {"condition": task, "method": METHODS[section], "counts": {key: [620, 620] for key in values}}
    arrays = {"truth": noise(8, *IMAGE), "samples": noise(8, num_draws, *IMAGE)}
    arrays |= {"sd": np.full((8, 5, 5), sd, np.float32), "ranks": np.full(num_draws + 1, 0.2)}
    arrays |= {"predicted_sd": np.arange(3) / 10, "actual_error": np.arange(3) / 9}
    if task == "text":
        arrays["captions"] = np.array(CAPTIONS)
    else:
        colours = TRUE.mean(0, keepdims=True).repeat(num_tone_draws, 0)
        arrays |= {"condition": noise(8, *IMAGE), "tone_true_colours": TRUE, "tone_colours": colours}
        arrays |= {"tone_condition": noise(*IMAGE), "tone_truth": noise(6, *IMAGE)}
        arrays |= {"tone_samples": noise(num_tone_draws, *IMAGE)}
    history = pd.DataFrame({"step": [1, 2, 3], "fid": [90.0, float("nan"), 60.0]})
    return result(section, entry, metrics=values, details=details, samples=arrays, history=history)


VALUES = {"sample_mse": 0.02, "mean_mse": 0.02, "fid": 60.0, "kid": 0.05, "apsd": 0.0}
GAN_VALUES = {"sample_mse": 0.03, "mean_mse": 0.02004, "fid": 20.0, "kid": 0.02, "apsd": 0.1}
GAN_VALUES |= {"gain_2": 1.1, "gain_4": 1.7, "calibration": 0.5}
TONED = {"tone_recall": 5.25, "tone_purity": 0.875, "tone_tv": 0.25}
MODELS = {  # name -> section, entry, task, metrics
    "regression-sketch": ("regressions", "sketch", "sketch", VALUES | {"tone_recall": 0.5}),
    "regression-text": ("regressions", "text", "text", VALUES),
    "cgan-text": ("cgans", "text", "text", GAN_VALUES),
    "cgan-sketch": ("cgans", "sketch", "sketch", GAN_VALUES | TONED),
    "ablation-l1": ("ablations", "l1", "sketch", VALUES),
    "ablation-l1-cgan": ("ablations", "l1-cgan", "sketch", GAN_VALUES | {"fid": 30.0, "kid": 0.01}),
}


def made(
    names: Iterable[str],
    real: Mapping[str, Any] = REAL,
    seeds: int = 1,
    others: Mapping[str, Mapping[str, Any]] | None = None,
) -> Section:
    """The section on some of the models; each seed's metrics are a multiple of the first one's. Real images
    are those of `real`, but of the tasks in `others`.
    """
    metrics = {("gan-x", 0): {"fid": 1.0, "coverage": 1.0}}
    for name in names:
        for seed in range(seeds):
            metrics[name, seed] = {key: value * (1 + seed) for key, value in MODELS[name][3].items()}
    first = {name: model(*MODELS[name][:3], **MODELS[name][3]) for name in names}
    absent = REAL | {"metrics": {"fid": 0.5, "kid": 0.5}}
    by_task = {"colourise": absent, "text": real, "sketch": real, **(others or {})}
    return images.section(first, tables.comparison(metrics), by_task, dict.fromkeys(names, 32))


def tree(html: str) -> Element:
    """The section as its elements; an error if a tag is not closed."""
    return fromstring("<div>" + re.sub("<img(.*?)>", r"<img\1/>", html) + "</div>")


def words(html: str) -> str:
    """The text without tags and line ends."""
    return " ".join("".join(tree(html).itertext()).split())


def cells(html: str) -> list[list[str]]:
    """The text of all table rows that are no headings."""
    rows = (row.findall("td") for row in tree(html).iter("tr"))
    return [["".join(cell.itertext()) for cell in row] for row in rows if row]


@pytest.fixture(scope="module")
def section() -> Section:
    return made(MODELS)


@pytest.fixture(scope="module")
def html(section: Section) -> str:
    return rendered(section)


# the whole


def test_the_section_shows_each_task_the_tones_the_ablations_and_the_calibration(section, html):
    names = ("sketch", "text", "ablations-sketch", "ranks", "trust", "paces", "six-tones")
    assert list(section.figures) == [f"images-{name}" for name in names]
    order = re.findall(r"<h3[^>]*>(.*?)</h3>", html)
    parts = ["Are all six right answers found?", "sketch", "text", "How soon?"]
    parts.append("What is each part of the loss for?")
    assert order == [*parts, "May the spread be trusted?"]
    files = page.files([section])
    assert list(files) == list(section.figures)
    assert all(content.startswith(b"\x89PNG") for content in files.values())


def test_the_page_asks_for_nothing_describes_every_image_and_closes_every_tag(html):
    elements = list(tree(html).iter())
    drawn = [element.attrib for element in elements if element.tag == "img"]
    assert len(drawn) == 7
    assert all(attributes["src"].startswith("data:") and len(attributes["alt"]) > 20 for attributes in drawn)
    assert {element.tag for element in elements if "href" in element.attrib} == {"a"}
    assert not {"script", "link", "iframe"} & {element.tag for element in elements}


def test_openmoji_is_named_with_its_licence_where_its_drawings_are_shown(html):
    said = words(html)
    assert "All emojis designed by OpenMoji \u2013 the open-source emoji and icon project" in said
    assert "CC BY-SA 4.0" in said
    own = rendered(made(["cgan-text"], REAL | {"facts": {"data": "mine", "source": "own"}}))
    assert "OpenMoji" not in own
    assert "CC BY-SA" not in own


def test_of_several_data_sets_each_is_named_with_its_source_and_has_a_noise_floor_of_its_own():
    earth = REAL | {"metrics": {"fid": 7.5, "kid": 0.02}, "facts": {"data": "world", "source": "earth"}}
    of_text = made(["regression-text", "cgan-sketch"], earth, others={"sketch": REAL})
    said = words(rendered(of_text))
    assert "NASA" in said
    assert "designed by OpenMoji" in said
    assert "Real images of drawings in the place of samples come to an FID of 3.250" in said
    assert "Real images of world in the place of samples come to an FID of 7.500" in said


# tables


def test_the_table_has_a_row_a_model_task_after_task_and_a_dash_where_a_metric_is_missing(html):
    rows = cells(html)
    names = [["sketch", "regression-sketch"], ["sketch", "cgan-sketch"]]
    names += [["text", "regression-text"], ["text", "cgan-text"]]
    groups = (
        (["0.0200", "0.0200"], ["0.0300", "0.0200"]),  # errors
        (["60.000", "0.0500"], ["20.000", "0.0200"]),  # FID and KID
        (["0.0000", "-"], ["0.1000", "0.500"]),  # APSD and calibration
    )
    for i, values in enumerate(groups):
        found = rows[4 * i : 4 * i + 4]
        assert found == [[*name, *cells] for name, cells in zip(names, values * 2, strict=True)]
    assert re.findall("<caption>(.*?)</caption>", html)[:3] == list(image_tables.GROUPS)


def test_the_best_of_a_task_is_bold_unless_all_read_alike(html):
    found = re.findall("<b>(.*?)</b>", html[: html.index("<h3")])
    assert found == ["0.0200"] * 2 + ["20.000", "0.0200"] * 2  # one error; FID, KID


def test_tones_are_listed_of_all_models_that_have_any(html):
    regression, cgan = cells(html)[12:14]
    assert regression == ["sketch", "regression-sketch", "0.50", "-", "-"]
    assert cgan == ["sketch", "cgan-sketch", "5.25", "0.875", "0.250"]


def test_ablations_stand_beside_the_models_of_their_task(html):
    rows = cells(html)[14:]
    names = ["ablation-l1", "ablation-l1-cgan", "regression-sketch", "cgan-sketch"]
    assert [row[:2] for row in rows[:8]] == [["sketch", name] for name in names] * 2
    assert [row[2] for row in rows[4:8]] == ["60.000", "30.000", "60.000", "20.000"]
    assert [row[1] for row in rows if "0.875" in row] == ["cgan-sketch"]  # the tones, too


def test_numbers_of_several_seeds_are_means_with_their_spread():
    text = rendered(made(["regression-text", "cgan-text"], seeds=2))
    assert cells(text)[2][2] == "90.000 ± 42.426"  # 60 and 120
    assert "trained from 2 seeds" in text


def test_the_fid_stands_beside_its_noise_floor_and_those_of_corrupted_images_with_counts(html):
    said = words(html)
    assert "compare 620 samples, one a condition, with 620 real images, in the features of a network" in said
    assert "an FID of 3.250 and a KID of 0.0012 (815 against 1,620)" in said
    assert "blurred by a 3x3 mean to 44.100, turned grey to 31.500." in said
    assert image_tables.OF_TASKS["gain_8"][1] == "near 2.50"


@pytest.mark.parametrize(
    ("better", "best"),
    [
        ("lower", {"a"}),
        ("higher", {"c", "d"}),
        ("near 2.50", {"b"}),
        ("near 1", {"a"}),
        ("0: z ignored", set()),
    ],
)
def test_the_best_is_lowest_highest_or_nearest(better: str, best: set[str]) -> None:
    values = pd.Series({"a": 1.0, "b": 2.2, "c": 3.001, "d": 3.004, "e": float("nan")})
    assert image_tables.winners(values, ("", better, "{:.1f}")) == best
    assert image_tables.winners(values[["c", "d"]], ("", better, "{:.1f}")) == set()


def test_columns_that_no_model_fills_are_left_out() -> None:
    table = pd.DataFrame({"model": ["a", "b", "x"], "fid": [1.0, 2.0, 3.0], "cfid": [np.nan, np.nan, 1.0]})
    found = image_tables.compared(table, {"t": ["b", "a"]}, image_tables.OF_TASKS)
    assert found["headings"] == ["task", "model", ("FID", "lower")]
    assert found["rows"] == [["t", "b", "2.000"], ["t", "a", "<b>1.000</b>"]]


def test_counts_are_one_number_or_a_range() -> None:
    assert image_tables.span([32, 32]) == "32"
    assert image_tables.span([1620, 580, 620]) == "580 to 1,620"
    assert image_tables.span([]) == ""


# tones


@pytest.mark.parametrize(("num_draws", "recall", "distance"), [(1, 1, 5 / 6), (2, 11 / 6, 25 / 36)])
def test_a_perfect_sampler_scores_as_counted_by_hand(num_draws: int, recall: float, distance: float) -> None:
    """Two draws agree with chance 1/6; then the distance is 5/6, else 2/3."""
    found = image_tables.perfect(num_draws)
    assert found == pytest.approx({"tone_recall": recall, "tone_tv": distance})


def test_regressions_colour_is_said_to_be_as_far_as_it_is_from_the_nearest_tone(section, html) -> None:
    sketch = section.values["sketch"]
    distances = [np.sqrt(((TRUE.mean(0) - colour) ** 2).sum()) for colour in TRUE]
    assert sketch["nearest"] == "medium" == TONES[np.argmin(distances)]
    assert sketch["distance"] == pytest.approx(min(distances))
    assert sketch["radius"] == pytest.approx(np.sqrt(0.01 + 0.01 + 0.04) / 2)  # light and medium-light
    assert f"the nearest, medium, is {min(distances):.3f} away" in html
    assert ("near enough to count as a hit" in html) == (min(distances) < sketch["radius"])


# images


def groups_of(monkeypatch, *models: Result) -> tuple[dict[str, Any], Any]:
    """What a strip is asked to show."""
    seen = {}
    monkeypatch.setattr(images.images, "strip", lambda groups, top: seen.update({"of": (groups, top)}))
    images.strip({result.name: result for result in models})
    return seen["of"]


def test_a_strip_shows_six_drawings_regression_once_and_four_samples(monkeypatch):
    regression = model("regressions", "sketch", "sketch")
    groups, top = groups_of(monkeypatch, regression, model("cgans", "sketch", "sketch"))
    shapes = {name: group.shape[:2] for name, group in groups.items()}
    once = dict.fromkeys(("condition", "truth", "regression", "conditional GAN: sd"), (6, 1))
    assert shapes == once | {"conditional GAN, 4 samples": (6, 4)}
    assert top == 0.35
    assert (groups["regression"] == regression.samples["samples"][:6]).all()


def test_a_caption_stands_in_the_place_of_a_condition_that_is_no_image(monkeypatch):
    groups, top = groups_of(monkeypatch, model("regressions", "text", "text"))
    assert groups["condition"] == CAPTIONS[:6]
    assert list(groups) == ["condition", "truth", "regression"]
    assert top is None


def test_fids_fall_over_the_images_that_a_model_has_seen() -> None:
    panels = images.by_images({"text": {"cgan-text": model("cgans", "text", "text")}}, {"cgan-text": 32})
    assert panels["text"]["conditional GAN"].pairs == [(32, 90.0), (96, 60.0)]


def test_several_models_of_a_task_share_a_strip_and_a_scale_under_their_own_names(monkeypatch):
    one, two = model("regressions", "mine", "sketch"), model("cgans", "sketch", "sketch")
    groups, top = groups_of(monkeypatch, one, two, model("cgans", "bold", "sketch", 0.52))
    sampled = ("conditional GAN, 4 samples", "conditional GAN: sd")
    bold = ("conditional GAN bold, 4 samples", "conditional GAN bold: sd")
    assert list(groups)[2:] == ["regression mine", *sampled, *bold]
    assert top == 0.55


@pytest.mark.parametrize(("highest", "end"), [(0.0, 0.05), (0.05, 0.05), (0.35, 0.35), (0.351, 0.4)])
def test_a_scale_ends_at_the_next_multiple_of_a_twentieth(highest: float, end: float) -> None:
    maps = [np.zeros((1, 2, 2), np.float32), np.full((1, 2, 2), highest, np.float32)]
    assert images.scale_end(maps) == end


# what may be missing


@pytest.mark.parametrize(
    ("names", "figures", "absent"),
    [
        (
            "regression-sketch",
            "sketch paces",
            ["be trusted?", "each part of the loss", "the samples' mean is that of"],
        ),
        ("cgan-sketch", "sketch ranks trust paces six-tones", ["Regression answers once"]),
        ("regression-text cgan-text", "text ranks trust paces", ['id="tones"']),
        ("ablation-l1 ablation-l1-cgan", "ablations-sketch", ["be trusted?", "How soon"]),
    ],
)
def test_what_no_model_has_is_not_shown(names: str, figures: str, absent: list[str], html: str) -> None:
    section = made(names.split())
    assert list(section.figures) == [f"images-{name}" for name in figures.split()]
    text = rendered(section)
    assert set(names.split()) == {row[1] for row in cells(text)}
    assert not [phrase for phrase in absent if phrase in text]
    assert all(phrase in html for phrase in absent)
