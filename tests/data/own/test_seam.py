"""Whether images of double width are two side by side."""

from pathlib import Path

import numpy as np
import pytest
from helpers.pair_files import BLUE, RED, beside, noise, plain, save
from PIL import Image

from pipeline.data.own.seam import has_seam
from pipeline.data.own.survey import survey


def photograph(seed: int, height: int = 32, width: int = 64) -> np.ndarray:
    coarse = Image.fromarray(noise(5, 5, seed))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def pair(seed: int) -> np.ndarray:
    return beside(photograph(seed, 32, 32), photograph(100 + seed, 32, 32))


def strip(seed: int) -> np.ndarray:
    """Three beside each other: the seams are elsewhere."""
    parts = [photograph(100 * i + seed, 48, 32) for i in range(3)]
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (photograph, False),
        (strip, False),
        (pair, True),
        (lambda seed: noise(16, 32, seed), True),
        (lambda _: beside(plain(RED), plain(BLUE)), True),
        (lambda _: plain(RED, 16, 32), False),
    ],
)
def test_two_images_have_a_seam_and_one_has_none(tmp_path: Path, image: object, expected: bool) -> None:
    """Of noise nobody can tell."""
    assert callable(image)
    for i in range(12):
        save(tmp_path / f"{i}.png", image(i))
    assert has_seam(tmp_path, survey(tmp_path).images) == expected


def test_what_cannot_be_read_has_no_say(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / f"{i}.png", pair(i))
    content = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(content[: len(content) // 2])
    found = survey(tmp_path).images
    assert len(found) == 3
    assert has_seam(tmp_path, found)
