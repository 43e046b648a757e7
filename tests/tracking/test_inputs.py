"""Conditions are taken as people write them, and what cannot be meant is refused in one line."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.evaluated import EXAMPLES, WORDS, spec

from pipeline.runtime.errors import InputError
from pipeline.tracking import inputs

IMAGE = EXAMPLES["image"]


def read(kind, given):
    return inputs.conditions(given, spec(kind), WORDS if kind == "words" else [])


@pytest.mark.parametrize(
    "given", [IMAGE, IMAGE.tolist(), IMAGE.astype(float), torch.from_numpy(IMAGE), list(IMAGE)]
)
def test_images_of_any_container_come_to_the_same_condition(given):
    assert torch.equal(read("image", given), torch.from_numpy(IMAGE).float() / 127.5 - 1)


@pytest.mark.parametrize("given", [[7, 0], np.array([7.0, 0.0]), (7, 0), pd.DataFrame({"digit": [7, 0]})])
def test_classes_come_to_one_hot_rows(given):
    c = read("class", given)
    assert c.shape == (2, 10)
    assert c.argmax(1).tolist() == [7, 0]
    assert c.sum() == 2


def test_captions_come_to_the_numbers_of_their_words():
    assert read("words", ["red CAT", "a_cat"[2:]])[:, :3].tolist() == [[5, 3, 0], [3, 0, 0]]


def test_of_nothing_only_the_number_counts():
    assert read("none", [0, 1, 2]).shape == (3, 0)


def changed(value):
    pixels = IMAGE.astype(float)
    pixels[1, 0, 3, 3] = value
    return pixels.tolist()


REFUSED = {
    "shape": ("image", IMAGE[:, :, 1:], "(N, 1, 16, 16) are needed, not (2, 1, 15, 16)"),
    "one image": ("image", IMAGE[0], "are needed, not (1, 16, 16)"),
    "nan": ("image", changed(math.nan), "NaN"),
    "infinite": ("image", changed(math.inf), "infinite"),
    "too large": ("image", changed(256), "0 .. 255, not 256"),
    "negative": ("image", changed(-1), "0 .. 255, not -1"),
    "not whole": ("image", changed(0.5), "not whole"),
    "scaled": ("image", (IMAGE > 128).astype(float), "look like numbers in [0, 1]"),
    "ragged": ("image", [[[[0] * 16] * 16], [[[0] * 15] * 16]], "not of one shape"),
    "text": ("image", [["a"]], "numbers are needed"),
    "null": ("image", [None], "numbers are needed"),
    "no list": ("image", {"a": 1}, "a list or an array is needed, not dict"),
    "no array": ("image", np.array(3), "a list or an array is needed"),
    "number": ("class", 3, "not int"),
    "empty": ("class", [], "there are none"),
    "class": ("class", [3, 10], "0 .. 9, not 10"),
    "huge": ("class", [10**400], "numbers are needed"),
    "true": ("class", [True], "numbers are needed"),
    "rows": ("class", [[1], [2]], "a list of numbers"),
    "columns": ("class", pd.DataFrame({"a": [1], "b": [2]}), "one column is needed, not 2"),
    "unknown": ("words", ["red cta"], "caption 0: unknown word 'cta'; did you mean 'cat'?"),
    "foreign": ("words", ["red", "xylophone"], "caption 1: unknown word 'xylophone'; known are 4 words"),
    "no words": ("words", ["red", " !"], "caption 1: 0 words: 1 to 12"),
    "long": ("words", ["red " * 13], "13 words"),
    "one string": ("words", "red cat", "not str"),
    "no string": ("words", ["red", 3], "captions are strings, and number 1 is none"),
    "nan of nothing": ("none", [math.nan], "NaN"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_line(name):
    kind, given, said = REFUSED[name]
    with pytest.raises(InputError) as error:
        read(kind, given)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 120
