"""Class-conditional adversarial training: the ablation, and hidden groups in each class."""

from typing import Any

import pytest
import torch
from helpers.adversarial import (
    TASKS,
    advance,
    batch,
    both_networks,
    differing,
    learned,
    settings,
    start,
    task_of,
)

from pipeline.methods import adversarial
from pipeline.networks.mixture import Mixture
from pipeline.runtime import randomness
from pipeline.tasks import clusters

DATA = TASKS["class"].train


@both_networks
@pytest.mark.parametrize("sees", [True, False])
def test_only_a_discriminator_that_sees_the_condition_depends_on_it(network: str, sees: bool) -> None:
    training = start(network=network, discriminator_sees_condition=sees)
    G, D = training.generator, training.discriminator.eval()
    x, c, z = batch(training)
    with torch.no_grad():
        assert torch.equal(D(x, c), D(x, c.roll(1, 1))) is not sees
        assert not torch.equal(G(z, c), G(z, c.roll(1, 1)))  # G has its condition always
    training.step(DATA)


def test_the_ablation_starts_with_the_same_generator() -> None:
    full, ablated = (learned(start(discriminator_sees_condition=sees).generator) for sees in (True, False))
    assert not differing(full, ablated)


def test_with_hidden_groups_both_networks_have_class_and_group_as_two_one_hot_codes() -> None:
    training = start(clusters=2)
    seen: dict[str, Any] = {}
    training.generator.register_forward_pre_hook(lambda _, args: seen.update(g=args[1]))
    training.discriminator.register_forward_pre_hook(lambda _, args: seen.update(d=args[1]))
    training.step(DATA)
    groups = clusters.split(DATA, 10, 2, 0)
    chosen = randomness.batch_indices(len(DATA), 4, 0, 0)
    expected = torch.cat([DATA.c[chosen], torch.eye(20)[groups.numbers[chosen]]], 1)
    assert torch.equal(seen["g"], expected)
    assert torch.equal(seen["d"], expected)
    assert isinstance(training.ema, Mixture)
    assert torch.equal(training.ema.upper, groups.shares.cumsum(1))
    assert training.blank.shape == (1, 30)


def test_in_the_ablation_the_discriminator_sees_no_group_either() -> None:
    D = start(clusters=2, discriminator_sees_condition=False).discriminator
    assert D.head.project is None


def test_without_a_condition_groups_are_those_of_all_images_and_the_sampler_needs_none() -> None:
    training = start("none", clusters=3)
    training.step(TASKS["none"].train)
    assert training.groups is not None
    assert set(training.groups.numbers.tolist()) == {0, 1, 2}
    assert training.batch(TASKS["none"].train, 4, 0)[1].shape == (4, 3)
    x = training.ema(training.latents("test", 0), torch.empty(4, 0))
    assert x.shape == (4, 1, 8, 8)


def test_the_generator_learns_which_class_is_which() -> None:
    """Two classes, black and white images."""
    labels = torch.arange(32) % 2
    x = (labels * 2.0 - 1).view(-1, 1, 1, 1).expand(32, 1, 8, 8).contiguous()
    task = task_of("class", x, torch.eye(2)[labels])
    schedule = {"num_steps": 80, "batch_size": 16, "beta1": 0.0, "learning_rate": 0.005, "width": 8}
    training = adversarial.start(settings(**schedule, loss="relativistic", r1=0.1, r2=0.1), task)
    advance(training, task.train, 80)
    with torch.no_grad():
        black, white = training.ema(torch.zeros(2, 3), torch.eye(2)).flatten(1).mean(1).tolist()
    assert black < -0.5
    assert white > 0.5
