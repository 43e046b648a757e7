"""The page of the claim."""

import re
from typing import Any

import numpy as np
import pytest
from helpers.report import noise, opened, result
from helpers.small_tasks import digits, written

from pipeline.methods import method
from pipeline.methods.schedule import ModelSettings
from pipeline.report import claim, page
from pipeline.report.results import Result, Section
from pipeline.tasks.claimed import Settings
from pipeline.tasks.task import Task

METRICS = dict.fromkeys(claim.SHOWN, 1.0) | {
    "fid": 12.34,
    "coverage": 0.5,
    "conditional_accuracy": 0.75,
    "gradient_energy": 0.25,
}
METHODS = {
    "regression": "regression",
    "engression": "engression",
    "conditional GAN": "adversarial",
    "flow": "flow",
}
FLOOR = {
    "metrics": METRICS | {"fid": 2.1},
    "counts": {"fid": [300, 200]},
    "classifier_accuracy": 0.991,
}
SHORT, WHOLE = Settings(task="digit-quick", whole="digit"), Settings(task="digit", whole="digit")


def model(label: str, fill: int) -> Result:
    details = {"method": METHODS[label], "kind": "class", "task": "digit-quick", "num_draws": 8}
    sheet = np.full((80, 1, 28, 28), fill, np.uint8)
    return result("cgans", "digit-quick", details=details, samples={"sheet": sheet}, metrics=METRICS)


def settings(name: str, **more: Any) -> ModelSettings:
    found = method.settings_class(name, "class")(**more)
    assert isinstance(found, ModelSettings)
    return found


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return written(tmp_path_factory.mktemp("task"), "label", digits())


def made(task: Task, chosen: Settings) -> Section:
    models = {label: model(label, 10 * i) for i, label in enumerate(METHODS)}
    rows = [
        {
            "steps": n,
            "sample_mse": 0.04 * n,
            "energy_score": 0.1,
            "fid": 3.0,
            "gradient_energy": 0.5,
            "apsd": 0.0,
        }
        for n in (1, 2)
    ]
    turned = claim.Turned(rows, {n: noise(10, 1, 28, 28) for n in (1, 2)}, 25, 0.05)
    less = {
        label: (settings(name, num_steps=1000), settings(name, num_steps=2000))
        for label, name in METHODS.items()
    }
    return claim.section(models, FLOOR, task, turned, chosen, less)


def test_ten_columns_of_each_method_below_real_digits_of_those_classes(task: Task) -> None:
    found = claim.strips({label: model(label, 10 * i) for i, label in enumerate(METHODS)}, task)
    assert list(found) == ["real", "regression", "class mean", "engression", "conditional GAN", "flow"]
    shown = {name: len(images) // 10 for name, images in found.items()}
    assert shown == {
        "real": 2,
        "regression": 1,
        "class mean": 1,
        "engression": 3,
        "conditional GAN": 3,
        "flow": 3,
    }
    test = task.test.arrays["images"].numpy()
    assert (found["real"] == test[:20]).all()  # classes 0 .. 9 in turn
    assert {int(images.max()) for name, images in found.items() if name == "flow"} == {30}


def test_the_page_holds_all_it_shows_and_its_numbers_stand_beside_those_of_real_digits(task: Task) -> None:
    whole = made(task, SHORT)
    text = page.render(whole, page.files([whole]))
    assert len(re.findall(r'src="data:image/webp;base64,', text)) == 8
    assert not re.search(r'(src|<link[^>]* href)="(https?:)?//', text)
    assert len(re.findall(r'<img [^>]*alt="[^"]+"', text)) == text.count("<img")
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)]
    numbers = {row[0]: row[1:] for row in rows if row}
    assert numbers["real"][:3] == ["2.1", "0.500", "0.7500"]
    assert numbers["flow"][:3] == ["12.3", "0.500", "0.7500"]
    assert numbers["1"] == [
        "0.80",
        "0.1000",
        "0.50",
    ]  # steps: error over regression's, energy score, sharpness
    assert "300 samples" in text
    assert "against 200 test images" in text
    assert "99.1 %" in text


def test_it_says_what_it_is_a_short_form_of_and_what_is_less(task: Task) -> None:
    text = page.render(short := made(task, SHORT), page.files([short]))
    assert "<li>engression: num_steps 1,000 instead of 2,000</li>" in text
    assert re.search(r"of the task <code>digit-quick</code>.* what the task <code>digit</code> asks", text)
    text = page.render(whole := made(task, WHOLE), page.files([whole]))
    assert "instead of" not in text
    assert SHORT.left_out == "digit-quick"
    assert WHOLE.left_out == ""


def test_a_pixel_is_shown_as_it_is(task: Task) -> None:
    strip = opened(page.files([made(task, SHORT)])["N = 2"])
    assert strip.shape == (3 * 28 + 2, 10 * (3 * 28 + 2))
    assert (strip[1:-1:3, 1 : 1 + 3 * 28 : 3] == noise(10, 1, 28, 28)[0, 0]).all()


def test_what_differs_is_told_and_book_keeping_is_not() -> None:
    here = settings("flow", num_steps=1000, width=16, save_every=100)
    whole = settings("flow", num_steps=2000, width=32, save_every=500, solver="heun")
    assert sorted(claim.less(here, whole)) == [
        "num_steps 1,000 instead of 2,000",
        "solver adams_bashforth instead of heun",
        "width 16 instead of 32",
    ]
    assert claim.less(here, here) == []
