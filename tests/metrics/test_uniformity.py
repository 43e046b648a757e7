"""Ranks of truths among samples, and the bands for them."""

import warnings

import numpy as np
import pytest
import torch

from pipeline.metrics import uniformity

NUM, NUM_DRAWS = 200, 39


def test_ranks_count_what_is_smaller_and_share_out_ties() -> None:
    truth, drawn = (
        torch.tensor([[0.5], [2.0], [1.0]]),
        torch.tensor([0.0, 1.0, 1.0, 1.0]).expand(3, -1)[..., None],
    )
    first, second = uniformity.ranks(truth, drawn, 0)[:2, 0].tolist()
    assert (first, second) == (1, 4)
    places = [int(uniformity.ranks(truth, drawn, seed)[2, 0]) for seed in range(200)]
    assert set(places) == {1, 2, 3, 4}
    assert min(np.bincount(places)[1:]) > 30


def test_the_band_of_independent_ranks_is_that_of_arviz() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from arviz.stats import ecdf_utils

    steps = np.arange(1, NUM_DRAWS + 1) / (NUM_DRAWS + 1)
    source = np.random.RandomState(0)
    low, high = ecdf_utils.ecdf_confidence_band(
        NUM, steps, steps, prob=0.95, method="simulated", num_trials=2000,
        rvs=lambda size, random_state: source.random_sample(size), random_state=source,
    )  # fmt: skip
    drawn = torch.Generator().manual_seed(0)
    bands = [
        uniformity.uniformity(
            torch.randint(NUM_DRAWS + 1, (NUM, 1), generator=drawn), NUM_DRAWS, torch.arange(NUM), seed
        ).band[0]
        for seed in range(40)
    ]
    np.testing.assert_allclose(torch.stack(bands).mean(0), (high - low) / 2, atol=1.5 / NUM)


def test_a_base_of_many_equal_ranks_counts_once() -> None:
    """Forty bases whose ten pictures have the same rank are as sure as forty pictures."""
    drawn = torch.Generator().manual_seed(0)
    rejected = 0
    for seed in range(100):
        ranks = torch.randint(NUM_DRAWS + 1, (40, 1), generator=drawn).repeat_interleave(10, 0)
        bases = torch.arange(40).repeat_interleave(10)
        rejected += uniformity.uniformity(ranks, NUM_DRAWS, bases, seed).p_value <= 0.05
    assert rejected <= 10


@pytest.mark.parametrize("shift", [0, 8])
def test_deviations_are_shares_below_less_those_expected(shift: int) -> None:
    ranks = torch.arange(NUM_DRAWS + 1)[:, None].clamp(max=NUM_DRAWS - shift)
    found = uniformity.uniformity(ranks, NUM_DRAWS, torch.arange(len(ranks)), 0)
    below = (ranks[:, 0, None] < torch.arange(1, NUM_DRAWS + 1)).double().mean(0)
    expected = torch.arange(1, NUM_DRAWS + 1).double() / (NUM_DRAWS + 1)
    torch.testing.assert_close(found.deviation[0], below - expected)
    assert (found.p_value < 0.9) == bool(shift)
