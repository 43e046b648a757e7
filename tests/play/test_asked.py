"""What models are asked is what the page and the command say."""

import pytest
import torch
from helpers.synthetic import noise

from pipeline.play import asked
from pipeline.play.asked import Asked
from pipeline.runtime.errors import InputError

DRAWING = asked.encoded(noise(1, 1, 16, 16, seed=1))


def test_a_drawing_comes_back_from_its_text():
    pixels = noise(1, 1, 16, 12, seed=0)
    assert torch.equal(asked.decoded(asked.encoded(pixels), 16, 12), pixels)


@pytest.mark.parametrize("name", ["sketch", "tones", "inpaint", "text"])
def test_a_test_examples_condition_is_that_of_the_task(laboratory, name):
    task = laboratory.task(name)
    assert torch.equal(asked.condition(Asked(condition=5), task), task.test.images(torch.tensor([5]))[1])


def test_a_hole_at_the_examples_own_place_changes_nothing_and_another_moves_it(laboratory):
    task = laboratory.task("inpaint")
    corner = task.test.arrays["corners"][3].tolist()
    own = asked.condition(Asked(condition=3), task)
    assert torch.equal(asked.condition(Asked(condition=3, hole=corner), task), own)
    hole = asked.condition(Asked(condition=3, hole=[2, 5]), task)[0, 3]
    assert torch.equal(hole.nonzero().amin(0), torch.tensor([2, 5]))
    assert torch.equal(hole.nonzero().amax(0), torch.tensor([9, 12]))


def test_a_caption_has_the_numbers_that_its_words_had_in_training(laboratory):
    task = laboratory.task("text")
    captions = asked.lines(task, "test")
    for number in (0, 7):
        typed = asked.condition(Asked(caption=captions[number].upper()), task)
        assert torch.equal(typed, task.test.images(torch.tensor([number]))[1])
    assert asked.unknown("drawing of a zebra", task) == ["of", "a", "zebra"]


def test_a_class_is_one_hot(laboratory):
    assert asked.condition(Asked(label=7), laboratory.task("digit"))[0].tolist() == [0.0] * 7 + [
        1.0,
        0.0,
        0.0,
    ]


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        ("sketch", {}, "asked by drawing or condition; nothing was given"),
        ("sketch", {"condition": 1, "drawing": DRAWING}, "condition, drawing was given"),
        ("sketch", {"label": 1}, "label: the task sketch takes drawing, condition"),
        ("sketch", {"condition": 32}, "condition = 32: allowed are 0 to 31"),
        ("sketch", {"drawing": "@@"}, "neither base64 nor zlib"),
        ("sketch", {"drawing": "AAAA"}, "neither base64 nor zlib"),
        ("sketch", {"drawing": asked.encoded(noise(1, 1, 16, 15, seed=0))}, "allowed are 16 x 16 bytes"),
        ("sketch", {"drawing": asked.encoded(noise(1, 1, 999, 99, seed=0) * 0)}, "allowed are 16 x 16 bytes"),
        ("tones", {"drawing": DRAWING}, "drawing: the task tones takes condition"),
        ("inpaint", {"hole": [1, 1]}, "hole was given"),
        ("inpaint", {"condition": 1, "hole": [9, 1]}, "hole: row = 9: allowed are 0 to 8"),
        ("digit", {"label": 10}, "label = 10: allowed are 0 to 9"),
        ("digits", {"label": 1}, "the task digits takes nothing"),
    ],
)
def test_what_a_task_does_not_take_is_refused(laboratory, task, given, message):
    with pytest.raises(InputError, match=message):
        asked.condition(Asked(**given), laboratory.task(task))
