"""Real images corrupted in known ways."""

from typing import cast

import pytest
import torch
from helpers.synthetic import noise, random_pixels
from torch import Tensor

from pipeline.data.images import one_hot_maps
from pipeline.metrics import corruptions, frechet, sharpness
from pipeline.metrics.features import FeatureExtractor


class Halves:
    """A stand-in for a network: the mean and the spread of two halves of each channel."""

    def __init__(self, colours: list[list[int]] | None = None) -> None:
        self.colours = colours

    def features(self, pixels: Tensor) -> Tensor:
        halves = pixels.float().unflatten(2, (2, -1)).flatten(1, 2).flatten(2) / 255
        return torch.cat([halves.mean(2), halves.std(2)], 1)

    of_shown = features


HALVES = cast(FeatureExtractor, Halves())


def test_blur_takes_the_mean_of_nine_pixels_with_black_beyond_the_border() -> None:
    pixels = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    pixels[0, 0, 1, 2] = 255
    expected = torch.zeros(5, 5, dtype=torch.uint8)
    expected[0:3, 1:4] = 28  # 255 / 9 = 28.3
    assert torch.equal(corruptions.blurred(pixels)[0, 0], expected)

    white = torch.full((1, 1, 3, 3), 255, dtype=torch.uint8)
    corners_sides_centre = [[113, 170, 113], [170, 255, 170], [113, 170, 113]]  # 4, 6 and 9 of 9
    assert corruptions.blurred(white)[0, 0].tolist() == corners_sides_centre


def test_resampling_softens_what_is_not_flat() -> None:
    pixels = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    pixels[..., 4:] = 255
    found = corruptions.resampled(pixels)
    assert found.dtype == torch.uint8
    assert found.shape == pixels.shape
    row = found[0, 0, 0].tolist()
    assert row == sorted(row)
    assert row[0] == 0
    assert row[-1] == 255
    assert 0 < row[3] < 128 < row[4] < 255
    assert row[3] + row[4] == 255  # the edge stays where it was
    assert sharpness.gradient_energy(found) < 0.7 * sharpness.gradient_energy(pixels)


def test_the_fids_are_of_images_so_corrupted_to_others() -> None:
    labels = torch.arange(40) % 4
    pixels, real = random_pixels(40, 8, 0), HALVES.features(random_pixels(40, 8, 1))
    found = corruptions.fids(pixels, labels, real, HALVES)
    features = HALVES.features(pixels)
    missing = [frechet.fid(features[labels != k], real) for k in range(4)]
    expected = {
        "resampled": frechet.fid(HALVES.features(corruptions.resampled(pixels)), real),
        "one_class_missing": sum(missing) / 4,
        "blurred": frechet.fid(HALVES.features(corruptions.blurred(pixels)), real),
    }
    assert found == pytest.approx(expected, rel=1e-9)
    assert len(set(found.values())) == 3


@pytest.mark.parametrize("num_labels", [2, 3, 5])
def test_maps_of_labels_are_corrupted_as_they_are_shown(num_labels: int) -> None:
    colours = noise(num_labels, 3, seed=2)
    labels = noise(40, 8, 8, seed=0) % num_labels
    real = HALVES.features(noise(40, 3, 8, 8, seed=1))
    extractor = cast(FeatureExtractor, Halves(colours.tolist()))
    found = corruptions.fids(one_hot_maps(labels, num_labels), None, real, extractor)
    shown = colours[labels.long()].permute(0, 3, 1, 2)
    assert found == corruptions.fids(shown, None, real, HALVES)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_classes_they_are_of_images_in_colour_blurred_and_in_grey(channels: int) -> None:
    pixels = noise(40, channels, 8, 8, seed=0)
    colour = pixels.expand(-1, 3, -1, -1)
    real = HALVES.features(noise(40, 3, 8, 8, seed=1))
    found = corruptions.fids(pixels, None, real, HALVES)
    luma = (colour * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True).round().byte()
    expected = {
        "blurred": frechet.fid(HALVES.features(corruptions.blurred(colour)), real),
        "grey": frechet.fid(HALVES.features(luma.expand(-1, 3, -1, -1)), real),
    }
    assert found == pytest.approx(expected, rel=1e-9)
