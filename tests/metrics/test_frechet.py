"""FID and KID by hand and against a second implementation."""

import numpy as np
import pytest
import torch
from helpers.synthetic import like_the_classifiers, normal
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from pipeline.metrics import frechet


class Given(nn.Identity):
    """Torchmetrics' extractor, of what is features already."""

    num_features = 128  # saves torchmetrics a trial run


def fidelity_fid(a: Tensor, b: Tensor) -> float:
    """torch-fidelity's FID of features, in float64; torchmetrics' extra `image` brings it."""
    fid = pytest.importorskip("torch_fidelity.metric_fid")
    first, second = (fid.fid_features_to_statistics(features.double()) for features in (a, b))
    return float(fid.fid_statistics_to_metric(first, second, False)["frechet_inception_distance"])


@pytest.mark.parametrize("num", [60, 300])  # of 128 features: also fewer images than features
def test_fid_agrees_with_two_other_implementations_in_features_like_the_classifiers(
    num: int,
) -> None:
    a, b = like_the_classifiers(num, 0), like_the_classifiers(num, 1) * 1.1
    assert frechet.fid(a, b) == pytest.approx(fidelity_fid(a, b), rel=1e-6)
    metric = FrechetInceptionDistance(feature=Given())
    metric.update(a, real=True)
    metric.update(b, real=False)
    assert frechet.fid(a, b) == pytest.approx(float(metric.compute()), rel=1e-4)


def test_the_distance_of_normal_distributions_by_hand() -> None:
    a = frechet.Statistics(torch.tensor([0.0, 1.0]).double(), torch.diag(torch.tensor([4.0, 0.0])).double())
    b = frechet.Statistics(torch.tensor([3.0, 5.0]).double(), torch.diag(torch.tensor([9.0, 1.0])).double())
    assert frechet.distance(a, b) == pytest.approx(9 + 16 + (2 - 3) ** 2 + (0 - 1) ** 2)
    assert frechet.distance(a, a) == pytest.approx(0.0, abs=1e-12)


def test_statistics_are_mean_and_unbiased_covariance_in_float64() -> None:
    features = normal(7, 3, 0) + 1000
    found = frechet.statistics(features)
    assert found.mean.dtype == found.covariance.dtype == torch.float64
    assert np.allclose(found.mean, features.double().numpy().mean(0), rtol=1e-12)
    assert np.allclose(found.covariance, np.cov(features.double().numpy(), rowvar=False), rtol=1e-9)
    assert frechet.statistics(normal(5, 1, 0)).covariance.shape == (1, 1)


def test_a_single_image_spreads_nowhere() -> None:
    one, many = frechet.statistics(normal(1, 3, 0)), frechet.statistics(normal(9, 3, 1))
    expected = (one.mean - many.mean).square().sum() + many.covariance.trace()
    assert frechet.distance(one, many) == pytest.approx(expected.item())


@pytest.mark.parametrize("num", [60, 300])
def test_kid_agrees_with_a_second_implementation_in_features_like_the_classifiers(num: int) -> None:
    """One subset as large as the sets is all pairs, in whatever order they are drawn."""
    a, b = like_the_classifiers(num, 0), like_the_classifiers(num, 1) * 1.1
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    expected = kid.kid_features_to_metric(
        a.double(), b.double(), kid_subsets=1, kid_subset_size=num, verbose=False
    )["kernel_inception_distance_mean"]
    assert frechet.kid(a, b, num_subsets=1, subset_size=num) == pytest.approx(expected, rel=1e-4)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_kid_takes_the_subsets_that_torchmetrics_takes() -> None:
    a, b = like_the_classifiers(80, 0), like_the_classifiers(90, 1) * 1.1
    metric = KernelInceptionDistance(Given(), subsets=10, subset_size=50)
    metric.update(a, real=True)
    metric.update(b, real=False)
    torch.manual_seed(3)
    expected = float(metric.compute()[0])
    torch.manual_seed(3)
    assert frechet.kid(b, a, num_subsets=10, subset_size=50) == pytest.approx(expected, rel=1e-4)


def test_kid_of_subsets_is_near_that_of_the_whole_and_a_function_of_the_global_source() -> None:
    a, b = normal(60, 4, 0), normal(60, 4, 1) + 0.7
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(frechet.kid(a, b, num_subsets=40, subset_size=30))
    assert found[0] == found[1] != found[2]
    assert found[0] == pytest.approx(frechet.kid(a, b, num_subsets=1, subset_size=60), rel=0.15)
