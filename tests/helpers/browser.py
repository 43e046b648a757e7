"""A headless Chromium, and what the pages of `pipeline/play` are asked in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NEEDED = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("REQUIRE_CHROMIUM"), reason="no Chromium on this machine"
)
SHOWN = """async images => (await Promise.all(images.map(image => image.decode())), images).map(image => {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), art = canvas.getContext('2d');
  art.drawImage(image, 0, 0);
  return [...art.getImageData(0, 0, canvas.width, canvas.height).data];
})"""
UNNAMED = """elements => elements.filter(each => each.checkVisibility() && !each.labels?.length
  && !each.textContent.trim() && !each.ariaLabel && !each.querySelector('img[alt]:not([alt=""])')
).map(each => each.outerHTML)"""


@contextmanager
def started() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@contextmanager
def opened(browser: Any, url: str, width: int) -> Iterator[Any]:
    """A page, which at its end has asked nobody else, told of no error and does not scroll sideways."""
    requests, errors = [], []
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("request", lambda each: requests.append(each.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    yield page
    html = "document.documentElement"
    overflow = page.evaluate(f"{html}.scrollWidth - {html}.clientWidth")
    page.close()
    assert errors == []
    assert {asked for asked in requests if not asked.startswith((url, "data:"))} == set()
    assert overflow <= 0, "the page scrolls sideways"


def pixels(page: Any, selector: str) -> np.ndarray:
    """Of images, (N, H, W, 3)."""
    flat = np.array(page.eval_on_selector_all(selector, SHOWN), np.uint8)
    side = int((flat.shape[1] // 4) ** 0.5)
    return flat.reshape(-1, side, side, 4)[..., :3]
