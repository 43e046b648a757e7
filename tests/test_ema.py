"""The moving average of weights."""

import pytest
import torch
from torch import nn

from pipeline.methods import ema

torch.set_num_threads(1)


def line(weight: float) -> nn.Linear:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, weight)
    nn.init.constant_(network.bias, -weight)
    return network


def test_after_a_halflife_the_old_weights_count_half() -> None:
    average, network = ema.follower(line(0.0)), line(8.0)
    ema.follow(average, network, num_images=100, halflife=100.0)
    assert average.weight.item() == pytest.approx(4.0)
    assert average.bias.item() == pytest.approx(-4.0)
    ema.follow(average, network, num_images=200, halflife=100.0)
    assert average.weight.item() == pytest.approx(7.0)  # a quarter of 4, three quarters of 8


def test_many_small_updates_decay_like_one_large_one() -> None:
    steps, once, network = ema.follower(line(0.0)), ema.follower(line(0.0)), line(1.0)
    for _ in range(10):
        ema.follow(steps, network, num_images=7, halflife=50.0)
    ema.follow(once, network, num_images=70, halflife=50.0)
    assert steps.weight.item() == pytest.approx(once.weight.item(), rel=1e-5)
    assert once.weight.item() == pytest.approx(1 - 0.5**1.4, rel=1e-5)


def test_a_halflife_of_0_copies() -> None:
    average, network = ema.follower(line(5.0)), line(1 / 3)
    ema.follow(average, network, num_images=1, halflife=0.0)
    assert torch.equal(average.weight, network.weight)
    assert torch.equal(average.bias, network.bias)


def test_batch_statistics_are_averaged_and_counters_copied() -> None:
    network = nn.BatchNorm2d(1)
    average = ema.follower(network)
    with torch.no_grad():
        network.running_mean.fill_(2.0)
        network.running_var.fill_(5.0)
        network.num_batches_tracked.fill_(9)
    ema.follow(average, network, num_images=10, halflife=10.0)
    assert average.running_mean.item() == pytest.approx(1.0)
    assert average.running_var.item() == pytest.approx(3.0)
    assert average.num_batches_tracked.item() == 9


def test_a_follower_is_a_copy_in_evaluation_mode_that_asks_for_no_gradient() -> None:
    network = nn.Sequential(line(1.0), nn.Dropout(0.5))
    average = ema.follower(network)
    assert not any(module.training for module in average.modules())
    assert not any(parameter.requires_grad for parameter in average.parameters())
    with torch.no_grad():
        network[0].weight.fill_(7.0)
    assert average[0].weight.item() == 1.0
    assert network.training
    assert network[0].weight.requires_grad


def test_following_leaves_the_network_as_it_is() -> None:
    average, network = ema.follower(line(0.0)), line(8.0)
    ema.follow(average, network, num_images=1, halflife=3.0)
    assert network.weight.item() == 8.0
    assert network.weight.grad is None
    assert not average.weight.requires_grad
