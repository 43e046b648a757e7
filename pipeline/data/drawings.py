"""The prepared drawings, as tensors: pictures with what each was made of."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.data.digits import SPLITS
from pipeline.runtime.errors import InputError

NO_TONE = -1
DAMAGES = (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError)
FIELDS = ("pictures", "sketches", "kinds", "captions", "tokens", "names", "bases", "tones")


@dataclass(frozen=True)
class Drawings:
    """One split. Variants of a base drawing are all in the same split."""

    pictures: Tensor  # (N, 3, S, S) uint8
    sketches: Tensor  # (N, 1 or 3, S, S) uint8: the line layer, or what the user's pairs give
    kinds: Tensor  # (N, S, S) uint8: of the layer seen at each pixel, a number below num_kinds
    captions: tuple[str, ...]  # "" where a drawing has no name
    tokens: Tensor  # (N, L) int64: the captions' words, numbers below num_words
    names: tuple[str, ...]  # of the files
    bases: Tensor  # (N,) int64: which base drawing
    tones: Tensor  # (N,) int64: 0 .. 5 for drawings that come in exactly six tones, else NO_TONE
    num_kinds: int
    num_words: int

    def __len__(self) -> int:
        return len(self.pictures)

    def six_tones(self) -> Tensor:
        """The drawings that come in exactly six tones, (B, 6): row numbers, in the order of the tones."""
        rows = (self.tones != NO_TONE).nonzero()[:, 0]
        order = torch.argsort(self.bases[rows] * 6 + self.tones[rows])
        return rows[order].view(-1, 6)


@dataclass(frozen=True)
class Splits:
    train: Drawings
    validation: Drawings
    test: Drawings


def load(path: Path) -> Splits:
    """The prepared drawings.

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            counts = int(arrays["num_kinds"]), int(arrays["num_words"])
            parts = [{name: arrays[f"{split}_{name}"] for name in FIELDS} for split in SPLITS]
    except DAMAGES as error:
        advice = "make them with: dvc repro prepare@drawings"
        raise InputError(f"{path}: not the prepared drawings ({error}); {advice}") from error
    return Splits(*(_drawings(part, *counts) for part in parts))


def _drawings(part: dict[str, np.ndarray], num_kinds: int, num_words: int) -> Drawings:
    pictures, sketches, kinds = (torch.from_numpy(part[name]) for name in ("pictures", "sketches", "kinds"))
    tokens, bases, tones = (torch.from_numpy(part[name]).long() for name in ("tokens", "bases", "tones"))
    captions, names = (tuple(part[name].tolist()) for name in ("captions", "names"))
    return Drawings(pictures, sketches, kinds, captions, tokens, names, bases, tones, num_kinds, num_words)
