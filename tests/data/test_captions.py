"""Captions become rows of numbers."""

import numpy as np
import pytest

from pipeline.data import captions


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("man farmer", ["man", "farmer"]),
        ("Flag: St. Lucia", ["flag", "st", "lucia"]),
        ("  1st_place-medal 22!", ["1st", "place", "medal", "22"]),
        ("Ærø", ["ærø"]),
        ("", []),
        ("#?", []),
    ],
)
def test_words_are_letters_and_digits_in_lower_case(caption: str, expected: list[str]) -> None:
    assert captions.words(caption) == expected


def test_the_vocabulary_is_the_words_of_two_captions_in_order() -> None:
    found = ["red apple", "green apple", "red car car", "car", "bus bus bus", ""]
    assert captions.vocabulary(found) == ["apple", "car", "red"]
    assert captions.vocabulary(found, num_needed=1) == ["apple", "bus", "car", "green", "red"]
    assert captions.num_words(["apple", "car", "red"]) == 5


def test_tokens_number_known_words_from_two_on_and_others_one() -> None:
    found = captions.tokens(["Red bus, red apple", "", "?"], ["apple", "car", "red"])
    assert found.dtype == np.int64
    assert found.tolist() == [[4, 1, 4, 2] + [0] * 8, [0] * 12, [0] * 12]


def test_what_comes_after_the_twelfth_word_is_cut_off() -> None:
    known = [f"w{i:02}" for i in range(20)]
    assert captions.tokens([" ".join(known)], known).tolist() == [list(range(2, 14))]
