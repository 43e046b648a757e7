"""The report as a browser shows it."""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("REQUIRE_CHROMIUM"), reason="no Chromium on this machine"
)


def test_the_page_needs_nothing_from_outside_has_no_error_and_shows_every_image(finished: Path):
    from playwright.sync_api import sync_playwright

    asked, errors = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((finished / "reports/index.html").as_uri())
        widths = page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
        html = "document.documentElement"
        overflow = page.evaluate(f"{html}.scrollWidth - {html}.clientWidth")
        page.click("text=timings.html")
        stages = page.locator("table").first.locator("tbody td:first-child").all_inner_texts()
        browser.close()
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}, asked
    assert errors == []
    assert len(widths) > 10
    assert min(widths) > 0, "an image is broken"
    assert overflow <= 0, "the page scrolls sideways"
    models = {file.stem.replace("-", "@", 1) for file in (finished / "reports/samples").glob("*.npz")}
    assert set(stages) >= {f"{stage}_{model}" for stage in ("train", "evaluate") for model in models}
    assert stages[-1] == "all"
