"""Feature networks: a data set's own, and the literature's beside it."""

import dataclasses
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from helpers.small_tasks import drawings, feature_network, written
from helpers.synthetic import noise, random_pixels
from torch import Tensor, nn

from pipeline.data.images import LABEL_COLOURS, as_rgb, one_hot_maps, to_float
from pipeline.metrics import features
from pipeline.networks.network import Spec
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.sampling import weights


@pytest.mark.parametrize("changes", [{"BATCH": 5}, {"PIXELS": 3 * 28**2}])
def test_own_features_and_predicted_classes_are_the_networks_whatever_the_batch(
    changes: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = feature_network(tmp_path / "weights", (1, 28, 28))
    extractor, (network, _) = features.load(file), weights.load(file)
    pixels = random_pixels(12, 28, 0)
    for name, value in changes.items():
        monkeypatch.setattr(features, name, value)
    found, predicted = extractor.describe(pixels)
    assert predicted is not None
    assert torch.allclose(found, network.features(to_float(pixels)), atol=1e-5)
    assert torch.equal(found, extractor.features(pixels))
    assert torch.equal(predicted, network(to_float(pixels)).argmax(1))
    assert torch.equal(predicted, extractor.classes(pixels))
    assert len(predicted.unique()) > 1
    assert extractor.identity == {"name": "classifier", "weights": sha256(file)}


@pytest.mark.parametrize("channels", [1, 4])
def test_what_has_other_channels_than_a_network_of_colours_takes_is_shown_in_colours(
    channels: int, tmp_path: Path
) -> None:
    extractor = features.load(feature_network(tmp_path / "weights", (3, 16, 16)))
    pixels = noise(6, channels, 16, 16, seed=0)
    assert torch.equal(extractor.features(pixels), extractor.features(as_rgb(pixels)))


@pytest.mark.parametrize("num_labels", [2, 3, 5])
def test_maps_of_labels_are_seen_in_the_tasks_colours_and_other_images_as_they_are(
    num_labels: int, tmp_path: Path
) -> None:
    extractor = features.load(feature_network(tmp_path / "weights", (3, 16, 16)))
    colours = noise(num_labels, 3, seed=1).tolist()
    with_colours = dataclasses.replace(extractor, colours=colours)
    maps = one_hot_maps(noise(6, 16, 16, seed=0) % num_labels, num_labels)
    assert torch.equal(with_colours.features(maps), extractor.features(as_rgb(maps, colours)))
    grey, shown = noise(6, 1, 16, 16, seed=2), noise(6, 3, 16, 16, seed=3)
    assert torch.equal(with_colours.features(grey), extractor.features(grey))
    assert torch.equal(with_colours.of_shown(shown), extractor.features(shown))


def test_a_network_that_learned_without_classes_predicts_none(tmp_path: Path) -> None:
    extractor = features.load(feature_network(tmp_path / "weights", (3, 16, 16)))
    pixels = noise(6, 3, 16, 16, seed=0)
    found, predicted = extractor.describe(pixels)
    assert torch.equal(found, extractor.features(pixels))
    assert predicted is None


def test_a_tasks_extractor_has_the_colours_of_its_targets(tmp_path: Path) -> None:
    for condition, expected in (("segment", [list(each) for each in LABEL_COLOURS]), ("semantic", None)):
        task = written(tmp_path / condition, condition, drawings(0, 5))
        assert features.of_task(task, "own", compute.CPU).colours == expected


def test_weights_of_a_generator_are_no_feature_network(tmp_path: Path) -> None:
    spec = Spec(method="adversarial", network="dcgan", width=2, image_shape=[1, 8, 8], num_latents=2)
    weights.save(tmp_path / "weights", spec.build(), spec)
    with pytest.raises(InputError, match=r"weights: not the weights of a feature network$"):
        features.load(tmp_path / "weights")


def test_the_literatures_weights_that_cannot_be_fetched_are_refused_by_the_name_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> None:
        raise URLError("no route to host")

    file = feature_network(tmp_path / "weights", (1, 28, 28))
    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", unreachable)
    with pytest.raises(InputError, match=r"^evaluate\.features = 'inception': .*no route to host[^\n]*$"):
        features.load(file, "inception")


class Ink(nn.Module):
    def __init__(self, name: str, features_list: list[str]) -> None:
        assert (name, features_list) == ("inception-v3-compat", ["2048"])
        super().__init__()

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.flatten(2).double().mean(2)


def test_inception_sees_three_channels_its_features_bear_its_name_and_classes_stay_the_classifiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = feature_network(tmp_path / "weights", (1, 28, 28))
    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", Ink)
    extractor, pixels = features.load(file, "inception"), random_pixels(9, 28, 0)
    found, predicted = extractor.describe(pixels)
    assert predicted is not None
    assert found.dtype == torch.float32
    assert torch.allclose(found, pixels.float().mean((2, 3)).expand(9, 3))
    assert torch.equal(predicted, features.load(file).classes(pixels))
    assert extractor.identity["name"] == "inception-v3-compat"
