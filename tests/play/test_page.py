"""The page as a browser shows it, and that its tiles are PyTorch's own pixels."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.browser import NEEDED, SHOWN, UNNAMED, opened, pixels

from pipeline.play import answers, asked
from pipeline.sampling import weights
from pipeline.tasks.stored import encoded

pytestmark = NEEDED


@pytest.fixture(params=[1400, 390])
def page(browser, port, request) -> Iterator[Any]:
    with opened(browser, f"http://127.0.0.1:{port}/", request.param) as page:
        settled(page)
        yield page


def settled(page: Any) -> None:
    """Wait until nothing is asked any more."""
    page.wait_for_timeout(200)
    page.locator("#status", has_text=re.compile(r"\d s$")).wait_for(timeout=60_000)


def asking(page: Any, act: Any) -> dict[str, Any]:
    """The last question that the page asks because of an act."""
    bodies: list[str] = []
    page.on("request", lambda each: bodies.append(each.post_data) if "/answers" in each.url else None)
    act()
    settled(page)
    return json.loads(bodies[-1])


def tiles(page: Any, method: str, selector: str = ".tile img") -> np.ndarray:
    return pixels(page, f"#card-{method} {selector}")


def test_what_is_drawn_is_asked_and_the_tiles_are_pytorchs_pixels(page, laboratory):
    box = page.locator("#pad").bounding_box()

    def draw() -> None:
        page.click("#clear")
        page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
        page.mouse.down()
        for part in (0.4, 0.6, 0.75):
            page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * (1 - part / 2))
        page.mouse.up()

    question = asking(page, draw)
    drawing = asked.decoded(question["asked"]["drawing"], 16, 16)
    ink = "[...document.getElementById('pad').getContext('2d').getImageData(0, 0, 128, 128).data]"
    pad = np.array(page.evaluate(ink)).reshape(16, 8, 16, 8, 4)[..., 0]
    assert np.abs(drawing[0, 0].numpy() - pad.mean((1, 3))).max() <= 0.5
    assert 3 < (drawing < 255).sum() < 100
    for method in ("regression", "engression", "cgan", "flow"):
        sampler, _ = weights.load(laboratory.models / f"{method}-sketch-0" / weights.FILE)
        num, steps = (1 if method == "regression" else 16), (16 if method == "flow" else None)
        drawn = answers.samples(sampler, encoded(drawing), num, 0, steps)
        assert np.array_equal(tiles(page, method), drawn.permute(0, 2, 3, 1)), method
    assert np.array_equal(tiles(page, "flow", "figure img")[0], answers.mean(drawn)[0].permute(1, 2, 0))


def test_the_dial_goes_to_the_average_by_keyboard(page):
    question = asking(page, lambda: page.locator("#dial").press("Home"))
    assert (question["num_steps"], question["methods"]) == (1, ["flow"])
    assert len(np.unique(tiles(page, "flow"), axis=0)) == 1
    assert page.locator("#dial").get_attribute("aria-valuetext") == "1 step: the average"


def test_one_draws_by_keyboard(page):
    page.locator("#pad").focus()

    def draw() -> None:
        for key in ("ArrowLeft", " ", "ArrowDown", "ArrowDown", "Shift+ArrowRight", " ", "ArrowUp"):
            page.keyboard.press(key)

    question = asking(page, draw)
    assert (asked.decoded(question["asked"]["drawing"], 16, 16) < 255).sum() > 6


def test_known_cases_have_their_truth_and_a_histogram_that_grows(page):
    bars = page.locator("#card-cgan .bars > span:nth-child(3n)")
    assert sum(map(int, bars.all_inner_texts())) == 16
    asking(page, lambda: page.click("#more"))
    assert sum(map(int, bars.all_inner_texts())) == 32
    assert page.locator("#card-truth img").count() == 6


def test_a_tile_opens_the_command_that_makes_it(page):
    page.locator("#card-flow .tile").nth(3).press("Enter")
    command = page.locator("#command").input_value()
    assert command.startswith("python -m stages.sample ")
    assert command.endswith("--seed 0 --num-steps 16 --sample 3")
    page.keyboard.press("Escape")
    assert not page.locator("#detail").is_visible()


def test_every_task_can_be_asked_and_a_missing_model_says_what_trains_it(page):
    page.select_option("#task", "tones")
    settled(page)
    assert page.locator("#card-flow code").inner_text() == "dvc repro train_flow@tones-0"
    page.select_option("#task", "inpaint")
    settled(page)
    question = asking(page, lambda: page.locator("#hole").press("ArrowUp"))
    assert len(question["asked"]["hole"]) == 2
    page.select_option("#task", "text")
    settled(page)
    page.fill("#caption", "drawing of a yak")
    question = asking(page, lambda: page.locator("#caption").press("Enter"))
    assert question["asked"] == {"caption": "drawing of a yak"}
    assert page.locator("#unknown").inner_text() == "Not among the words trained with: of, a, yak."
    page.select_option("#task", "digit")
    settled(page)
    assert asking(page, lambda: page.click("#classes >> text=3"))["asked"] == {"label": 3}
    page.select_option("#task", "semantic")
    assert "dvc repro task@semantic" in page.locator("#problem").inner_text()
    page.select_option("#task", "digit")
    settled(page)


def test_one_walks_and_trains_points(page):
    page.select_option("#walker", "cgan")
    page.click("#walk")
    page.locator("#way").wait_for()
    page.locator("#position").press("End")
    shown = page.eval_on_selector_all("#strip img, #frame img", SHOWN)
    assert len(shown) == answers.NUM_FRAMES + 1
    assert shown[0] == shown[-1] != shown[1]
    page.select_option("#toy", "ring-adversarial")
    page.locator("#toystatus", has_text="Step 0 of 30").wait_for()
    page.click("#step")
    page.locator("#toystatus", has_text="Step 1 of 30").wait_for()
    page.click("#train")
    page.locator("#toystatus", has_text="Step 30 of 30").wait_for()
    assert "30 of 30" in page.locator("#plane").get_attribute("aria-label")


def test_all_images_have_words_and_all_controls_a_name(page):
    page.click("#walk")
    page.locator("#strip img").first.wait_for()
    images = page.locator("img:visible")
    assert images.count() > 60
    assert all(image.get_attribute("alt") for image in images.all())
    assert page.eval_on_selector_all("button, input, select, textarea", UNNAMED) == []


def test_the_focus_is_seen(page):
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
