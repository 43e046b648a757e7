"""Captions -> rows of word numbers, which a network can be conditioned on."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

NOTHING, UNKNOWN = 0, 1  # word numbers: after the caption's end; a word that was not in training
MAX_WORDS = 12  # L; what comes later is cut off


def words(caption: str) -> list[str]:
    """The caption's words and numbers, in lower case."""
    return re.findall(r"[^\W_]+", caption.lower())


def vocabulary(captions: Sequence[str], num_needed: int = 2) -> list[str]:
    """The words of at least `num_needed` captions, in alphabetical order; word i has the number i + 2."""
    counts = Counter(word for caption in captions for word in set(words(caption)))
    return sorted(word for word, count in counts.items() if count >= num_needed)


def tokens(captions: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Word numbers, (N, L) int64, of captions whose known words are those of a vocabulary."""
    numbers = {word: i + 2 for i, word in enumerate(known)}
    rows = np.full((len(captions), MAX_WORDS), NOTHING, np.int64)
    for row, caption in zip(rows, captions, strict=True):
        found = [numbers.get(word, UNKNOWN) for word in words(caption)[:MAX_WORDS]]
        row[: len(found)] = found
    return rows


def num_words(known: Sequence[str]) -> int:
    """V: how many word numbers there are."""
    return len(known) + 2
