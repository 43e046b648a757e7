"""Raw drawings, OpenMoji's or the user's pairs -> arrays, split so that no variant of a drawing for testing
was trained on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import model_validator

from pipeline.data import captions, openmoji, pairs
from pipeline.data.drawings import NO_TONE
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Fraction, Section, Seed, one_of
from pipeline.runtime.randomness import permutation

NUM_REGIONS = 5  # colours that the given halves of the user's pairs are reduced to


class Params(Section):
    source: Annotated[str, one_of(("openmoji", "folder"))]
    folder: str  # for source: folder; your paired images
    image_size: Count  # pixels a side; a multiple of 8
    validation_share: Fraction  # of the base drawings
    test_share: Fraction
    seed: Seed  # which ones

    @model_validator(mode="after")
    def _leaves_drawings_to_train_on(self) -> Self:
        if not 0 < self.validation_share + self.test_share < 1:
            raise ValueError(
                f"validation_share + test_share = {self.validation_share + self.test_share}: must be below 1"
            )
        if self.image_size % 8 or self.image_size < 16:
            raise ValueError(f"image_size = {self.image_size}: must be a multiple of 8, 16 at least")
        return self


@dataclass(frozen=True)
class Raw:
    """All drawings, before the split."""

    pictures: np.ndarray  # (N, 3, S, S) uint8
    sketches: np.ndarray  # (N, C, S, S) uint8
    kinds: np.ndarray  # (N, S, S) uint8
    captions: list[str]
    names: list[str]
    bases: list[str]
    tones: np.ndarray  # (N,) int64
    num_kinds: int
    rejected: list[str]  # files left out, and why


def prepare(folder: Path, params: Params) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays `drawings.load` expects, by name, and the files that were left out, with the reasons.

    Raises:
        InputError: a file is damaged, or a split would be empty.
    """
    raw = SOURCES[params.source](folder, params)
    known, number = np.unique(raw.bases, return_inverse=True)
    splits = split(len(known), params)
    trained = [raw.captions[i] for i in np.flatnonzero(np.isin(number, splits["train"]))]
    vocabulary = captions.vocabulary(trained)
    tokens = captions.tokens(raw.captions, vocabulary)
    texts, names = np.array(raw.captions), np.array(raw.names)
    arrays = {"num_kinds": np.array(raw.num_kinds), "num_words": np.array(captions.num_words(vocabulary))}
    for part, chosen in splits.items():
        rows = np.flatnonzero(np.isin(number, chosen))
        fields = (raw.pictures, raw.sketches, raw.kinds, texts, tokens, names, number, raw.tones)
        keys = ("pictures", "sketches", "kinds", "captions", "tokens", "names", "bases", "tones")
        arrays |= {f"{part}_{key}": field[rows] for key, field in zip(keys, fields, strict=True)}
    return arrays, raw.rejected


def split(num_bases: int, params: Params) -> dict[str, np.ndarray]:
    """Which base drawings are in which split.

    Raises:
        InputError: one would be empty.
    """
    order = permutation(num_bases, params.seed, "drawings split").numpy()
    num_validation, num_test = (
        round(share * num_bases) for share in (params.validation_share, params.test_share)
    )
    ends = np.cumsum([num_validation, num_test])
    validation, test, train = np.split(order, ends)
    if not min(len(validation), len(test), len(train)):
        raise InputError(
            f"drawings.validation_share = {params.validation_share}, test_share = {params.test_share}: of"
            f" {num_bases} base drawings a split is left empty; each needs one at least"
        )
    return {"train": train, "validation": validation, "test": test}


def from_openmoji(folder: Path, params: Params) -> Raw:
    """All of OpenMoji's drawings, rendered.

    Raises:
        InputError: a drawing is damaged, or one of the six-toned differs from its kin in its line layer.
    """
    files = {path.stem: path for path in sorted((folder / "svg").glob("*.svg"))}
    if not files:
        raise InputError(f"drawings.folder = {str(folder)!r}: no SVG files in its folder svg")
    rendered, lines = [], {}
    for name, path in files.items():
        content = path.read_bytes()
        try:
            rendered.append(openmoji.render(content, params.image_size))
            lines[name] = openmoji.line_layer(content)
        except (InputError, ValueError) as error:
            raise InputError(f"{path}: {error}") from error
    tones = dict.fromkeys(files, NO_TONE)
    for variants in openmoji.six_tones(files).values():
        if len({lines[name] for name in variants}) > 1:
            raise InputError(f"{folder}: the six tones of {variants[0]} differ in their line layer")
        tones |= {name: tone for tone, name in enumerate(variants)}
    return Raw(
        pictures=np.stack([drawing.picture for drawing in rendered]),
        sketches=np.stack([drawing.sketch for drawing in rendered]),
        kinds=np.stack([drawing.kinds for drawing in rendered]),
        captions=[openmoji.caption(name) for name in files],
        names=list(files),
        bases=[openmoji.base(name) for name in files],
        tones=np.array(list(tones.values())),
        num_kinds=len(openmoji.KINDS),
        rejected=[],
    )


def from_folder(folder: Path, params: Params) -> Raw:
    """The user's pairs: what is given stands for the sketch, its colours reduced to a few for the layers, the
    file's name for the caption; each pair is a base drawing of its own.
    """
    found = pairs.load(folder, params.image_size)
    return Raw(
        pictures=found.pictures,
        sketches=found.given,
        kinds=regions(found.given),
        captions=[" ".join(captions.words(name.replace("_", " "))) for name in found.names],
        names=found.names,
        bases=found.names,
        tones=np.full(len(found.names), NO_TONE),
        num_kinds=NUM_REGIONS,
        rejected=found.rejected,
    )


def regions(pixels: np.ndarray) -> np.ndarray:
    """Which of a few colours each pixel is nearest to, (N, S, S) uint8; the colours are the median cut of all
    of them, (N, 3, S, S) uint8.
    """
    from PIL import Image

    num, _, height, width = pixels.shape
    strip = pixels.transpose(0, 2, 3, 1).reshape(num * height, width, 3)
    reduced = Image.fromarray(strip).quantize(NUM_REGIONS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return np.asarray(reduced).reshape(num, height, width)


SOURCES = {"openmoji": from_openmoji, "folder": from_folder}
