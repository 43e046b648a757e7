"""Flow matching: the loss, what it is taken of, and that its optimum is the exact answer."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adversarial import TASKS, advance, check_resuming, differing, learned, task_of
from pydantic import ValidationError
from torch import Tensor

from pipeline.methods import flow
from pipeline.methods.flow import SETTINGS, FlowMatching
from pipeline.metrics import denoisers
from pipeline.networks.mixture import Mixture
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute, randomness
from pipeline.sampling import weights
from pipeline.tasks import clusters
from pipeline.tasks.points import TARGETS, sample

PLACES = sample(TARGETS["ring"], 240, 0)
KINDS = TASKS | {"points": task_of("points", PLACES, PLACES[:, :0])}
SMALL = {"width": 4, "learning_rate": 0.01, "ema_halflife": 8.0, "batch_size": 10, "num_steps": 6}
SMALL |= {"log_every": 1, "save_every": 6, "monitor_every": 6}
OF_KIND: dict[str, dict[str, Any]] = {"points": {"num_members": 2}}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in KINDS),
    ("none", {"clusters": 3, "drop_condition": 0.5}),
    ("class", {"clusters": 2, "drop_condition": 0.5}),
    ("words", {"drop_condition": 0.5, "prediction": "velocity", "times": "uniform"}),
]
each_variant = pytest.mark.parametrize(("kind", "changes"), VARIANTS)


def settings(kind: str = "class", **changes: Any) -> flow.Settings:
    return SETTINGS[kind](**(SMALL | OF_KIND.get(kind, {}) | changes))


def start(kind: str = "class", **changes: Any) -> FlowMatching:
    return flow.start(settings(kind, **changes), KINDS[kind])


def asked_of(training: FlowMatching) -> list[tuple[Tensor, Tensor, Tensor]]:
    """A list that fills with what the denoiser is asked: x_t, t and condition."""
    asked: list[tuple[Tensor, Tensor, Tensor]] = []
    training.flow.network.register_forward_pre_hook(lambda _, args: asked.append(args))
    return asked


# A step.


@each_variant
def test_a_step_goes_down_the_squared_error_of_the_velocity_by_hand(
    kind: str, changes: dict[str, Any]
) -> None:
    changes = changes if kind == "points" else changes | {"dropout": 0.0}
    training, by_hand = start(kind, **changes), start(kind, **changes)
    logged = training.step(KINDS[kind].train)
    chosen = by_hand.take(KINDS[kind].train, 10).chosen
    x, c = KINDS[kind].train.batch(chosen)
    c = c if by_hand.groups is None else by_hand.groups.beside(c, chosen)
    noise, t, kept = by_hand.drawn(compute.CPU)
    c = c if kept is None else c * kept.view(-1, *[1] * (c.ndim - 1))
    x_t = torch.stack([(1 - s) * n.view_as(row) + s * row for s, n, row in zip(t, noise, x, strict=True)])
    found = by_hand.flow.denoise(x_t, t, c)
    errors = torch.stack([(a - b).square().mean() for a, b in zip(found, x, strict=True)])
    loss = sum(error / max(1 - s, 0.05) ** 2 for error, s in zip(errors, t.tolist(), strict=True)) / 10
    loss.backward()
    assert logged["error"].item() == pytest.approx(errors.mean().item(), rel=1e-4)
    assert logged["loss"].item() == pytest.approx(loss.item(), rel=1e-4)
    for a, b in zip(training.network.parameters(), by_hand.network.parameters(), strict=True):
        assert a.grad is not None
        assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-5)


def test_noise_times_and_dropped_conditions_are_functions_of_seed_and_step() -> None:
    training = start(drop_condition=0.5, batch_size=20)
    first = training.drawn(compute.CPU)
    torch.rand(3)
    assert all(torch.equal(*pair) for pair in zip(first, training.drawn(compute.CPU), strict=True))
    training.steps_done = 1
    assert not any(torch.equal(*pair) for pair in zip(first, training.drawn(compute.CPU), strict=True))
    other = start(drop_condition=0.5, batch_size=20, seed=1).drawn(compute.CPU)
    assert not any(torch.equal(*pair) for pair in zip(first, other, strict=True))


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_share_of_a_batch_is_at_the_start_and_times_lie_as_the_settings_say(share: float) -> None:
    for changes, quartiles in (
        ({"times": "uniform"}, [0.25, 0.5, 0.75]),
        ({}, torch.tensor([-0.6745, 0, 0.6745]).sigmoid().tolist()),
        ({"shift": -2.0}, (torch.tensor([-0.6745, 0, 0.6745]) - 2).sigmoid().tolist()),
    ):
        _, t, _ = start(batch_size=4000, share_at_zero=share, **changes).drawn(compute.CPU)
        num = round(share * 4000)
        assert not t[:num].any()
        assert (t[num:] > 0).all()
        assert t.max() < 1
        found = t[num:].quantile(torch.tensor([0.25, 0.5, 0.75])).tolist()
        assert found == pytest.approx(quartiles, abs=0.03)


@pytest.mark.parametrize(("kind", "num_groups"), [("class", 0), ("class", 2), ("words", 0)])
def test_some_conditions_of_a_batch_are_blank_with_their_groups_and_the_rest_as_they_were(
    kind: str, num_groups: int
) -> None:
    groups = {"clusters": num_groups} if num_groups else {}
    training = start(kind, drop_condition=0.3, batch_size=20, **groups)
    asked = asked_of(training)
    advance(training, KINDS[kind].train, 20)
    c = torch.cat([each for _, _, each in asked])
    kept = c.flatten(1).any(1)
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.08)
    plain = start(kind, batch_size=20, **groups)
    whole = asked_of(plain)
    advance(plain, KINDS[kind].train, 20)
    assert torch.equal(c[kept], torch.cat([each for _, _, each in whole])[kept])


def test_dropout_is_of_training_alone_and_a_function_of_seed_and_step() -> None:
    logged = []
    for seed in (0, 0, 1):
        torch.rand(3)
        training = start("image", dropout=0.5, seed=seed)
        x, t, c = (
            torch.randn(2, 3, 16, 16),
            torch.tensor([0.2, 0.7]),
            KINDS["image"].train.batch(torch.arange(2))[1],
        )
        assert torch.equal(
            *(training.ema.denoise(x[:, :, : c.shape[2], : c.shape[3]], t, c) for _ in range(2))
        )
        logged.append(training.step(KINDS["image"].train)["loss"].item())
    assert logged[0] == logged[1] != logged[2]


# Hidden groups.


def test_with_hidden_groups_the_denoiser_has_class_and_group_as_two_one_hot_codes() -> None:
    training = start(clusters=2)
    asked = asked_of(training)
    training.step(KINDS["class"].train)
    groups = clusters.split(KINDS["class"].train, 10, 2, 0)
    chosen = randomness.batch_indices(24, 10, 0, 0)
    expected = torch.cat([KINDS["class"].train.c[chosen], torch.eye(20)[groups.numbers[chosen]]], 1)
    assert torch.equal(asked[0][2], expected)
    for network in (training.network, training.ema):
        assert isinstance(network, Mixture)
        assert torch.equal(network.upper, groups.shares.cumsum(1))


# What all trainings keep.


@each_variant
def test_a_resumed_flow_ends_with_the_tensors_of_an_uninterrupted_one(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    precision = "bf16" if kind == "words" else "fp32"
    end = check_resuming(lambda: start(kind, **changes), KINDS[kind].train, tmp_path, precision)
    assert all(value.isfinite().all() for value in end.values())


@each_variant
def test_a_step_moves_every_weight_and_what_is_saved_draws_as_the_average_does(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    training = start(kind, **changes)
    before = learned(training.network)
    advance(training, KINDS[kind].train, 2)
    assert differing(before, learned(training.network)) >= {name for name in before if "weight" in name}
    weights.save(tmp_path / "weights", training.ema, training.spec)
    network, spec = weights.load(tmp_path / "weights")
    z, c = (
        randomness.normal(4, num_inputs(training.ema), 0, "test"),
        KINDS[kind].train.batch(torch.arange(4))[1],
    )
    assert torch.equal(network(z, c), training.ema(z, c))
    assert spec == training.spec


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_of_a_whole_sample_of_one_member(kind: str) -> None:
    """A solver's steps are as many evaluations."""
    once, often = (start(kind, solver_steps=num).sizes() for num in (1, 5))
    assert often["flops"] == 5 * once["flops"]
    num_members = 2 if kind == "points" else 1
    total = sum(parameter.numel() for parameter in start(kind).network.parameters())
    assert once["parameters"] == often["parameters"] == total / num_members


# The optimum.

CENTRES = torch.tensor([[-1.0], [1.0]])


@pytest.mark.parametrize(
    ("prediction", "times"), [("data", (0, 0.25, 0.5, 0.75)), ("velocity", (0.25, 0.5, 0.75))]
)
def test_a_trained_network_answers_what_is_to_be_expected_behind_the_noise(
    prediction: str, times: tuple[float, ...]
) -> None:
    """Of each condition the truth is near -1 or 1: without an image it is 0, many steps give one of them."""
    x = CENTRES.repeat(256, 1) + 0.2 * randomness.normal(512, 1, 0, "data")
    task = task_of("numbers", x, torch.ones(512, 1))
    numbers = {
        "width": 32,
        "batch_size": 256,
        "num_steps": 1500,
        "learning_rate": 0.01,
        "ema_halflife": 2000.0,
    }
    every = dict.fromkeys(("log_every", "save_every", "monitor_every"), 1500)
    chosen = {"prediction": prediction, "times": "uniform", "solver_steps": 32}
    training = flow.start(SETTINGS["numbers"](**numbers, **every, **chosen), task)
    advance(training, task.train, 1500)
    ema, noise = training.ema, torch.linspace(-2, 2, 41)[:, None]
    with torch.no_grad():
        for t in times:
            x_t = (1 - t) * noise + t * CENTRES[torch.arange(41) % 2]
            exact = denoisers.mixture(x_t, t, CENTRES, 0.2)
            found = ema.denoise(x_t, torch.full((41,), t), torch.ones(41, 1))
            assert (found - exact).square().mean().sqrt() < 0.15, t
        drawn = ema(noise, torch.ones(1, 1))
    assert (drawn.abs() - 1).abs().mean() < 0.3
    assert drawn.mean().abs() < 0.2


# Settings.


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (
            "class",
            {"guidance": 2.0},
            "guidance = 2.0: guidance leads away from the answer to a blank condition",
        ),
        ("image", {"guidance": 2.0, "drop_condition": 0.1}, "guidance = 2.0 means nothing for conditions of"),
        (
            "none",
            {"drop_condition": 0.1},
            "drop_condition = 0.1: there is none to drop; with clusters there is",
        ),
        ("points", {"dropout": 0.1}, "dropout = 0.1 means nothing for conditions of kind 'points'"),
        ("image", {"clusters": 2}, "clusters = 2 means nothing for conditions of kind 'image'"),
        ("points", {"batch_size": 9}, "batch_size = 9: of 2 members, each must see 1 together"),
        ("class", {"network": "dcgan"}, "takes no condition of kind 'class'; allowed are denoiser"),
        ("words", {"network": "unet"}, "takes no condition of kind 'words'; allowed are denoiser"),
        ("class", {"solver": "huen"}, "(did you mean 'heun'?)"),
        ("class", {"prediction": "noise"}, "allowed are data, velocity"),
        ("class", {"share_at_zero": 1.0}, "less than 1"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_name(
    kind: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        settings(kind, **changes)
    assert settings("words", guidance=2.0, drop_condition=0.1).guidance == 2
