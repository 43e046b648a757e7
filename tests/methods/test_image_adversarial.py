"""Adversarial training with images or captions as conditions: what each step changes, what G goes down."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers.adversarial import (
    TASKS,
    advance,
    batch,
    check_resuming,
    differing,
    everything,
    generator_batch,
    gradients,
    learned,
    settings,
    start,
    task_of,
    tensors,
)
from pydantic import ValidationError

from pipeline.methods import ablation, adversarial, reconstruction
from pipeline.runtime import randomness
from pipeline.runtime.errors import InputError

both_kinds = pytest.mark.parametrize("kind", ["image", "words"])
DATA = TASKS["image"].train


@both_kinds
def test_each_step_changes_one_network_and_leaves_the_other_alone(kind: str) -> None:
    training = start(kind)
    G, D = training.generator, training.discriminator
    g_before, d_before = learned(G), learned(D)
    adversarial.discriminator_step(training, *batch(training, kind), 0)
    assert not differing(g_before, learned(G))
    assert gradients(G) == {}
    assert differing(d_before, learned(D)) >= {name for name in d_before if "weight" in name}

    d_before, d_gradients = tensors(D), gradients(D)
    adversarial.generator_step(training, *generator_batch(training, kind))
    assert not differing(d_before, tensors(D))
    assert not differing(d_gradients, gradients(D))
    assert all(parameter.requires_grad for parameter in D.parameters())
    assert differing(g_before, learned(G)) == g_before.keys()


@both_kinds
def test_a_whole_step_moves_both_networks_and_the_average(kind: str) -> None:
    training = start(kind)
    before = tensors(training.generator, training.discriminator, training.ema)
    logged = training.step(TASKS[kind].train)
    assert {"d_loss", "g_loss", "score", "l1", "spread", "penalty"} <= logged.keys()
    changed = differing(before, tensors(training.generator, training.discriminator, training.ema))
    assert {name[0] for name in changed} == {"0", "1", "2"}


def test_without_an_adversarial_loss_the_discriminator_rests() -> None:
    training = start("image", adversarial=0.0, score=0.0, l1=0.0, l2=1.0, num_draws=1)
    before = tensors(training.discriminator)
    logged = training.step(DATA)
    assert logged.keys() == {"l2", "g_gradient"}
    assert not differing(before, tensors(training.discriminator))
    assert gradients(training.discriminator) == {}


def test_the_generator_goes_down_the_stated_sum() -> None:
    """adversarial * L + score * e + l1 |x - m| + l2 (x - m)^2 - l1 * spread * w s + mode_seeking * r."""
    terms = {"adversarial": 0.7, "score": 3.0, "l1": 2.0, "l2": 0.5, "spread": 1.5, "mode_seeking": 0.1}
    training, by_hand = (start("image", **terms, loss="nonsaturating") for _ in range(2))
    x, c, z = generator_batch(training, "image")
    adversarial.generator_step(training, x, c, z)

    G, D = by_hand.generator, by_hand.discriminator
    repeated = c[[0, 0, 1, 1]]
    drawn = G(z, repeated)
    m = torch.stack([(drawn[0] + drawn[1]) / 2, (drawn[2] + drawn[3]) / 2])
    groups = drawn.view(2, 2, *drawn.shape[1:])
    loss = 0.7 * F.softplus(-D(drawn, repeated)).mean() + 2 * (x - m).abs().mean()
    loss = loss + 0.5 * (x - m).square().mean() + 0.1 * reconstruction.mode_seeking(groups, z.view(2, 2, -1))
    loss = loss - 2 * 1.5 * reconstruction.spread_weight(2) * reconstruction.spread(groups)
    loss = loss + 3 * reconstruction.energy_score(groups, x)
    loss.backward()
    expected = gradients(G)
    for name, gradient in gradients(training.generator).items():
        assert torch.allclose(gradient, expected[name], rtol=1e-4, atol=1e-5), name


def test_terms_of_weight_0_cost_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {"score": 0.0, "l1": 0.0, "num_draws": 1}
    plain = start("image", **without)
    plain.step(DATA)
    for name in ("energy_score", "l1", "l2", "spread", "mode_seeking"):
        monkeypatch.setattr(reconstruction, name, None)
    training = start("image", **without)
    logged = training.step(DATA)
    assert not differing(everything(plain), everything(training))
    assert not {"score", "l1", "l2", "spread"} & logged.keys()


def test_relativistic_rivals_of_a_conditions_draws_are_the_real_image_of_that_condition() -> None:
    training, by_hand = (start("image", loss="relativistic") for _ in range(2))
    x, c, z = generator_batch(training, "image")
    logged = adversarial.generator_step(training, x, c, z)
    G, D = by_hand.generator, by_hand.discriminator
    fake, real = D(G(z, c[[0, 0, 1, 1]]), c[[0, 0, 1, 1]]), D(x, c)[[0, 0, 1, 1]]
    assert logged["g_loss"].item() == pytest.approx(F.softplus(real - fake).mean().item(), abs=1e-6)


@both_kinds
@pytest.mark.parametrize("sees", [True, False])
def test_in_the_ablation_the_discriminator_cannot_tell_one_condition_from_another(
    kind: str, sees: bool
) -> None:
    training = start(kind, discriminator_sees_condition=sees)
    x, c, _ = batch(training, kind, 4)
    logits = training.discriminator(x, c)
    assert torch.equal(logits, training.discriminator(x, c.flip(0))) is not sees
    training.step(TASKS[kind].train)


@pytest.mark.parametrize("loss", ["saturating", "least_squares", "hinge", "wasserstein", "relativistic"])
def test_patches_work_with_every_loss(loss: str) -> None:
    logged = start("image", loss=loss, patch_size=4, r1=0.1).step(DATA)
    assert all(torch.isfinite(value) for value in logged.values())


@both_kinds
def test_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(kind: str, tmp_path: Path) -> None:
    check_resuming(lambda: start(kind), TASKS[kind].train, tmp_path)


def test_by_a_score_or_a_reward_of_two_draws_a_toy_posterior_gets_its_spread_and_by_plain_l1_none() -> None:
    """One grey condition whose right answers are black and white: the project's claim in little."""
    answers = torch.tensor([-1.0, 1.0]).repeat_interleave(32).view(-1, 1, 1, 1).expand(64, 3, 16, 16)
    task = task_of("image", answers.contiguous(), torch.zeros(64, 1, 16, 16))
    schedule = {"num_steps": 60, "batch_size": 16, "learning_rate": 0.002, "ema_halflife": 100.0}
    schedule |= {"beta1": 0.0, "r1": 0.1, "r2": 0.1}
    spreads = {}
    for name, changes in {
        "score": {"l1": 0.0},
        "rcgan": {"score": 0.0, "spread": 1.5},
        "l1": {"score": 0.0, "num_draws": 1, "l1": 10.0, "latents_at_every_level": False},
    }.items():
        training = adversarial.start(settings("image", **(schedule | changes)), task)
        advance(training, task.train, 60)
        with torch.no_grad():
            z = randomness.normal(64, 3, 0, "draws")
            drawn = training.ema(z, torch.zeros(64, 1, 16, 16)).flatten(1).mean(1)
        spreads[name] = drawn.std().item()
    assert min(spreads["score"], spreads["rcgan"]) > 0.7  # of black and white it is 1
    assert spreads["l1"] < 0.5 * spreads["rcgan"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_draws": 3}, "batch_size = 4 must be a multiple of num_draws = 3"),
        ({"num_draws": 1}, "num_draws = 1: score, spread and mode_seeking compare draws"),
        ({"num_draws": 1, "score": 0.0, "spread": 1.0}, "num_draws = 1: score, spread and"),
        ({"num_draws": 1, "score": 0.0, "mode_seeking": 1.0}, "num_draws = 1: score, spread and"),
        ({"num_draws": 2, "packing": 2}, "num_draws and packing"),
        ({"adversarial": 0.0, "score": 0.0, "l1": 0.0}, "adversarial, score, l1 and l2 are all 0"),
    ],
)
def test_terms_that_do_not_go_together_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings("image", **changes)


def test_a_patch_of_no_possible_size_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"patch_size = 7: allowed are 0 .*, 1, 4, 10"):
        start("image", patch_size=7)


@both_kinds
def test_latents_enter_at_every_level_or_in_pix2pixs_ablations_at_the_smallest_map_alone(kind: str) -> None:
    for every_level, expected in ((True, 3), (False, 1)):
        training = start(kind, latents_at_every_level=every_level)
        assert sum(level.style is not None for level in training.generator.up.levels) == expected
        assert training.spec.latents_at_every_level is every_level
    chosen = ablation.Settings()
    assert (chosen.latents_at_every_level, chosen.num_draws, chosen.score) == (False, 1, 0.0)
