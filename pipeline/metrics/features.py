"""Feature extractors by name: images -> what the distances of distributions are taken in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import torch
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.networks.classifier import Judge, JudgeSpec
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.sampling import weights

BATCH = 500


class Extractor(NamedTuple):
    extract: Callable[[Tensor], Tensor]  # (N, C, H, W) uint8 -> (N, D)
    identity: dict[str, str]  # goes beside every metric: numbers of different extractors do not compare


def of_judge(judge: Judge, path: Path) -> Extractor:
    """The trained judge's 128 penultimate features."""
    return Extractor(
        lambda pixels: judge.features(to_float(pixels)), {"name": "judge", "weights": sha256(path)}
    )


def of_inception(judge: Judge, path: Path) -> Extractor:
    """The literature's 2048 Inception-v3 features, with torch-fidelity's weights, which it downloads at first
    use.

    Raises:
        InputError: the weights cannot be fetched.
    """
    from torchmetrics.image.fid import NoTrainInceptionV3

    try:
        network = NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"])
        network = network.to(compute.device_of(judge))
    except (URLError, OSError) as error:
        advice = "use 'judge', or run it where the network reaches them"
        raise InputError(
            f"evaluate.features = 'inception': its weights could not be fetched ({error}); {advice}"
        ) from error
    return Extractor(
        lambda pixels: network(pixels.expand(-1, 3, -1, -1)),
        {"name": "inception-v3-compat", "weights": "torch-fidelity"},
    )


EXTRACTORS: dict[str, Callable[[Judge, Path], Extractor]] = {"judge": of_judge, "inception": of_inception}


@dataclass(frozen=True)
class Described:
    """Images and what is read from them."""

    pixels: Tensor  # (N, C, H, W) uint8
    features: Tensor  # (N, D)
    read: Tensor  # (N,) the class the judge reads
    labels: Tensor | None  # (N,) the class asked for, or the true one; None for unconditional models


class Reader:
    """A judge and an extractor: images -> Described."""

    def __init__(self, judge_file: Path, extractor: str, device: torch.device = compute.CPU) -> None:
        judge, _ = weights.load(judge_file, JudgeSpec, device)
        assert isinstance(judge, Judge)
        self.judge, self.device = judge, device
        self.extractor = EXTRACTORS[extractor](judge, judge_file)
        self.in_judge = extractor == "judge"

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) uint8 -> (N, D) float32."""
        batches = (batch.to(self.device) for batch in pixels.split(BATCH))
        return torch.cat([self.extractor.extract(batch).float().cpu() for batch in batches])

    @torch.inference_mode()
    def read(self, pixels: Tensor) -> Tensor:
        """(N, 1, H, W) uint8 -> the classes the judge reads, (N,)."""
        batches = (to_float(batch.to(self.device)) for batch in pixels.split(BATCH))
        return torch.cat([self.judge(x).argmax(1).cpu() for x in batches])

    @torch.inference_mode()
    def describe(self, pixels: Tensor, labels: Tensor | None) -> Described:
        features = self.features(pixels)
        if not self.in_judge:
            return Described(pixels, features, self.read(pixels), labels)
        # Its classes are read from these very features: one pass serves both.
        batches = (batch.to(self.device) for batch in features.split(BATCH))
        read = torch.cat([self.judge.head(batch).argmax(1).cpu() for batch in batches])
        return Described(pixels, features, read, labels)
