"""Every random number is a function of (seed, purpose, step)."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.runtime import randomness


def test_the_derived_number_is_the_same_in_every_process_and_version():
    assert randomness.derive(0, "weights") == 5409347080047710043
    assert randomness.derive(7, "order", 3) == 4973603909648859553


@settings(deadline=None)
@given(st.integers(min_value=0), st.text("ab /1"), st.integers(min_value=0))
def test_the_derived_number_is_one_that_torch_takes_as_a_seed(seed, purpose, step):
    assert 0 <= randomness.derive(seed, purpose, step) < 2**63


def test_seed_purpose_and_step_each_make_a_difference():
    keys = [(s, p, t) for s in range(5) for p in ("order", "orders", "", "1", "12") for t in (0, 1, 2, 3, 23)]
    assert len({randomness.derive(*key) for key in keys}) == len(keys)


def test_the_same_arguments_give_the_same_numbers_whatever_was_drawn_before():
    first = randomness.normal(4, 3, 0, "G latents", 5)
    torch.manual_seed(99)
    torch.randn(17)
    randomness.normal(4, 3, 0, "D latents", 5)
    randomness.normal(4, 3, 1, "G latents", 5)
    assert torch.equal(randomness.normal(4, 3, 0, "G latents", 5), first)


def test_batches_are_the_same_in_whatever_order_they_are_asked_for():
    forwards = [randomness.batch_indices(20, 6, 0, i) for i in range(12)]
    backwards = [randomness.batch_indices(20, 6, 0, i) for i in reversed(range(12))]
    assert torch.equal(torch.stack(forwards), torch.stack(backwards[::-1]))


def test_drawing_leaves_the_global_generator_where_it_was():
    before = torch.get_rng_state()
    randomness.normal(4, 3, 0, "latents")
    randomness.permutation(11, 0, "a purpose of this test")
    randomness.batch_indices(13, 4, 0, 9)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_purpose_or_step_gives_other_numbers():
    start = randomness.normal(4, 3, 0, "latents", 0)
    for other in ((1, "latents", 0), (0, "noise", 0), (0, "latents", 1)):
        assert not torch.isclose(randomness.normal(4, 3, *other), start).any()


def test_normal_numbers_have_mean_zero_and_deviation_one():
    drawn = randomness.normal(200, 100, 0, "latents")
    assert drawn.shape == (200, 100)
    assert drawn.mean().item() == pytest.approx(0, abs=0.03)
    assert drawn.std().item() == pytest.approx(1, abs=0.03)


def test_latents_of_width_zero_are_empty():
    assert randomness.normal(4, 0, 0, "latents").shape == (4, 0)


@settings(max_examples=50, deadline=None)
@given(num=st.integers(0, 200), seed=st.integers(0, 10))
def test_a_permutation_holds_every_number_once(num, seed):
    assert randomness.permutation(num, seed, "order").sort().values.tolist() == list(range(num))


def test_another_purpose_is_another_permutation():
    one, other = (randomness.permutation(50, 0, purpose) for purpose in ("order", "split"))
    assert not torch.equal(one, other)


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 8), num_batches=st.integers(1, 8), rest=st.integers(0, 7), epoch=st.integers(0, 5))
def test_an_epoch_of_whole_batches_holds_no_image_twice(size, num_batches, rest, epoch):
    num, first = size * num_batches + rest % size, epoch * num_batches
    seen = torch.cat([randomness.batch_indices(num, size, 0, i) for i in range(first, first + num_batches)])
    assert len(seen) == size * num_batches
    assert len(set(seen.tolist())) == len(seen)
    assert set(seen.tolist()) <= set(range(num))


def test_what_one_epoch_leaves_out_another_brings():
    seen = torch.cat([randomness.batch_indices(10, 4, 0, i) for i in range(40)])
    assert set(seen.tolist()) == set(range(10))


def test_each_epoch_and_seed_has_a_new_order():
    epochs = [
        tuple(randomness.batch_indices(30, 30, seed, epoch).tolist()) for epoch in range(6) for seed in (0, 1)
    ]
    assert len(set(epochs)) == 12


@settings(max_examples=50, deadline=None)
@given(num=st.integers(1, 9), more=st.integers(1, 40), seed=st.integers(0, 10), index=st.integers(0, 5))
def test_a_batch_larger_than_the_data_is_of_epochs_of_its_own(num, more, seed, index):
    batch = randomness.batch_indices(num, num + more, seed, index).tolist()
    epochs = [batch[start : start + num] for start in range(0, len(batch), num)]
    assert len(batch) == num + more
    assert all(sorted(epoch) == list(range(num)) for epoch in epochs[:-1])
    assert len(set(epochs[-1])) == len(epochs[-1])


def test_each_of_the_large_batches_has_a_new_order():
    batches = [tuple(randomness.batch_indices(8, 24, 0, index).tolist()) for index in range(4)]
    assert len({batch[start : start + 8] for batch in batches for start in (0, 8, 16)}) == 12
