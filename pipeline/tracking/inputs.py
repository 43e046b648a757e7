"""Conditions as people write them, lists or arrays -> conditions as networks take them, (N, ...).

What cannot be meant is an InputError in one line; nothing is cut off, rounded or left out.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data import captions
from pipeline.networks.network import Spec
from pipeline.runtime.errors import InputError
from pipeline.tasks.stored import encoded


def conditions(given: Any, spec: Spec, words: Sequence[str]) -> Tensor:
    """The conditions of a network of this spec; `words` is the vocabulary of one of captions.

    Of images they are (N, K, H, W) in 0 .. 255, of classes (N,) in 0 .. K - 1, of words N captions, and where
    there is none any N numbers, such as those of rows.
    """
    given = as_list_or_array(given)
    if spec.kind == "words":
        return of_captions(given, words)
    values = numbers(given)
    if spec.kind == "image":
        return encoded(of_images(values, (spec.num_conditions, *spec.image_shape[1:])))
    check(values.ndim == 1, f"a list of numbers is needed, not an array of shape {values.shape}")
    if spec.kind == "none":
        return torch.zeros(len(values), 0)
    found = torch.from_numpy(whole(values, spec.num_conditions - 1, "classes"))
    return F.one_hot(found, spec.num_conditions).float()


def check(right: bool, message: str) -> None:
    """An InputError if something about the inputs is not right."""
    if not right:
        raise InputError(f"inputs: {message}")


def as_list_or_array(given: Any) -> Any:
    """The inputs without the table around them, if they are a column of one."""
    if hasattr(given, "columns"):  # of pandas
        check(len(given.columns) == 1, f"one column is needed, not {len(given.columns)}")
        given = given.iloc[:, 0]
    given = given.tolist() if hasattr(given, "iloc") else given
    right = isinstance(given, (list, tuple)) or (hasattr(given, "__array__") and np.ndim(given) > 0)
    check(right, f"a list or an array is needed, not {type(given).__name__}")
    check(len(given) > 0, "there are none")
    return given


def numbers(given: Any) -> np.ndarray:
    """Nested lists of numbers, or an array, as an array of finite numbers."""
    try:
        values = np.asarray(given)
    except (ValueError, OverflowError):
        raise InputError("inputs: the rows are not of one shape") from None
    check(values.dtype.kind in "uif", "numbers are needed, and there is something else among them")
    check(bool(np.isfinite(values).all()), "there is a NaN or an infinite number among them")
    return values


def whole(values: np.ndarray, most: int, what: str) -> np.ndarray:
    """Whole numbers in 0 .. most, int64."""
    low, high = values.min(), values.max()
    outside = low if low < 0 else high
    check(low >= 0 and high <= most, f"{what} are whole numbers in 0 .. {most}, not {outside:g}")
    found = values.astype(np.int64)
    check(bool((found == values).all()), f"{what} are whole numbers in 0 .. {most}, and some are not whole")
    return found


def of_images(values: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """Images of a shape (K, H, W), (N, K, H, W) uint8."""
    wanted = ", ".join(map(str, shape))
    check(values.shape[1:] == shape, f"images of shape (N, {wanted}) are needed, not {values.shape}")
    pixels = whole(values, 255, "pixels")
    scaled = values.dtype.kind == "f" and 0 < pixels.max() <= 1
    check(not scaled, "pixels are whole numbers in 0 .. 255, and these look like numbers in [0, 1]")
    return torch.from_numpy(pixels.astype(np.uint8))


def of_captions(given: Any, known: Sequence[str]) -> Tensor:
    """Captions as rows of word numbers, (N, L)."""
    texts = [str(text) if isinstance(text, str) else None for text in given]
    for i, text in enumerate(texts):
        check(text is not None, f"captions are strings, and number {i} is none")
        found = captions.words(text or "")
        check(
            0 < len(found) <= captions.MAX_WORDS,
            f"caption {i}: {len(found)} words: 1 to {captions.MAX_WORDS}",
        )
        for word in found:
            if word not in known:
                near = get_close_matches(word, known, n=1)
                guess = f"; did you mean {near[0]!r}?" if near else f"; known are {len(known)} words"
                raise InputError(f"inputs: caption {i}: unknown word {word[:40]!r}{guess}")
    return torch.from_numpy(captions.tokens([text or "" for text in texts], known))
