"""Energy distance and classifier of truths and samples, against their definitions and SciPy."""

import pytest
import torch
from scipy import stats

from pipeline.metrics import two_samples
from pipeline.runtime import randomness

NUM, DRAWS = 2 * two_samples.PART + 9, 3


def problem() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Conditions, truths, samples that are not quite like them, and bases of two conditions each."""
    source = randomness.generator(0, "two samples")
    c = torch.randn(NUM, 5, generator=source, dtype=torch.float64)
    truth = c[:, :4] + torch.randn(NUM, 4, generator=source, dtype=torch.float64)
    drawn = c[:, None, :4] + 0.6 * torch.randn(NUM, DRAWS, 4, generator=source, dtype=torch.float64) + 3.0
    return c, truth, drawn, torch.arange(NUM) // 2


def distances(c: torch.Tensor, x: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Of pairs of a condition and an image, both in units of what truths are apart."""
    of_x, of_truths, of_c = (torch.cdist(rows, rows).square() for rows in (x, truth, c))
    of_conditions = (of_c / of_c.mean()).repeat_interleave(1 + DRAWS, 0).repeat_interleave(1 + DRAWS, 1)
    return (of_x / of_truths.mean() + of_conditions).sqrt()


def test_the_energy_distance_is_that_of_its_definition() -> None:
    c, truth, drawn, bases = problem()
    both = torch.cat([truth[:, None], drawn], 1).flatten(0, 1)
    apart = distances(c, both, truth).view(NUM, 1 + DRAWS, NUM, 1 + DRAWS)
    across, within = apart[:, 0, :, 1:].mean(), apart[:, 1:, :, 1:].mean()
    found, p_value = two_samples.energy_distance(c, truth, drawn, bases, seed=0)
    assert found == pytest.approx((2 * across - apart[:, 0, :, 0].mean() - within).item(), abs=1e-5)
    assert p_value == 1 / (two_samples.NUM_EXCHANGES + 1)  # none of the exchanges comes so far


def test_the_classifier_is_kernel_ridge_regression_solved_outright() -> None:
    c, truth, drawn, _ = problem()
    both, half = torch.cat([truth[:, None], drawn], 1), NUM // 2
    x = (both / (both.flatten(0, 1).std(0) * both.shape[2] ** 0.5)).flatten(0, 1)
    x = torch.cat([x, (c / (c.std(0) * c.shape[1] ** 0.5)).repeat_interleave(1 + DRAWS, 0)], 1)
    apart = torch.cdist(x, x).square()
    width = apart[:: 1 + DRAWS, :: 1 + DRAWS].median()
    labels = torch.tensor([1.0, *[-1.0] * DRAWS], dtype=torch.float64)
    noise = two_samples.RIDGE * torch.tensor([1.0, *[float(DRAWS)] * DRAWS], dtype=torch.float64)
    kernel = (-apart / (2 * width)).exp()
    asked = kernel[: half * (1 + DRAWS)] @ torch.linalg.solve(
        kernel + noise.repeat(NUM).diag(), labels.repeat(NUM)
    )
    found = two_samples.answers(c, both, c[:half], both[:half])
    torch.testing.assert_close(found, asked.view(half, -1), atol=1e-4, rtol=0)


def test_the_truths_are_told_from_these() -> None:
    c, truth, drawn, bases = problem()
    told = two_samples.classified(c, truth, drawn, bases, seed=0)
    assert told.share > 0.9
    assert told.p_value < 1e-6


@pytest.mark.parametrize(("num_told", "num"), [(0, 9), (9, 9), (3, 9), (40, 81), (70, 150)])
def test_chances_are_those_of_the_binomial_test(num_told: int, num: int) -> None:
    test = stats.binomtest(num_told, num)
    assert two_samples.by_chance(num_told, num) == pytest.approx(test.pvalue, rel=1e-9)
    expected = test.proportion_ci(0.95)
    assert two_samples.interval(num_told, num) == pytest.approx((expected.low, expected.high), rel=1e-9)
