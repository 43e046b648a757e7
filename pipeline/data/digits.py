"""The prepared digits, as tensors."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.runtime.errors import InputError

NUM_CLASSES = 10
SPLITS = ("train", "validation", "test")


class Examples(Protocol):
    """What a network can be trained on: images with labels, by number."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, int, int]: ...  # C, H, W

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen images as the networks take them, (n, C, H, W) in [-1, 1], and their labels, (n,)."""

    def to(self, device: torch.device) -> Self:
        """The same on this device."""


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

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        pixels, labels = self.picked(chosen)
        return to_float(pixels), labels

    def picked(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen images as they are, and their labels."""
        chosen = chosen.to(self.pixels.device)
        return self.pixels[chosen], self.labels[chosen]

    def to(self, device: torch.device) -> "Pictures":
        return Pictures(self.pixels.to(device), self.labels.to(device))


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
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            parts = [(arrays[f"{split}_pixels"], arrays[f"{split}_labels"]) for split in SPLITS]
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        advice = "make them with: dvc repro prepare@digits"
        raise InputError(f"{path}: not the prepared digits ({error}); {advice}") from error
    return Digits(*(Pictures(torch.from_numpy(x), torch.from_numpy(y).long()) for x, y in parts))
