"""Pictures as the observer sees them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.networks.simclr import Observer, ObserverSpec
from pipeline.runtime import compute
from pipeline.runtime.files import sha256
from pipeline.sampling import weights

BATCH = 500


@dataclass(frozen=True)
class Watcher:
    """An observer, ready to look."""

    observer: Observer
    identity: dict[str, str]  # goes beside every metric: numbers of different observers do not compare

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) uint8 -> (N, 64) float32."""
        device = compute.device_of(self.observer)
        batches = (to_float(batch.to(device)) for batch in pixels.split(BATCH))
        return torch.cat([self.observer.features(x).float().cpu() for x in batches])


def load(path: Path, device: torch.device = compute.CPU) -> Watcher:
    """The observer of a weights file, on this device.

    Raises:
        InputError: it is none.
    """
    observer, _ = weights.load(path, ObserverSpec, device)
    assert isinstance(observer, Observer)
    return Watcher(observer, {"name": "observer", "weights": sha256(path)})
