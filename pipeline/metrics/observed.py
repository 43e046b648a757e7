"""Pictures as the observer sees them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline import weights
from pipeline.files import sha256
from pipeline.images import to_float
from pipeline.observer import Observer, ObserverSpec

BATCH = 500


@dataclass(frozen=True)
class Watcher:
    """An observer, ready to look."""

    observer: Observer
    identity: dict[str, str]  # goes beside every metric: numbers of different observers do not compare

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) uint8 -> (N, 64) float32."""
        return torch.cat([self.observer.features(to_float(batch)).float() for batch in pixels.split(BATCH)])


def load(path: Path) -> Watcher:
    """The observer of a weights file.

    Raises:
        InputError: it is none.
    """
    observer, _ = weights.load(path, ObserverSpec)
    assert isinstance(observer, Observer)
    return Watcher(observer, {"name": "observer", "weights": sha256(path)})
