"""The report as a browser shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.dials import MODELS, PENGUINS
from helpers.report import result

from pipeline.report import by_seed, dial, page
from pipeline.report.headlines import Headline

WIDER = """width => [...document.querySelectorAll('body *')].filter(each => each.checkVisibility()
  && !each.closest('.scroll table, pre') && each.getBoundingClientRect().right > width + 0.5)
  .map(each => each.outerHTML.slice(0, 200))"""
CUT = """() => [...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth)
  .map(each => each.innerText.slice(0, 200))"""
CONTRAST = "each => [getComputedStyle(each).color, getComputedStyle(document.body).backgroundColor]"
HEADLINES = [Headline(f"{k}.5", f"thing {k}: of what was measured {k}.5") for k in range(3)]
SEEDS = {"engression": [3.0, 20.0, 4.0], "flow": [10.0, 9.0, 11.0]}  # FIDs


@contextmanager
def shown(browser: Any, file: Path, width: int, **options: Any) -> Iterator[Any]:
    """The page, which at its end has said nothing and asked nobody."""
    requests, said = [], []
    shown = browser.new_page(viewport={"width": width, "height": 900}, **options)
    shown.on("request", lambda each: requests.append(each.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(file.as_uri())
    yield shown
    shown.close()
    assert said == []
    assert {url.split(":")[0] for url in requests} <= {"file", "data", "blob"}, requests


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a dial and a table over three seeds."""
    rows = [(name, k, fid) for name, fids in SEEDS.items() for k, fid in enumerate(fids)]
    table = pd.DataFrame(rows, columns=["model", "seed", "fid"])
    about = {"task": "sketch", "kind": "image", "num_draws": 4}
    models = {name: result(f"{name}s", "sketch", details={"method": name, **about}) for name in SEEDS}
    of_seeds = by_seed.section(models, table, Path("none"))
    assert of_seeds is not None
    sections = [of_seeds, dial.section(MODELS, {}, PENGUINS, 2000)]
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(page.render(page.index(sections, HEADLINES), page.files(sections)), "utf-8")
    return file


def column(page: Any, k: int) -> list[str]:
    """Of the first table over seeds."""
    return page.locator("#seeds table").first.locator(f"tbody td:nth-child({k})").all_inner_texts()


@pytest.mark.parametrize("width", [1200, 390])
def test_the_first_screen_holds_the_claim_and_three_numbers(browser, made, width):
    with shown(browser, made, width) as page:
        for text in ["returns the average of all plausible answers", *(each.line for each in HEADLINES)]:
            box = page.get_by_text(text).bounding_box()
            assert box["y"] + box["height"] <= 900, text
        assert page.locator(".headlines b").all_inner_texts() == [each.number for each in HEADLINES]
        assert page.locator(".answers dt").count() == 4
        assert page.locator("#contents ol").is_visible() == (width > 992)  # folded on a phone
        assert page.locator("#contents a").count() == page.locator("section h2").count() == 2
        assert page.evaluate(WIDER, width) == []


def test_a_table_is_sorted_by_click_and_by_keyboard(browser, made):
    with shown(browser, made, 1200) as page:
        heading = page.locator("#seeds th", has_text="FID").first
        assert column(page, 1) == ["engression", "flow"]
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == "ascending"
        assert column(page, 2) == ["9.000 ± 9.539", "10.000 ± 1.000"]  # as text 10 would be first
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == "descending"
        assert column(page, 1) == ["flow", "engression"]
        page.locator("#seeds th").first.get_by_role("button").press("Space")
        assert column(page, 1) == ["engression", "flow"]
        assert page.locator("#seeds [aria-sort]").count() == 1


def test_a_switch_shows_each_seed_and_the_mean_again(browser, made):
    with shown(browser, made, 1200) as page:
        switch = page.get_by_label("Tables show")
        assert switch.locator("option").all_inner_texts() == ["all seeds", "seed 0", "seed 1", "seed 2"]
        switch.select_option("1")
        assert column(page, 2) == ["20.000", "9.000"]
        page.locator("#seeds th", has_text="FID").first.get_by_role("button").click()
        assert column(page, 1) == ["flow", "engression"]  # by what is shown
        switch.select_option("")
        assert column(page, 2) == ["10.000 ± 1.000", "9.000 ± 9.539"]


def test_the_dial_is_turned_by_keyboard(browser, made):
    with shown(browser, made, 1200) as page:
        knob, tiles = page.locator(".dial input"), page.locator(".dial img[data-steps]")
        assert [each.is_visible() for each in tiles.all()] == [True, False, False]
        knob.press("ArrowRight")
        assert [each.is_visible() for each in tiles.all()] == [False, True, False]
        assert knob.get_attribute("aria-valuetext") == "2 steps"
        assert "digit 0.75, tones 3.00" in page.locator(".dial").inner_text()


def test_dark_is_chosen_by_the_system_or_by_the_toggle(browser, made):
    with shown(browser, made, 1200) as page:
        light = page.locator("h1").evaluate(CONTRAST)
        page.click("#theme")
        toggled = page.locator("h1").evaluate(CONTRAST)
        page.click("#theme")
        assert page.locator("h1").evaluate(CONTRAST) == light
    with shown(browser, made, 1200, color_scheme="dark") as page:
        assert page.locator("h1").evaluate(CONTRAST) == toggled
        assert min(map(int, toggled[0][4:-1].split(", "))) > 200
        assert max(map(int, toggled[1][4:-1].split(", "))) < 50


@pytest.mark.parametrize("width", [1200, 390])
def test_the_whole_page_has_no_error_shows_every_image_and_cuts_no_column_off(
    browser, finished: Path, width: int
):
    with shown(browser, finished / "reports/index.html", width) as page:
        assert page.locator("h1 ~ p").first.bounding_box()["y"] < 900
        boxes = [each.bounding_box() for each in page.locator(".headlines li").all()]
        assert boxes
        assert max(box["y"] + box["height"] for box in boxes) <= 900
        images = page.locator("img")
        widths = images.evaluate_all("images => images.map(image => image.naturalWidth)")
        assert len(widths) > 10
        assert min(widths) > 0, "an image is broken"
        assert min(map(len, images.evaluate_all("images => images.map(image => image.alt)"))) > 20
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert page.evaluate(WIDER, width) == []
        if width == 1200:
            assert page.evaluate(CUT) == []
        page.click("text=timings.html")
        stages = page.locator("table").first.locator("tbody td:first-child").all_inner_texts()
    models = {file.stem.replace("-", "@", 1) for file in (finished / "reports/samples").glob("*.npz")}
    assert set(stages) >= {f"{stage}_{model}" for stage in ("train", "evaluate") for model in models}
    assert stages[-1] == "all"
    assert (finished / "reports/index.html").stat().st_size < 8e6
