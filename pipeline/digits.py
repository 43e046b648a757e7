"""The prepared digits, as tensors."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import InputError

NUM_CLASSES = 10
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Pictures:
    """Images with their classes."""

    pixels: Tensor  # (N, C, H, W) uint8
    labels: Tensor  # (N,) int64

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width


@dataclass(frozen=True)
class Digits:
    train: Pictures
    validation: Pictures
    test: Pictures


def load(path: Path) -> Digits:
    """The prepared digits.

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            parts = [
                Pictures(
                    torch.from_numpy(arrays[f"{s}_pixels"]), torch.from_numpy(arrays[f"{s}_labels"]).long()
                )
                for s in SPLITS
            ]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: not the prepared digits ({error}); make them with: dvc repro prepare@digits"
        ) from error
    return Digits(*parts)
