"""Adversarial training of several members that share nothing but the step."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adversarial import (
    SMALL,
    check_resuming,
    differing,
    gradients,
    learned,
    seen_by,
    task_of,
    tensors,
)
from pydantic import ValidationError
from torch import Tensor

from pipeline.methods import adversarial, method
from pipeline.methods.adversarial import Adversarial
from pipeline.methods.adversarial_settings import PointSettings
from pipeline.networks.points import by_member
from pipeline.tasks.points import TARGETS, sample

PLACES = sample(TARGETS["ring"], 240, 0)
TASK = task_of("points", PLACES, PLACES[:, :0])
ROOT = Path(__file__).parents[2]

STABILISERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "penalties": {"loss": "relativistic", "r1": 0.1, "r2": 0.1, "penalty_every": 2},
    "packing": {"packing": 2, "gradient_penalty": 1.0, "loss": "wasserstein"},
    "stddev": {"minibatch_stddev": True},
}
every_stabiliser = pytest.mark.parametrize("name", STABILISERS)


def settings(**changes: Any) -> PointSettings:
    return PointSettings(
        **(SMALL | {"num_members": 3, "num_latents": 2, "width": 8, "batch_size": 24} | changes)
    )


def start(**changes: Any) -> Adversarial:
    return adversarial.start(settings(**changes), TASK)


def batch(training: Adversarial) -> tuple[Tensor, Tensor, Tensor]:
    x, c = TASK.train.batch(torch.arange(training.settings.batch_size))
    return x, c, training.latents("test", 0)


@every_stabiliser
def test_the_examples_of_one_member_move_no_other(name: str) -> None:
    """Gradients of members 0 and 2, in both steps, do not change when the data of member 1 do."""
    found = []
    for shift in (0.0, 0.5):
        training = start(**STABILISERS[name])
        x, c, z = batch(training)
        of_one = torch.arange(len(x)) // training.settings.packing % 3 == 1
        moved = of_one[:, None] * shift
        adversarial.discriminator_step(training, x + moved, c, z + moved, 0)
        by_d = gradients(training.discriminator)
        adversarial.generator_step(training, x + moved, c, z + moved)
        by_g = {f"G.{name}": gradient for name, gradient in gradients(training.generator).items()}
        found.append(by_d | by_g)
    for weight, before in found[0].items():
        assert torch.equal(before[[0, 2]], found[1][weight][[0, 2]]), weight
    for weight in ("layers.0.weight", "head.weight", "G.layers.0.weight", "G.head.bias"):
        assert not torch.equal(found[0][weight][1], found[1][weight][1]), weight


def test_packs_hold_points_of_one_member() -> None:
    training = start(packing=2)
    seen = seen_by(training.discriminator)
    x, c, z = batch(training)
    adversarial.discriminator_step(training, x, c, z, 0)
    packs = by_member(seen[0][: len(x) // 2], 3, 1)  # (S, N / 2, 4)
    assert torch.equal(packs.reshape(3, -1, 2), by_member(x, 3, 2))


def test_with_several_members_adam_makes_the_steps_it_makes_with_one() -> None:
    """A loss averages over the rows of all: gradients are a third as large, and the steps are not."""
    training, single = start(), start(num_members=1, batch_size=8)
    x, c, z = batch(training)
    for name in ("generator", "discriminator"):
        own = {key: value[2:3].clone() for key, value in getattr(training, name).state_dict().items()}
        getattr(single, name).load_state_dict(own)
    adversarial.discriminator_step(training, x, c, z, 0)
    adversarial.discriminator_step(single, x[2::3], c[2::3], z[2::3], 0)
    for many, one in zip(training.discriminator.parameters(), single.discriminator.parameters(), strict=True):
        assert many.grad is not None
        assert one.grad is not None
        assert torch.allclose(3 * many.grad[2:3], one.grad, atol=1e-6)
        clear = one.grad.abs() > 1e-4  # against Adam's epsilon of 1e-8, and rounding
        assert clear.any()
        assert torch.allclose(many[2:3][clear], one[clear], atol=1e-5)


@every_stabiliser
def test_each_step_changes_one_network_and_leaves_the_other_alone(name: str) -> None:
    training = start(**STABILISERS[name])
    G, D, (x, c, z) = training.generator, training.discriminator, batch(training)
    g_before, d_before = learned(G), learned(D)
    adversarial.discriminator_step(training, x, c, z, 0)
    assert not differing(g_before, learned(G))
    assert gradients(G) == {}
    assert differing(d_before, learned(D)) >= d_before.keys() - {"0.head.bias"}

    d_before, d_gradients = tensors(D), gradients(D)
    adversarial.generator_step(training, x, c, z)
    assert not differing(d_before, tensors(D))
    assert not differing(d_gradients, gradients(D))
    assert differing(g_before, learned(G)) == g_before.keys()


@every_stabiliser
def test_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(name: str, tmp_path: Path) -> None:
    check_resuming(lambda: start(**STABILISERS[name]), TASK.train, tmp_path)


def test_sizes_are_those_of_one_member() -> None:
    """Widths 2, 4, 4, 4 and 2 of G, and 4, 4, 4, 4 and 1 of a D of packs."""
    sizes = start(packing=2, width=4).sizes()
    assert sizes["generator_parameters"] == 12 + 20 + 20 + 10
    assert sizes["generator_flops"] == 2 * (8 + 16 + 16 + 8)
    assert sizes["discriminator_parameters"] == 20 + 20 + 20 + 5
    assert sizes["discriminator_flops"] == 2 * (16 + 16 + 16 + 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 25}, "batch_size = 25: of 3 members, each must see 1 together: a multiple of 3"),
        ({"packing": 3}, "batch_size = 24: of 3 members, each must see 3 together: a multiple of 9"),
        ({"minibatch_stddev": True, "batch_size": 30}, "each must see 4 together: a multiple of 12"),
        ({"target": "rings"}, "Input should be 'ring' or 'grid'"),
        ({"network": "mlp"}, "takes no condition of kind 'points'; allowed are points"),
        ({"orthogonal": 0.1}, "orthogonal = 0.1 means nothing for conditions of kind 'points'"),
        ({"num_draws": 2}, "num_draws = 2 means nothing for conditions of kind 'points'"),
        ({"augment": ["cutout"]}, "augment = ['cutout'] means nothing for conditions of kind 'points'"),
        (
            {"discriminator_norm": "spectral"},
            "of kind 'points'; allowed is 'none'",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        settings(**changes)


@pytest.mark.parametrize("target", TARGETS)
def test_our_stabilised_entry_differs_from_the_plain_one_in_loss_and_penalties_alone(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    plain, stabilised = (
        method.read("adversarial", f"toys.{target}-{kind}", "points") for kind in ("plain", "stabilised")
    )
    assert isinstance(plain, PointSettings)
    assert isinstance(stabilised, PointSettings)
    before, after = plain.model_dump(), stabilised.model_dump()
    assert {key for key in before if before[key] != after[key]} <= {"loss", "r1", "r2", "penalty_every"}
    assert (plain.loss, plain.penalised, stabilised.penalised) == ("nonsaturating", False, True)
