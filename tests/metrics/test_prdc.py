"""Precision, recall, density and coverage, point by point."""

import math

import numpy as np
import pytest
import torch
from helpers.synthetic import like_the_classifiers, normal
from scipy.spatial.distance import cdist
from torch import Tensor

from pipeline.metrics import prdc


def brute_force(drawn: np.ndarray, real: np.ndarray, k: int) -> dict[str, float]:
    """The four of the papers, point by point."""

    def radius(points: np.ndarray, i: int) -> float:
        return sorted(math.dist(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    real_radius = [radius(real, i) for i in range(len(real))]
    drawn_radius = [radius(drawn, i) for i in range(len(drawn))]
    balls = [sum(math.dist(y, x) < r for x, r in zip(real, real_radius, strict=True)) for y in drawn]
    recalled = [any(math.dist(x, y) < r for y, r in zip(drawn, drawn_radius, strict=True)) for x in real]
    covered = [any(math.dist(x, y) < r for y in drawn) for x, r in zip(real, real_radius, strict=True)]
    return {
        "precision": sum(ball > 0 for ball in balls) / len(drawn),
        "recall": sum(recalled) / len(real),
        "density": sum(balls) / (k * len(drawn)),
        "coverage": sum(covered) / len(real),
    }


def prdc_of(drawn: Tensor, real: Tensor, k: int) -> dict[str, float]:
    return prdc.prdc(drawn, real, k, prdc.radii(real, k))


@pytest.mark.parametrize(("k", "chunk"), [(1, 1000), (3, 7), (5, 1000)])
def test_the_four_agree_with_a_point_by_point_count(
    k: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prdc, "CHUNK", chunk)
    drawn, real = normal(40, 2, 0) + torch.tensor([1.5, 0.0]), normal(50, 2, 1)
    found = prdc_of(drawn, real, k)
    assert found == pytest.approx(brute_force(drawn.double().numpy(), real.double().numpy(), k), abs=1e-9)
    assert all(0.1 < value < 0.999 for name, value in found.items() if name != "density")


def test_the_four_agree_with_second_implementations_in_features_like_the_classifiers() -> None:
    drawn, real = like_the_classifiers(300, 0) * 1.1, like_the_classifiers(300, 1)
    prc = pytest.importorskip("torch_fidelity.metric_prc")
    found = prdc_of(drawn, real, 5)
    precision, recall = prc.calculate_precision_recall_full(drawn.double(), real.double(), neighborhood=5)
    assert found["precision"] == pytest.approx(precision, rel=1e-4)
    assert found["recall"] == pytest.approx(recall, rel=1e-4)
    x, y = real.double().numpy(), drawn.double().numpy()
    radius = np.sort(cdist(x, x), axis=1)[:, 5]  # column 0 is the point itself
    inside = cdist(x, y) < radius[:, None]  # ball, drawn
    assert found["density"] == pytest.approx(inside.sum() / (5 * len(y)), rel=1e-4)
    assert found["coverage"] == pytest.approx(inside.any(1).mean(), rel=1e-4)
    assert all(0.05 < value < 0.99 for value in found.values())


def test_a_set_against_itself_is_whole_in_all_four() -> None:
    points = normal(50, 3, 0)  # each ball holds its centre and k - 1 neighbours: density 1
    expected = {"precision": 1.0, "recall": 1.0, "density": 1.0, "coverage": 1.0}
    assert prdc_of(points, points.clone(), 5) == pytest.approx(expected, abs=1e-12)


def test_the_radius_is_the_distance_to_the_kth_other_point() -> None:
    points = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert prdc.radii(points, 1).tolist() == pytest.approx([1.0, 1.0, 2.0, 4.0])
    assert prdc.radii(points, 2).tolist() == pytest.approx([3.0, 2.0, 3.0, 6.0])
