"""What the server answers, and that its commands make the same pixels."""

import re
import shlex
import socket

import numpy as np
import pytest
import torch
import typer
from helpers import play
from helpers.project import ROOT
from PIL import Image
from typer.testing import CliRunner

from pipeline.play import answers, asked
from pipeline.play.asked import Asked
from pipeline.play.laboratory import METHODS
from pipeline.runtime.errors import InputError
from pipeline.sampling import weights
from stages import play as play_command
from stages import sample

DRAWING = asked.encoded((torch.arange(256) % 7 * 40).byte().view(1, 1, 16, 16))


def answered(port, task, methods, **more):
    status, found = play.ask(port, "/api/answers", {"task": task, "methods": methods, **more})
    assert status == 200, found
    return found


def run(command, folder):
    """The image that a copied command writes."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "stages.sample"]
    words[words.index("sample.png")] = str(folder / "sample.png")
    app = typer.Typer()
    app.command()(sample.main)
    done = CliRunner().invoke(app, words[3:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return np.asarray(Image.open(folder / "sample.png"))


def test_the_page_is_one_file_that_may_ask_nobody_else(port):
    status, page = play.ask(port, "/")
    assert status == 200
    assert not re.findall(rb"(?:src|href)=.?(?:https?:)?//", page)
    assert b"http://" not in page
    assert b"https://" not in page


def test_all_tasks_with_a_condition_are_listed_with_what_they_take(port):
    status, found = play.ask(port, "/api/tasks")
    assert status == 200
    tasks = {task["name"]: task for task in found["tasks"]}
    assert set(tasks) == set(play.CONDITIONS) - {"digits"}
    assert tasks["semantic"]["problem"] == "not made yet; make it with: dvc repro task@semantic"
    assert {name: task.get("ways") for name, task in tasks.items()} == {
        "sketch": ["drawing", "condition"],
        "tones": ["condition"],
        "inpaint": ["condition", "hole"],
        "text": ["caption", "condition"],
        "digit": ["label"],
        "semantic": None,
    }
    assert (tasks["sketch"]["num_known"], tasks["digit"]["labels"]) == (2, list("0123456789"))
    assert found["toys"] == list(play.toys())


def test_examples_come_page_by_page_and_those_with_known_answers_alone(port, laboratory):
    _, first = play.ask(port, "/api/examples?task=sketch")
    assert (first["total"], first["numbers"]) == (32, list(range(24)))
    _, last = play.ask(port, "/api/examples?task=sketch&offset=24")
    assert (last["numbers"], len(last["images"])) == (list(range(24, 32)), 8)
    assert play.ask(port, "/api/examples?task=sketch&offset=99")[1]["numbers"] == []
    _, known = play.ask(port, "/api/examples?task=sketch&known=true")
    assert known["numbers"] == [0, 6]
    condition = laboratory.task("sketch").test.images(torch.tensor([6]))[1][0].expand(3, -1, -1)
    assert np.array_equal(play.pixels(known["images"][1]), condition.permute(1, 2, 0))
    assert "images" not in play.ask(port, "/api/examples?task=text")[1]


def test_an_examples_drawing_asks_the_same_as_the_example(port):
    _, found = play.ask(port, "/api/drawing?task=sketch&condition=20")
    by_drawing, by_number = (
        answered(port, "sketch", ["cgan"], asked=each) for each in (found, {"condition": 20})
    )
    assert by_drawing["answers"][0]["images"] == by_number["answers"][0]["images"]
    assert by_drawing["truth"] == []
    assert len(by_number["truth"]) == 1


def test_answers_are_the_networks_own_pixels_with_their_mean_and_hits(port, laboratory):
    task = laboratory.task("sketch")
    found = answered(port, "sketch", list(METHODS), asked={"condition": 8}, seed=3, num_steps=2)
    assert (found["known"], len(found["truth"])) == (True, 6)
    for answer in found["answers"]:
        sampler, _ = weights.load(laboratory.models / f"{answer['method']}-sketch-0" / weights.FILE)
        steps, num = (2 if answer["method"] == "flow" else None), len(answer["images"])
        drawn = answers.samples(sampler, task.test.conditions(torch.tensor([8])), num, 3, steps)
        assert num == (1 if answer["method"] == "regression" else 16)
        shown = np.stack([play.pixels(uri) for uri in answer["images"]])
        assert np.array_equal(shown, drawn.permute(0, 2, 3, 1))
        assert np.array_equal(play.pixels(answer["mean"]), answers.mean(drawn)[0].permute(1, 2, 0))
        known = answers.truth(Asked(condition=8), task)
        assert answer["hits"] == answers.hits(drawn, known)


@pytest.mark.parametrize(
    ("task", "method", "given", "number"),
    [
        ("sketch", "regression", {"condition": 3}, 0),
        ("sketch", "engression", {"condition": 31}, 15),
        ("sketch", "cgan", {"drawing": DRAWING}, 7),
        ("sketch", "flow", {"drawing": DRAWING}, 3),
        ("inpaint", "flow", {"condition": 2, "hole": [8, 0]}, 1),
        ("text", "cgan", {"caption": 'drawing 12\'s; $(rm) "zebra"'}, 4),
        ("text", "cgan", {"caption": "--seed"}, 4),
        ("digit", "cgan", {"label": 7}, 0),
        ("digit", "flow", {"label": 9}, 15),
    ],
)
def test_a_copied_command_makes_the_same_pixels(port, tmp_path, task, method, given, number):
    (answer,) = answered(port, task, [method], asked=given, seed=11, num_steps=4)["answers"]
    assert np.array_equal(run(answer["commands"][number], tmp_path), play.pixels(answer["images"][number]))


@pytest.mark.parametrize("method", ["cgan", "flow"])
def test_so_does_that_of_a_place_on_a_walk(port, tmp_path, method):
    body = {"task": "sketch", "method": method, "asked": {"condition": 1}, "seed": 4, "towards": 9}
    status, found = play.ask(port, "/api/walk", body)
    assert (status, len(found["images"])) == (200, answers.NUM_FRAMES)
    assert np.array_equal(run(found["commands"][5], tmp_path), play.pixels(found["images"][5]))


def test_without_a_number_the_command_makes_a_grid_of_all(port, tmp_path):
    (answer,) = answered(port, "sketch", ["cgan"], asked={"condition": 0})["answers"]
    whole = run(answer["commands"][0].replace(" --sample 0", ""), tmp_path)
    rows = [np.hstack([play.pixels(uri) for uri in answer["images"][i : i + 4]]) for i in range(0, 16, 4)]
    assert np.array_equal(whole, np.vstack(rows))


def test_a_missing_model_is_named_with_the_command_that_trains_it_beside_those_that_answer(port):
    found = answered(port, "tones", ["flow", "cgan"], asked={"condition": 0})
    flow, cgan = found["answers"]
    assert flow["problem"] == "not trained yet; train it with: dvc repro train_flow@tones-0"
    assert len(cgan["images"]) == 16


def test_a_model_without_an_entry_of_other_images_or_damaged_is_told_and_a_new_one_found(tmp_path):
    found = play.laboratory(tmp_path)
    task, file = found.task("sketch"), tmp_path / "models/cgan-sketch-0" / weights.FILE
    first = found.model("cgan", task)
    assert found.model("cgan", task) is first
    play.write_model(found, "cgan", "sketch", 99)
    assert found.model("cgan", task) is not first
    play.write_model(found, "cgan", "sketch", image_shape=[3, 32, 32])
    with pytest.raises(InputError, match="another sketch; train it with: dvc repro train_cgan@sketch-0"):
        found.model("cgan", task)
    file.write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match="not the weights of a network"):
        found.model("cgan", task)
    found.entries["cgans"].remove("sketch")
    with pytest.raises(InputError, match=r"below cgans:  sketch: \{\}"):
        found.model("cgan", task)


def test_words_that_no_network_knows_are_named(port):
    found = answered(port, "text", ["cgan"], asked={"caption": "Drawing of ☃ zebras"})
    assert found["unknown"] == ["of", "zebras"]


def test_a_toy_is_trained_step_by_step(port):
    status, begun = play.ask(port, "/api/toys", {"toy": "ring-adversarial", "loss": "hinge", "r1": 0.1})
    assert (status, begun["steps"]) == (200, 0)
    status, found = play.ask(port, f"/api/toys/{begun['number']}/steps", {"num_steps": 1})
    assert (status, found["steps"]) == (200, 1)
    assert "penalty" in found["logged"]


def test_the_command_reads_its_tasks_models_and_toys_from_params(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = play_command.laboratory(ROOT / "data/tasks", ROOT / "models")
    assert (found.conditions["stacked"], found.conditions["digit"]) == ("stacked", "label")
    assert "sketch" in found.entries["flows"]
    assert play_command.toys()["ring-flow"][0] == "flow"


def test_a_port_that_is_taken_is_told_in_one_line(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(torch, "set_num_threads", lambda num: None)
    with socket.create_server((play_command.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"--port = {port}: .*in use; take another"):
            play_command.main(port)
