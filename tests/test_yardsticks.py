"""Real images harmed in known ways."""

import pytest
import torch
from torch import Tensor

from pipeline.metrics import corruptions as yardsticks
from pipeline.metrics import frechet, sharpness
from pipeline.metrics.features import Described

torch.set_num_threads(1)


def pixels_of(num: int, seed: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num, 1, 8, 8), generator=source).byte()


def quarters(pixels: Tensor) -> Tensor:
    """A stand-in for a network: the mean and the spread of two halves of an image."""
    halves = pixels.float().view(len(pixels), 2, -1) / 255
    return torch.cat([halves.mean(2), halves.std(2)], 1)


def test_blur_takes_the_mean_of_nine_pixels_with_black_beyond_the_border() -> None:
    pixels = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    pixels[0, 0, 1, 2] = 255
    expected = torch.zeros(5, 5, dtype=torch.uint8)
    expected[0:3, 1:4] = 28  # 255 / 9 = 28.3
    assert torch.equal(yardsticks.blurred(pixels)[0, 0], expected)

    white = torch.full((1, 1, 3, 3), 255, dtype=torch.uint8)
    corners_sides_centre = [[113, 170, 113], [170, 255, 170], [113, 170, 113]]  # 4, 6 and 9 of 9
    assert yardsticks.blurred(white)[0, 0].tolist() == corners_sides_centre


def test_resampling_keeps_shape_and_flat_images() -> None:
    flat = torch.tensor([0, 77, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 28, 28).contiguous()
    assert torch.equal(yardsticks.resampled(flat), flat)


def test_resampling_softens_what_is_not_flat() -> None:
    pixels = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    pixels[..., 4:] = 255
    found = yardsticks.resampled(pixels)
    assert found.dtype == torch.uint8
    assert found.shape == pixels.shape
    row = found[0, 0, 0].tolist()
    assert row == sorted(row)
    assert row[0] == 0
    assert row[-1] == 255
    assert 0 < row[3] < 128 < row[4] < 255
    assert row[3] + row[4] == 255  # the edge stays where it was
    assert sharpness.gradient_energy(found) < 0.7 * sharpness.gradient_energy(pixels)


def test_a_yardstick_is_the_fid_of_real_images_so_harmed_to_others() -> None:
    labels = torch.arange(40) % 4
    ours, theirs = pixels_of(40, 0), pixels_of(40, 1)
    held = Described(ours, quarters(ours), labels, labels)
    real = Described(theirs, quarters(theirs), labels, labels)
    found = yardsticks.measure(held, real, quarters)
    missing = [frechet.fid(held.features[labels != k], real.features) for k in range(4)]
    assert found == pytest.approx(
        {
            "split": frechet.fid(held.features, real.features),
            "resampled": frechet.fid(quarters(yardsticks.resampled(ours)), real.features),
            "one_class_missing": sum(missing) / 4,
            "blurred": frechet.fid(quarters(yardsticks.blurred(ours)), real.features),
        },
        rel=1e-9,
    )
    assert list(found) == ["split", "resampled", "one_class_missing", "blurred"]
    assert len(set(found.values())) == 4
