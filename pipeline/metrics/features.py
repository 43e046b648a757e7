"""Images -> what the distances of distributions are taken in, by a network that knows the data set or by the
literature's.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast
from urllib.error import URLError

import torch
from torch import Tensor, nn

from pipeline.data.images import Colours, as_rgb, to_float
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.sampling import weights
from pipeline.tasks.task import FEATURES, Task

BATCH = 500  # images at once
PIXELS = BATCH * 32**2  # of so many at most


class FeatureNetwork(Protocol):
    def features(self, x: Tensor) -> Tensor: ...
    def logits(self, features: Tensor) -> Tensor: ...  # of classes; classifiers alone


@dataclass(frozen=True)
class FeatureExtractor:
    """A feature network on a device; `identity` goes beside metrics: those of two do not compare."""

    network: FeatureNetwork
    num_channels: int  # that it takes
    device: torch.device
    identity: dict[str, str]
    inception: nn.Module | None = None  # features are taken in it, if it is there
    colours: Colours = None  # of the labels, where images are maps of labels

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) uint8 -> (N, D) float32; label maps in their colours."""
        return torch.cat([self.extract(batch.to(self.device)).float().cpu() for batch in batches(pixels)])

    def of_shown(self, pixels: Tensor) -> Tensor:
        """The same of images (N, 3, H, W) uint8 in RGB, which may be as many channels as there are labels."""
        return replace(self, colours=None).features(pixels)

    def extract(self, pixels: Tensor) -> Tensor:
        is_map = self.colours is not None and pixels.shape[1] == len(self.colours)
        if self.inception is not None or is_map or pixels.shape[1] != self.num_channels:
            pixels = as_rgb(pixels, self.colours if is_map else None)
        if self.inception is not None:
            features: Tensor = self.inception(pixels)
            return features
        return self.of_images(to_float(pixels))

    def of_images(self, x: Tensor) -> Tensor:
        """The own network's features of images in [-1, 1]."""
        return self.network.features(x.to(self.device))

    @torch.inference_mode()
    def classes(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) uint8 -> the classes that a classifier predicts, (N,)."""
        return self.predicted(self.of_images(to_float(batch)) for batch in batches(pixels))

    @torch.inference_mode()
    def describe(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features, (N, D), and a classifier's predicted classes, (N,), in one pass where it can be."""
        features = self.features(pixels)
        if not hasattr(self.network, "logits"):
            return features, None
        if self.inception is not None:
            return features, self.classes(pixels)
        return features, self.predicted(batch.to(self.device) for batch in features.split(BATCH))

    def predicted(self, batches: Iterable[Tensor]) -> Tensor:
        """The classes that go with batches of the own network's features."""
        return torch.cat([self.network.logits(batch).argmax(1).cpu() for batch in batches])


def batches(pixels: Tensor) -> Sequence[Tensor]:
    """Images (N, C, H, W) as many at a time as fit any laptop."""
    return pixels.split(max(1, min(BATCH, PIXELS // math.prod(pixels.shape[2:]))))


def of_task(task: Task, kind: str, device: torch.device) -> FeatureExtractor:
    """The extractor of the network that lies with a task; see `load`."""
    assert task.folder is not None
    found = load(task.folder / FEATURES, kind, device)
    return replace(found, colours=task.facts.get("target_colours"))


def load(path: Path, kind: str = "own", device: torch.device = compute.CPU) -> FeatureExtractor:
    """The extractor of a task's feature network, or the literature's beside it.

    Raises:
        InputError: the file is not a feature network, or the literature's weights cannot be fetched.
    """
    network, spec = weights.load(path, device)
    if not hasattr(network, "features"):
        raise InputError(f"{path}: not the weights of a feature network")
    identity, inception = {"name": spec.network, "weights": sha256(path)}, None
    if kind == "inception":
        identity, inception = {"name": "inception-v3-compat", "weights": "torch-fidelity"}, fetched(device)
    extracting = cast(FeatureNetwork, network)
    return FeatureExtractor(extracting, spec.image_shape[0], device, identity, inception)


def fetched(device: torch.device) -> nn.Module:
    """The literature's Inception-v3 with 2048 features, downloaded at first use or an InputError."""
    from torchmetrics.image.fid import NoTrainInceptionV3

    try:
        network: nn.Module = NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"])
        return network.to(device)
    except (URLError, OSError) as error:
        reason = (
            f"its weights could not be fetched ({error}); use 'own', or run it where the network reaches them"
        )
        raise InputError(f"evaluate.features = 'inception': {reason}") from error
