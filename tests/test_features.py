"""What reads the images: the judge, and the extractors that may stand beside it."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from synthetic import random_pixels
from torch import Tensor, nn

from pipeline.data.images import to_float
from pipeline.metrics import features
from pipeline.metrics.features import Reader
from pipeline.networks.classifier import Judge, JudgeSpec
from pipeline.runtime.errors import InputError
from pipeline.sampling import weights

torch.set_num_threads(1)


@pytest.fixture
def judge_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    weights.save(tmp_path / "judge", Judge(2, 10), JudgeSpec(width=2, num_classes=10))
    return tmp_path / "judge"


def test_the_reader_gives_the_judges_features_and_readings_whatever_the_batch(
    judge_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, (judge, _) = Reader(judge_file, "judge"), weights.load(judge_file, JudgeSpec)
    pixels, labels = random_pixels(12, 28, 0), torch.arange(12) % 10
    monkeypatch.setattr(features, "BATCH", 5)
    found = reader.describe(pixels, labels)
    assert torch.allclose(found.features, judge.features(to_float(pixels)), atol=1e-5)
    assert torch.equal(found.features, reader.features(pixels))
    assert torch.equal(found.read, judge(to_float(pixels)).argmax(1))
    assert found.pixels is pixels
    assert found.labels is labels


def test_features_whose_weights_cannot_be_fetched_are_refused_by_the_name_of_their_key(
    judge_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", unreachable)
    with pytest.raises(InputError, match=r"^evaluate\.features = 'inception': .*no route to host[^\n]*$"):
        Reader(judge_file, "inception")


class Ink(nn.Module):
    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.flatten(2).double().mean(2)


def test_inception_sees_three_channels_and_its_features_are_named_after_it(
    judge_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ink(name: str, features_list: list[str]) -> Any:
        assert (name, features_list) == ("inception-v3-compat", ["2048"])
        return Ink()

    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", ink)
    reader = Reader(judge_file, "inception")
    pixels = random_pixels(3, 28, 0)
    found = reader.features(pixels)
    assert found.dtype == torch.float32
    assert torch.allclose(found, pixels.float().mean((2, 3)).expand(3, 3))
    assert reader.extractor.identity["name"] == "inception-v3-compat"
