"""CFID by hand: normal features whose sample moments are exactly those of the formula."""

import pytest
import torch
from helpers.synthetic import like_the_classifiers, normal
from torch import Tensor

from pipeline.metrics import cfid, frechet
from pipeline.runtime.errors import InputError


def whitened(num: int, width: int, seed: int) -> Tensor:
    """Columns of mean 0, variance 1 and no correlation in the sample itself, (num, width) float64."""
    x = normal(num, width, seed).double()
    columns, _ = torch.linalg.qr(x - x.mean(0))
    return columns * (num - 1) ** 0.5


def fid(a: Tensor, b: Tensor) -> float:
    return frechet.distance(frechet.statistics(a), frechet.statistics(b))


def test_a_sampler_that_ignores_the_condition_has_no_fid_but_a_cfid() -> None:
    """x = a y + s e of variance 1, x' = e': a^2 for the slope, (1 - s)^2 for the deviations."""
    y, e, other = whitened(100, 3, 0).split(1, dim=1)
    real = 0.8 * y + 0.6 * e
    assert fid(other, real) == pytest.approx(0, abs=1e-6)
    assert cfid.cfid(other, real, y) == pytest.approx(0.8**2 + (1 - 0.6) ** 2)
    assert cfid.cfid(-0.8 * y + 0.6 * other, real, y) == pytest.approx(1.6**2)
    assert cfid.cfid(0.8 * y, real, y) == pytest.approx(0.6**2, rel=1e-6)  # a regression
    assert cfid.cfid(0.8 * y + 0.6 * other, real, y) == pytest.approx(0, abs=1e-6)


def test_the_scale_of_the_conditions_does_not_matter() -> None:
    y, e, other = whitened(100, 3, 0).split(1, dim=1)
    real = 0.8 * y + 0.6 * e
    assert cfid.cfid(other, real, 50 * y + 7) == pytest.approx(0.8)


def test_two_features_of_two_conditions_by_hand() -> None:
    """Slopes A and B differ by their squared entries; deviations 1, 2 and 3, 1 by 4 and 1."""
    x = whitened(100, 6, 0)
    y, e, other = x[:, :2], x[:, 2:4], x[:, 4:]
    a, b = torch.tensor([[1.0, 2.0], [0.0, 1.0]]).double(), torch.tensor([[1.0, 0.0], [3.0, -1.0]]).double()
    real = y @ a + e * torch.tensor([1.0, 2.0])
    drawn = y @ b + other * torch.tensor([3.0, 1.0]) + torch.tensor([0.0, 5.0])
    assert cfid.cfid(drawn, real, y) == pytest.approx(25 + (4 + 9 + 4) + (4 + 1))


def test_the_three_terms_are_those_of_the_paper_in_features_like_the_classifiers() -> None:
    """Against regressions on the conditions: their residuals' FID, and how far their predictions part."""
    drawn, real, c = (like_the_classifiers(400, seed).double() for seed in (0, 1, 2))
    c = c[:, 1:40]
    drawn, real = drawn + 0.2 * c[:, :1] * drawn, real + 0.1 * c @ normal(39, 128, 3).double()
    design = torch.cat([torch.ones(400, 1).double(), c], 1)

    def fitted(x: Tensor) -> Tensor:
        return design @ torch.linalg.lstsq(design, x, driver="gelsd").solution

    predictions = (fitted(drawn) - fitted(real)).square().sum() / 399  # with the means' part, counted below
    means = (drawn.mean(0) - real.mean(0)).square().sum()
    expected = (predictions - means * 400 / 399 + means).item()
    expected += fid(drawn - fitted(drawn), real - fitted(real))
    assert cfid.cfid(drawn, real, c) == pytest.approx(expected, rel=1e-6)


def test_features_of_conditions_that_never_fire_or_come_twice_change_nothing() -> None:
    c = normal(100, 3, 0)
    drawn, real = (c @ normal(3, 4, i) + normal(100, 4, i + 1) for i in (1, 3))
    more = torch.cat([c, c[:, :1], torch.zeros(100, 2)], 1)
    found = cfid.cfid(drawn, real, more)
    assert found == pytest.approx(cfid.cfid(drawn, real, c), rel=1e-6)
    assert found > 1


def test_too_few_conditions_are_refused_with_both_numbers() -> None:
    real = normal(9, 2, 0)
    with pytest.raises(InputError, match=r"^CFID of 9 conditions with 8 features: needs more than 9 "):
        cfid.cfid(real, real, normal(9, 8, 1))
    assert cfid.cfid(real, real, normal(9, 7, 1)) == pytest.approx(0, abs=1e-6)
