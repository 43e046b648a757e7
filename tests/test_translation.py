"""The duel for conditions that are pictures or captions: what each step changes, and what G goes down."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from duels import differing, everything, gradients, tensors
from pydantic import ValidationError
from torch import Tensor

from pipeline.methods import reconstruction, regression, translation
from pipeline.methods.translation import Params
from pipeline.methods.translators import TranslatorSchedule
from pipeline.networks.translators import TranslatorSpec
from pipeline.runtime import compute, randomness
from pipeline.sampling import weights
from pipeline.tasks import drawings as tasks
from pipeline.tasks.drawings import Pairs
from pipeline.training import checkpoint
from pipeline.training.session import Session

torch.set_num_threads(1)


def pixels(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)).byte()


PICTURES = Pairs(pixels(24, 1, 16, 16), pixels(24, 3, 16, 16, seed=1), torch.arange(24), 1)
CAPTIONS = Pairs(pixels(24, 5, seed=2).long() % 9, PICTURES.pictures, torch.arange(24), 9)
PAIRS = {"unet": PICTURES, "caption": CAPTIONS}
both_networks = pytest.mark.parametrize("network", PAIRS)


def settings(network: str = "unet", **changes: Any) -> Params:
    numbers: dict[str, Any] = {
        "task": "sketch" if network == "unet" else "text",
        "network": network,
        "num_latents": 3,
        "width": 4,
        "mirror": False,
        "latents_at_every_level": True,
        "discriminator_sees_condition": True,
        "patch_size": 0,
        "adversarial": 1.0,
        "l1": 1.0,
        "l2": 0.0,
        "num_draws": 2,
        "spread": 1.5,
        "mode_seeking": 0.0,
        "loss": "relativistic",
        "discriminator_norm": "none",
        "minibatch_stddev": False,
        "packing": 1,
        "augment": [],
        "r1": 0.1,
        "r2": 0.1,
        "gradient_penalty": 0.0,
        "penalty_every": 2,
        "orthogonal": 0.0,
        "discriminator_steps": 1,
        "learning_rate": 0.01,
        "beta1": 0.0,
        "beta2": 0.99,
        "decay_from": 0.5,
        "ema_halflife": 8.0,
        "batch_size": 4,
        "num_steps": 6,
        "log_every": 1,
        "save_every": 2,
        "num_snapshots": 1,
        "fid_every": 6,
        "seed": 0,
    }
    return Params(**(numbers | changes))


def begin(params: Params) -> translation.State:
    pairs = PAIRS[params.network]
    return translation.init_state(params, tasks.condition(params.task, pairs), pairs.shape)


def generator_batch(params: Params) -> tuple[Tensor, Tensor, Tensor]:
    x, c = PAIRS[params.network].batch(torch.arange(params.batch_size // params.num_draws))
    return x, c, randomness.normal(params.batch_size, params.num_latents, 0, "test")


@both_networks
def test_a_generator_step_changes_all_of_the_generator_and_nothing_of_the_discriminator(network: str) -> None:
    params = settings(network)
    state = begin(params)
    g_before, d_before = tensors(state.generator), tensors(state.discriminator)
    translation.generator_step(state, *generator_batch(params), params)
    assert not differing(d_before, tensors(state.discriminator))
    assert all(parameter.requires_grad for parameter in state.discriminator.parameters())
    still = differing(g_before, tensors(state.generator)) ^ g_before.keys()
    assert still <= {"0.text.embedding.weight"} or all("num_batches" in name for name in still), still


@both_networks
def test_a_step_of_both_players_moves_weights_and_the_average(network: str) -> None:
    params = settings(network)
    state = begin(params)
    before = tensors(state.generator, state.discriminator, state.average)
    logged = translation.train_step(state, PAIRS[network], params)
    assert {"d_loss", "g_loss", "l1", "spread", "penalty"} <= logged.keys()
    changed = differing(before, tensors(state.generator, state.discriminator, state.average))
    assert {name[0] for name in changed} == {"0", "1", "2"}


def test_without_an_adversarial_loss_the_discriminator_rests() -> None:
    params = settings(adversarial=0.0, l1=0.0, l2=1.0, num_draws=1, spread=0.0)
    state = begin(params)
    before = tensors(state.discriminator)
    logged = translation.train_step(state, PICTURES, params)
    assert logged.keys() == {"l2"}
    assert not differing(before, tensors(state.discriminator))
    assert gradients(state.discriminator) == {}


def test_the_generator_goes_down_the_stated_sum() -> None:
    """adversarial * L + l1 |x - m| + l2 (x - m)^2 - l1 * spread * w s + mode_seeking * r, by hand."""
    params = settings(
        adversarial=0.7, l1=2.0, l2=0.5, spread=1.5, mode_seeking=0.1, loss="nonsaturating", num_draws=2
    )
    state, by_hand = begin(params), begin(params)
    x, c, z = generator_batch(params)
    translation.generator_step(state, x, c, z, params)

    G, D = by_hand.generator, by_hand.discriminator
    repeated = c[[0, 0, 1, 1]]
    drawn = G(z, repeated)
    m = torch.stack([(drawn[0] + drawn[1]) / 2, (drawn[2] + drawn[3]) / 2])
    groups = drawn.view(2, 2, *drawn.shape[1:])
    loss = 0.7 * F.softplus(-D(drawn, repeated)).mean() + 2 * (x - m).abs().mean()
    loss = loss + 0.5 * (x - m).square().mean() + 0.1 * reconstruction.mode_seeking(groups, z.view(2, 2, -1))
    loss = loss - 2 * 1.5 * reconstruction.spread_weight(2) * reconstruction.spread(groups)
    loss.backward()
    expected = gradients(G)
    for name, gradient in gradients(state.generator).items():
        assert torch.allclose(gradient, expected[name], rtol=1e-4, atol=1e-5), name


def test_relativistic_rivals_of_a_conditions_draws_are_the_real_picture_of_that_condition() -> None:
    params = settings(l1=0.0, spread=0.0, num_draws=2)
    state, by_hand = begin(params), begin(params)
    x, c, z = generator_batch(params)
    logged = translation.generator_step(state, x, c, z, params)
    G, D = by_hand.generator, by_hand.discriminator
    fake, real = D(G(z, c[[0, 0, 1, 1]]), c[[0, 0, 1, 1]]), D(x, c)[[0, 0, 1, 1]]
    assert logged["g_loss"].item() == pytest.approx(F.softplus(real - fake).mean().item(), abs=1e-6)


@pytest.mark.parametrize("sees", [True, False])
def test_a_blind_discriminator_cannot_tell_one_condition_from_another(sees: bool) -> None:
    state = begin(settings(discriminator_sees_condition=sees))
    x, c = PICTURES.batch(torch.arange(4))
    logits = state.discriminator(x, c)
    assert torch.equal(logits, state.discriminator(x, c.flip(0))) == (not sees)


@pytest.mark.parametrize("loss", ["saturating", "least_squares", "hinge", "wasserstein", "relativistic"])
def test_patches_work_with_every_loss(loss: str) -> None:
    params = settings(loss=loss, patch_size=4, packing=1)
    state = begin(params)
    logged = translation.train_step(state, PICTURES, params)
    assert all(torch.isfinite(value) for value in logged.values())


@both_networks
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(network: str, tmp_path: Path) -> None:
    params = settings(network)
    whole = begin(params)
    for _ in range(4):
        translation.train_step(whole, PAIRS[network], params)
        whole.step += 1
    cut = begin(params)
    for _ in range(2):
        translation.train_step(cut, PAIRS[network], params)
        cut.step += 1
    checkpoint.save(tmp_path, "mark", cut, {})
    again = begin(params)
    checkpoint.restore(tmp_path, "mark", again)
    for _ in range(2):
        translation.train_step(again, PAIRS[network], params)
        again.step += 1
    assert not differing(everything(whole), everything(again))


def test_draws_and_conditions_of_a_step_follow_from_the_seed_alone() -> None:
    first, second, other = begin(settings()), begin(settings()), begin(settings(seed=1))
    for state, params in ((first, settings()), (second, settings()), (other, settings(seed=1))):
        translation.train_step(state, PICTURES, params)
    assert not differing(everything(first), everything(second))
    assert differing(everything(first), everything(other))


def test_by_two_draws_and_the_reward_a_toy_posterior_gets_its_spread_and_by_plain_l1_none() -> None:
    """One grey condition whose right answers are black and white: the course's claim in little."""
    answers = torch.cat([torch.zeros(32, 3, 16, 16), torch.full((32, 3, 16, 16), 255)]).byte()
    pairs = Pairs(torch.full((64, 1, 16, 16), 128).byte(), answers, torch.arange(64), 1)
    spreads = {}
    for name, changes in {
        "rcgan": {},
        "l1": {"num_draws": 1, "spread": 0.0, "l1": 10.0, "latents_at_every_level": False},
    }.items():
        schedule = {"num_steps": 100, "batch_size": 16, "learning_rate": 0.002, "ema_halflife": 100.0}
        params = settings(loss="nonsaturating", **(schedule | changes))
        state = translation.init_state(params, tasks.condition("sketch", pairs), pairs.shape)
        for _ in range(params.num_steps):
            translation.train_step(state, pairs, params)
            state.step += 1
        with torch.no_grad():
            z = randomness.normal(64, 3, 0, "draws")
            drawn = state.average(z, torch.zeros(64, 1, 16, 16)).flatten(1).mean(1)
        spreads[name] = drawn.std().item()
    assert spreads["rcgan"] > 0.7  # of black and white it is 1
    assert spreads["l1"] < 0.5 * spreads["rcgan"]


def test_what_does_not_go_together_is_refused_by_name() -> None:
    for changes, told in (
        ({"num_draws": 3}, "batch_size = 4 must be a multiple of num_draws = 3"),
        ({"num_draws": 1, "spread": 1.0}, "num_draws = 1"),
        ({"num_draws": 2, "packing": 2}, "num_draws and packing"),
        ({"task": "text"}, "needs 'caption'"),
        ({"task": "scetch"}, "did you mean 'sketch'"),
        ({"discriminator_norm": "batch"}, "must be 0"),
    ):
        with pytest.raises(ValidationError, match=told.replace("(", r"\(")):
            settings(**changes)


def test_a_patch_of_no_possible_size_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"patch_size = 7: allowed are 0 .*, 1, 4, 10"):
        begin(settings(patch_size=7))


@both_networks
def test_regression_by_the_same_network_has_no_latents_and_its_optimum_is_the_mean(network: str) -> None:
    known = TranslatorSchedule.model_fields.keys()
    numbers = {name: value for name, value in settings(network).model_dump().items() if name in known}
    params = TranslatorSchedule(**(numbers | {"num_steps": 150, "learning_rate": 0.02, "batch_size": 8}))
    answers = torch.cat([torch.zeros(8, 3, 16, 16), torch.full((24, 3, 16, 16), 255)]).byte()
    given = PAIRS[network].conditions[:1].expand(32, *PAIRS[network].conditions.shape[1:])
    pairs = Pairs(given, answers, torch.arange(32), PAIRS[network].num_conditions)
    state = regression.init_state(params, tasks.condition(params.task, pairs), pairs.shape)
    for _ in range(params.num_steps):
        regression.train_step(state, pairs, params)
        state.step += 1
    with torch.no_grad():
        c = pairs.told(torch.arange(1))
        answer = state.average(torch.zeros(1, 0), c)
    assert answer.mean().item() == pytest.approx(0.5, abs=0.1)  # a quarter at -1, the rest at 1


@both_networks
def test_what_is_saved_builds_the_generator_again(network: str, tmp_path: Path) -> None:
    params = settings(network)
    state = begin(params)
    spec = TranslatorSpec(
        network=network,
        num_latents=3,
        num_conditions=PAIRS[network].num_conditions,
        task=params.task,
        width=4,
        image_shape=[3, 16, 16],
        latents_at_every_level=True,
    )
    weights.save(tmp_path / "w.safetensors", state.average, spec)
    again, _ = weights.load(tmp_path / "w.safetensors", TranslatorSpec)
    c, z = PAIRS[network].told(torch.arange(4)), randomness.normal(4, 3, 0, "z")
    assert torch.equal(again(z, c), state.average(z, c))


def test_a_session_trains_it_and_measures_sizes(tmp_path: Path) -> None:
    params = settings()
    state = begin(params)
    session = Session(state, params, tmp_path, "mark")
    session.run(translation, PICTURES, compute.Params(threads=1, device="cpu", precision="fp32"))
    assert [row["step"] for row in session.history] == [1, 2, 3, 4, 5, 6]
    sizes = translation.sizes(state, params, PICTURES.shape)
    assert sizes["generator_parameters"] == sum(p.numel() for p in state.generator.parameters())
    assert sizes["generator_flops"] > 0
    assert sizes["discriminator_flops"] > 0
