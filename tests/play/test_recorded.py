"""The page that opens from disk: what it holds is what PyTorch says, and a browser shows that."""

import base64
import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from helpers import play
from helpers.browser import NEEDED, UNNAMED, opened, pixels
from PIL import Image

from pipeline.metrics import points as metrics
from pipeline.metrics.dial import STEPS
from pipeline.networks.flow import sampling_with
from pipeline.play import answers, pages, penguins, recording, trajectories
from pipeline.play.asked import Asked, condition
from pipeline.runtime import randomness
from pipeline.runtime.errors import InputError
from pipeline.sampling import weights
from pipeline.tasks.points import TARGETS
from pipeline.tasks.stored import encoded
from pipeline.theory import learned
from pipeline.theory.penguins import weights as weights_of

LENGTHS = np.array([178.0, 181, 184, 186, 187, 189, 190, 190, 191, 193, 195, 197, 201, 208])
FEW = {"num_steps": 3, "batch_size": 8}
BAYES = learned.Settings(folder="")
BAYES = BAYES.model_copy(update={name: getattr(BAYES, name).model_copy(update=FEW) for name in learned.START})
TOYS = {name: entry for name, entry in play.toys().items() if name != "ring-engression"}


class Made(NamedTuple):
    page: str
    sections: dict[str, Any]
    networks: learned.Networks
    clouds: np.ndarray


def write_toys(models: Path) -> np.ndarray:
    """Three frames of two members of each of TOYS, of the target's own points, astray at first."""
    clouds = np.stack(
        [
            np.stack([metrics.sample(TARGETS["ring"], 1000, k).numpy() + (2 - t) * 0.3 for k in range(2)])
            for t in range(3)
        ]
    )
    for name, (method, _) in TOYS.items():
        folder = models / f"toy-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        landscapes = {
            "landscapes": np.linspace(-1, 1, 3 * 2 * 64 * 64).reshape(3, 2, 64, 64).astype(np.float16)
        }
        more = landscapes if method == "adversarial" else {}
        np.savez(folder / "snapshots.npz", steps=np.array([10, 20, 30]), clouds=clouds, **more)
        (folder / weights.FILE).write_bytes(b"weights")
    return clouds


@pytest.fixture(scope="module")
def made(laboratory, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("recorded")
    known = learned.train(LENGTHS, BAYES)
    np.savez(folder / "bayes.npz", **weights_of(known))
    clouds = write_toys(folder)
    entries = {"regressions": ["sketch"], "engressions": ["sketch"], "cgans": ["sketch", "digit"]}
    laboratory = recording.Laboratory(
        laboratory.tasks, laboratory.models, laboratory.conditions, entries | {"flows": ["sketch", "digit"]}
    )
    sections = {
        "images": recording.recorded(laboratory, ["digit", "sketch", "digits", "tones"]),
        "penguins": penguins.recorded(LENGTHS, folder / "bayes.npz", BAYES),
        "points": trajectories.recorded(folder, TOYS),
    }
    return Made(pages.recorded(sections), sections, known, clouds)


def drawn(laboratory: Any, method: str, task: str, num_steps: int | None, **asked: int) -> np.ndarray:
    """PyTorch's own samples as they are shown, (16, H, W, 3)."""
    known, sampler = laboratory.task(task), laboratory.model(method, laboratory.task(task))
    c, num = encoded(condition(Asked(**asked), known)), 16 if sampler.num_latents else 1
    shown = known.shown(answers.samples(sampler, c, num, recording.SEED, num_steps))
    return shown.permute(0, 2, 3, 1).numpy()


def opened_image(uri: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))))


# What is recorded


def test_every_sample_at_every_number_of_steps_is_pytorchs_own(made, laboratory):
    found = made.sections["images"]
    task = found["tasks"][1]
    assert (task["name"], list(task["models"])) == ("sketch", ["regression", "engression", "cgan", "flow"])
    for example in (task["examples"][0], task["examples"][-1]):
        number = int(example["answers"][0]["command"].split("--condition ")[1].split()[0])
        for num, answer in zip(STEPS, example["dial"], strict=True):
            shown = np.stack([opened_image(found["images"][k]) for k in answer["images"]])
            assert np.array_equal(shown, drawn(laboratory, "flow", "sketch", num, condition=number))
            assert answer["command"].endswith(f"--num-steps {num} --sample ")
        assert [each["method"] for each in example["answers"]] == ["regression", "engression", "cgan"]
        for answer in example["answers"]:
            shown = np.stack([opened_image(found["images"][k]) for k in answer["images"]])
            assert np.array_equal(
                shown, drawn(laboratory, answer["method"], "sketch", None, condition=number)
            )
        assert len(set(example["dial"][0]["images"])) == 1 < len(set(example["dial"][-1]["images"]))


def test_questions_are_all_classes_or_conditions_with_known_answers_and_others(made):
    digit, sketch = made.sections["images"]["tasks"]
    assert [each["title"] for each in digit["examples"]] == [str(k) for k in range(10)]
    # the small test split has two drawings in six tones
    assert [each["known"] for each in sketch["examples"]] == [True] * 2 + [False] * 3
    assert [len(each["truth"]) for each in sketch["examples"]] == [6] * 2 + [1] * 3


def test_what_is_not_there_is_left_out(made, laboratory):
    assert [task["name"] for task in made.sections["images"]["tasks"]] == ["digit", "sketch"]
    assert list(made.sections["images"]["tasks"][0]["models"]) == ["cgan", "flow"]
    assert recording.recorded(laboratory, []) == {}
    assert trajectories.recorded(Path("nowhere"), {}) == {}
    page = pages.recorded({"points": made.sections["points"]})
    assert 'id="points"' in page
    assert 'id="penguins"' not in page
    assert 'id="images"' not in page


def test_what_is_not_trained_yet_is_one_line_that_says_what_trains_it(laboratory, tmp_path):
    with pytest.raises(InputError, match="dvc repro train_regression@tones-0"):
        recording.recorded(laboratory, ["tones"])
    with pytest.raises(InputError, match="dvc repro train_toy@ring-adversarial"):
        trajectories.recorded(tmp_path, TOYS)
    np.savez(tmp_path / "bayes.npz", x=LENGTHS)
    with pytest.raises(InputError, match="dvc repro theory"):
        penguins.recorded(LENGTHS, tmp_path / "bayes.npz", BAYES)


def test_the_page_is_the_same_bytes_each_time_asks_for_nothing_and_takes_no_text_for_markup(made):
    assert pages.recorded(made.sections) == made.page
    assert not re.search(r"""(src|href)=["']?(https?:)?//|fetch\(|import\(|XMLHttp|WebSocket""", made.page)
    held = made.page.split('<script type="application/json" id="recorded">')[1].split("</script>")[0]
    assert json.loads(held) == json.loads(json.dumps(made.sections))
    page = pages.recorded({"images": {"title": "</script><!--"}})
    assert page.count("</script>") == pages.recorded({"images": {"title": ""}}).count("</script>")


# What a browser shows

AT = """places => { const art = $('plane').getContext('2d');
  return places.map(([x, y]) => [...art.getImageData(x, y, 1, 1).data.slice(0, 3)]); }"""


@pytest.fixture(scope="module")
def file(made, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("disk") / "play.html"
    path.write_text(made.page, "utf-8")
    return path


@pytest.fixture(params=[1400, 390])
def page(browser, file, request) -> Iterator[Any]:
    with opened(browser, file.as_uri(), request.param) as page:
        yield page


@NEEDED
def test_the_dial_turns_by_keyboard_and_tiles_are_pytorchs_pixels(page, laboratory, made):
    task = made.sections["images"]["tasks"][1]
    command = task["examples"][1]["answers"][0]["command"]
    number = int(command.split("--condition ")[1].split()[0])
    page.locator("#choices button").nth(1).press("Enter")
    for key, num in (("Home", 1), ("ArrowRight", 2), ("End", 32)):
        page.locator("#dial").press(key)
        expected = drawn(laboratory, "flow", "sketch", num, condition=number)
        assert np.array_equal(pixels(page, "#card-flow .tile img"), expected), num
    assert page.locator("#dial").get_attribute("aria-valuetext") == "32 steps"
    assert np.array_equal(pixels(page, "#grid tr:last-child img"), expected[:8])
    mean = expected.astype(float).mean(0).round()
    assert np.abs(pixels(page, "#card-flow figure img")[0] - mean).max() <= 1
    expected = drawn(laboratory, "regression", "sketch", None, condition=number)
    assert np.array_equal(pixels(page, "#card-regression .tile img"), expected)
    assert page.locator("#card-truth img").count() == 6
    bars = page.locator("#card-cgan .bars > span:nth-child(3n)").all_inner_texts()
    assert sum(map(int, bars)) == 16
    page.locator("#card-flow .tile").nth(3).press("Enter")
    assert page.locator("#command").input_value().endswith("--seed 0 --num-steps 32 --sample 3")


@NEEDED
def test_classes_are_asked_and_a_task_has_its_own_methods(page, laboratory):
    page.select_option("#task", "digit")
    page.locator("#choices button").nth(7).press("Enter")
    assert np.array_equal(
        pixels(page, "#card-cgan .tile img"), drawn(laboratory, "cgan", "digit", None, label=7)
    )
    assert page.locator("#card-regression").count() == 0
    assert not page.locator("#given").is_visible()
    assert "cgan-digit-0" in page.locator("#source").inner_text()


@NEEDED
def test_the_networks_run_in_the_page_answer_as_they_do_in_pytorch(page, made):
    networks, x = made.networks, np.array([183.5, 201.0])
    z = randomness.normal(penguins.NUM_DRAWS, 2, BAYES.seed, penguins.DRAWS)
    for name, width in (("engression", 2), ("cgan", 2), ("flow", 1)):
        for num in STEPS if name == "flow" else (1,):
            found = page.evaluate(f"{x.tolist()}.map(x => [...penguins.draws('{name}', x, {num})])")
            sampler = networks.samplers[name]
            with sampling_with(networks.samplers["flow"], "euler", num, guidance=1.0):
                expected = networks.ask(sampler, x, z[:, :width].repeat(2, 1))
            assert np.abs(np.array(found) - expected).max() < 1e-3, (name, num)
            assert expected.std() > 1e-3
    found = page.evaluate(f"{x.tolist()}.map(penguins.regression)")
    assert found == pytest.approx(networks.answers(x), abs=1e-3)


@NEEDED
def test_the_posterior_is_the_exact_one_wherever_the_camera_points(page, made):
    for at in (183.5, 201.0):
        page.locator("#measured").fill(str(at))
        exact = learned.bayes.exact(made.networks.camera, np.array([at]))
        cells = page.locator("#numbers tr").first.locator("td").all_inner_texts()
        assert [*map(float, cells)] == pytest.approx([exact.mean[0], exact.sd[0]], abs=0.006)
        assert f"{at} mm" in page.locator("#density").get_attribute("aria-label")
    before = page.locator("#measured").input_value()
    box = page.locator("#density").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + box["height"] / 4)
    assert page.locator("#measured").input_value() != before
    page.locator("#measured").press("Home")
    assert page.locator("#measured").input_value() == str(made.sections["penguins"]["low"])


@NEEDED
def test_trainings_are_stepped_and_played_to_the_end(page, made):
    page.select_option("#training", "ring-adversarial")
    page.select_option("#member", "1")
    for t in range(3):
        figures = metrics.measure(torch.from_numpy(made.clouds[t, 1:]).float(), TARGETS["ring"])[0]
        said = f"Step {10 * t + 10} of 30: {figures['modes']:.0f} of 8 modes hit, "
        assert page.locator("#toystatus").inner_text().startswith(said)
        places = (made.clouds[t, 1, : trajectories.NUM_SHOWN] / TARGETS["ring"].extent + 1) / 2 * 720
        inside = [[int(x), int(720 - y)] for x, y in places if 2 < x < 717 and 2 < y < 717]
        colours = page.evaluate(AT, inside)
        assert len(inside) > 200
        off = np.abs(np.array(colours) - [179, 71, 0]).max(1)
        assert (off <= 3).mean() > 0.98  # where points overlap, edges are blended
        if t < 2:
            page.locator("#step").press("Enter")
    assert page.locator("#step").is_disabled()
    page.click("#playing")
    assert page.locator("#playing").inner_text() == "Pause"
    page.locator("#toystatus", has_text="Step 20 of 30").wait_for()
    page.locator("#toystatus", has_text="Step 30 of 30").wait_for()
    assert page.locator("#playing").inner_text() == "Play"


@NEEDED
def test_all_images_have_words_and_all_controls_a_name(page):
    images = page.locator("img:visible")
    assert images.count() > 60
    assert all(image.get_attribute("alt") for image in images.all())
    assert page.eval_on_selector_all("button, input, select, textarea, [tabindex]", UNNAMED) == []
    assert page.evaluate("document.documentElement.lang") == "en"


@NEEDED
@pytest.mark.parametrize("kept", ["images", "penguins", "points"])
def test_a_page_of_one_section_works(kept, browser, made, tmp_path):
    (tmp_path / "play.html").write_text(pages.recorded({kept: made.sections[kept]}))
    with opened(browser, (tmp_path / "play.html").as_uri(), 390) as page:
        assert page.locator("main > *").count() == 1
