"""The moving average of weights."""

import pytest
import torch
from torch import nn

from pipeline.methods import ema


def line(weight: float) -> nn.Linear:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, weight)
    nn.init.constant_(network.bias, -weight)
    return network


SEEN = 10_000  # images before, so many that the halflife is as it is stated


def test_after_a_halflife_the_old_weights_count_half() -> None:
    average, network = ema.copy_of(line(0.0)), line(8.0)
    ema.update(average, network, 100.0, 100, SEEN)
    assert average.weight.item() == pytest.approx(4.0)
    assert average.bias.item() == pytest.approx(-4.0)
    ema.update(average, network, 100.0, 200, SEEN)
    assert average.weight.item() == pytest.approx(7.0)  # a quarter of 4, three quarters of 8


def test_many_small_updates_decay_like_one_large_one() -> None:
    steps, once, network = ema.copy_of(line(0.0)), ema.copy_of(line(0.0)), line(1.0)
    for _ in range(10):
        ema.update(steps, network, 50.0, 7, SEEN)
    ema.update(once, network, 50.0, 70, SEEN)
    assert steps.weight.item() == pytest.approx(once.weight.item(), rel=1e-5)
    assert once.weight.item() == pytest.approx(1 - 0.5**1.4, rel=1e-5)


def test_a_halflife_is_at_most_a_tenth_of_the_images_seen() -> None:
    assert [ema.ramped(100.0, seen) for seen in (0, 10, 999, 1000, 5000)] == [0, 1, 99.9, 100, 100]
    average = ema.copy_of(line(0.0))
    ema.update(average, line(8.0), 100.0, 20, 200)
    assert average.weight.item() == pytest.approx(4.0)


@pytest.mark.parametrize(("halflife", "seen"), [(0.0, SEEN), (100.0, 0)])
def test_without_a_halflife_or_images_before_the_network_is_copied(halflife: float, seen: int) -> None:
    average, network = ema.copy_of(line(5.0)), line(1 / 3)
    ema.update(average, network, halflife, 1, seen)
    assert torch.equal(average.weight, network.weight)
    assert torch.equal(average.bias, network.bias)


def test_batch_statistics_are_averaged_and_counters_copied() -> None:
    network = nn.BatchNorm2d(1)
    average = ema.copy_of(network)
    with torch.no_grad():
        network.running_mean.fill_(2.0)
        network.running_var.fill_(5.0)
        network.num_batches_tracked.fill_(9)
    ema.update(average, network, 10.0, 10, SEEN)
    assert average.running_mean.item() == pytest.approx(1.0)
    assert average.running_var.item() == pytest.approx(3.0)
    assert average.num_batches_tracked.item() == 9


def test_the_copy_is_in_evaluation_mode_and_asks_for_no_gradient_and_the_network_stays_as_it_is() -> None:
    network = nn.Sequential(line(1.0), nn.Dropout(0.5))
    average = ema.copy_of(network)
    with torch.no_grad():
        network[0].weight.fill_(7.0)
    assert average[0].weight.item() == 1.0
    ema.update(average, network, 3.0, 1, SEEN)
    assert not any(module.training for module in average.modules())
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert network.training
    assert network[0].weight.requires_grad
    assert network[0].weight.item() == 7.0
    assert network[0].weight.grad is None
