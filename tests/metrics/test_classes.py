"""What the classifier predicts, by hand."""

import math

import pytest
import torch
from helpers.synthetic import normal

from pipeline.metrics import classes


def test_the_divergence_of_class_histograms_is_that_of_drawn_from_real() -> None:
    real = torch.tensor([0, 0, 1, 2])
    drawn = torch.tensor([0, 1, 1, 1])
    expected = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.25)
    assert classes.histogram_divergence(drawn, real) == pytest.approx(expected)
    assert classes.histogram_divergence(real, real) == 0.0
    assert classes.histogram_divergence(torch.tensor([2, 2]), real) == pytest.approx(math.log(4))


def test_diversity_within_a_class_is_the_ratio_of_spreads_averaged_over_classes() -> None:
    real, labels = normal(40, 3, 0), torch.arange(40) % 2
    assert classes.diversity(real, labels, real, labels) == pytest.approx(1.0)
    centres = torch.stack([real[labels == k].mean(0) for k in (0, 1)])
    collapsed = centres[labels]
    assert classes.diversity(collapsed, labels, real, labels) == pytest.approx(0.0, abs=1e-6)
    half = collapsed + 0.5 * (real - collapsed)
    assert classes.diversity(half, labels, real, labels) == pytest.approx(0.5, rel=1e-5)
    mixed = torch.where(labels[:, None] == 0, half, real)  # half in one class, whole in the other
    assert classes.diversity(mixed, labels, real, labels) == pytest.approx(0.75, rel=1e-5)
    assert classes.diversity(real + 100, labels, real, labels) == pytest.approx(1.0, rel=1e-4)


def test_the_spread_is_the_root_mean_squared_distance_from_the_mean() -> None:
    points = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0], [2.0, -3.0]])
    assert classes.spread(points).item() == pytest.approx(math.sqrt((4 + 4 + 9 + 9) / 4))


def test_the_mean_of_each_class_is_taken_pixel_by_pixel() -> None:
    pixels = torch.tensor([[0, 255], [255, 255], [51, 102]], dtype=torch.uint8).view(3, 1, 1, 2)
    means = classes.means(pixels, torch.tensor([0, 0, 4]), 6)
    assert means.shape == (6, 1, 1, 2)
    assert means[0].flatten().tolist() == pytest.approx([0.5, 1.0])
    assert means[4].flatten().tolist() == pytest.approx([0.2, 0.4])
    assert means[[1, 2, 3, 5]].isnan().all()


def test_the_error_of_means_is_taken_over_the_classes_that_both_have() -> None:
    a, b = (torch.full((10, 1, 1, 2), torch.nan, dtype=torch.float64) for _ in range(2))
    a[0], a[1], a[2] = 0.5, 0.0, 1.0
    b[0], b[1], b[3] = 0.6, torch.tensor([0.0, 0.2]), 1.0
    assert classes.mean_error(a, b) == pytest.approx((0.01 + 0.01 + 0.0 + 0.04) / 4)


def test_accuracy_by_class_is_that_of_each_class_requested() -> None:
    requested = torch.arange(10).repeat(2)
    predicted = requested.clone()
    predicted[[3, 7, 17]] = 0
    assert classes.accuracy(predicted, requested) == pytest.approx(17 / 20)
    assert classes.accuracy_by_class(predicted, requested, 10) == [1, 1, 1, 0.5, 1, 1, 1, 0, 1, 1]
    *known, unasked = classes.accuracy_by_class(predicted, requested, 11)
    assert known == classes.accuracy_by_class(predicted, requested, 10)
    assert math.isnan(unasked)
