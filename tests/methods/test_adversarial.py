"""Adversarial training: which step changes which network, and that resuming equals not stopping."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adversarial import (
    PRECISIONS,
    TASKS,
    advance,
    batch,
    both_networks,
    check_resuming,
    differing,
    everything,
    gradients,
    learned,
    seen_by,
    start,
    tensors,
)
from helpers.networks import CLASS_NETWORKS

from pipeline.methods import adversarial
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.runtime import compute, randomness
from pipeline.sampling import weights

DATA = TASKS["class"].train


def norm(network: str) -> dict[str, Any]:
    return {"network": network, "discriminator_norm": "batch" if network == "dcgan" else "none"}


@both_networks
def test_a_discriminator_step_changes_all_of_d_and_no_weight_or_gradient_of_g(network: str) -> None:
    training = start(**norm(network))
    x, c, z = batch(training)
    g_before, d_before = learned(training.generator), tensors(training.discriminator)
    adversarial.discriminator_step(training, x, c, z, 0)
    assert not differing(g_before, learned(training.generator))
    assert gradients(training.generator) == {}
    assert differing(d_before, tensors(training.discriminator)) == d_before.keys()

    adversarial.generator_step(training, x, c, z)
    before = gradients(training.generator)
    adversarial.discriminator_step(training, x, c, z, 1)
    assert before
    assert not differing(before, gradients(training.generator))


@both_networks
def test_a_generator_step_changes_all_of_g_and_no_weight_buffer_or_gradient_of_d(network: str) -> None:
    training = start(**norm(network))
    x, c, z = batch(training)
    g_before, d_before = learned(training.generator), tensors(training.discriminator)
    adversarial.generator_step(training, x, c, z)
    assert not differing(d_before, tensors(training.discriminator))
    assert gradients(training.discriminator) == {}
    assert all(parameter.requires_grad for parameter in training.discriminator.parameters())
    assert differing(g_before, learned(training.generator)) == g_before.keys()

    adversarial.discriminator_step(training, x, c, z, 0)
    before = gradients(training.discriminator)
    adversarial.generator_step(training, x, c, z)
    assert before
    assert not differing(before, gradients(training.discriminator))


@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
def test_each_network_moves_towards_its_own_aim(loss: str) -> None:
    training = start(network="mlp", loss=loss, learning_rate=1e-3)
    D = training.discriminator.eval()  # without dropout
    x, c, z = batch(training)

    def logits() -> tuple[float, float]:
        with torch.no_grad():
            return D(x, c).mean().item(), D(training.generator(z, c), c).mean().item()

    real, fake = logits()
    adversarial.generator_step(training, x, c, z)
    assert logits()[1] > fake
    real, fake = logits()
    adversarial.discriminator_step(training, x, c, z, 0)
    assert logits()[0] - logits()[1] > real - fake


def test_a_step_reports_the_logits_before_it_changed_them() -> None:
    training = start(network="mlp")
    training.discriminator.eval()
    x, c, z = batch(training)
    with torch.no_grad():
        real, fake = training.discriminator(x, c), training.discriminator(training.generator(z, c), c)
    logged = adversarial.discriminator_step(training, x, c, z, 0)
    assert logged["real_logits"].item() == pytest.approx(real.mean().item(), rel=1e-5)
    assert logged["fake_logits"].item() == pytest.approx(fake.mean().item(), rel=1e-5)
    expected = torch.log1p(torch.exp(-real)).mean() + torch.log1p(torch.exp(fake)).mean()
    assert logged["d_loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert not any(value.requires_grad for value in logged.values())


@both_networks
def test_d_steps_k_times_on_new_images_and_new_fakes_and_g_once(network: str) -> None:
    training = start(**norm(network), discriminator_steps=3)
    calls = seen_by(training.discriminator)
    training.step(DATA)
    seen = [images for shown in calls for images in shown.split(4)]  # real and fake may come in one pass

    assert len(seen) == 7  # three times real and fake, then what the generator learns from
    real, fakes = torch.cat(seen[0:6:2]), torch.cat(seen[1:6:2])
    matches = (real[:, None] == DATA.x[None]).flatten(2).all(2)  # (3 N, 24)
    assert matches.sum(1).tolist() == [1] * 12
    assert matches.sum(0).max() == 1  # no image twice
    assert len(torch.cat([fakes, seen[6].detach()]).flatten(1).unique(dim=0)) == 16
    assert [x.requires_grad for x in seen] == [False] * 6 + [True]  # no graph leads from D's fakes to G
    for optimizer, num_steps in ((training.d_optimizer, 3), (training.g_optimizer, 1)):
        assert {int(entry["step"]) for entry in optimizer.state.values()} == {num_steps}


def test_the_next_step_goes_on_with_the_images_that_the_last_one_left() -> None:
    training = start(network="mlp", discriminator_steps=3)
    calls = seen_by(training.discriminator)
    advance(training, DATA, 2)
    seen = [images for shown in calls for images in shown.split(4)]
    real = torch.cat(seen[0:6:2] + seen[7:13:2])  # 24 images: an epoch
    assert (real[:, None] == DATA.x[None]).flatten(2).all(2).sum(0).tolist() == [1] * 24


@pytest.mark.parametrize(("kind", "num_draws"), [("class", 1), ("image", 1), ("image", 2)])
def test_with_one_draw_g_has_the_batch_that_d_had_last_and_with_several_one_of_its_own(
    kind: str, num_draws: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"num_draws": num_draws, "score": 0.0} if kind == "image" else {}
    training = start(kind, discriminator_steps=2, **more)
    by_d, by_g = calls_of("discriminator_step", monkeypatch), calls_of("generator_step", monkeypatch)
    training.step(TASKS[kind].train)

    ((_, x, c, z, _),) = by_g
    _, last_x, last_c, last_z, index, _ = by_d[-1]
    assert (len(by_d), index) == (2, 1)
    assert len(x) == len(c) == 4 // num_draws
    assert (x is last_x and c is last_c) is (num_draws == 1)
    assert len(z) == len(last_z) == 4
    assert torch.equal(z, training.latents("G latents", 0))
    assert torch.equal(last_z, training.latents("D latents", 1))


def test_g_learns_from_the_fakes_that_d_had_last_if_so_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    training = start("class", discriminator_steps=2, fresh_latents=False)
    by_d, by_g = calls_of("discriminator_step", monkeypatch), calls_of("generator_step", monkeypatch)
    before = [parameter.clone() for parameter in training.generator.parameters()]
    training.step(TASKS["class"].train)

    assert [fakes is None for *_, fakes in by_d] == [True, False]
    ((_, x, c, z, fakes),) = by_g
    assert (x is by_d[1][1], c is by_d[1][2], z is by_d[1][3], fakes is by_d[1][5]) == (True,) * 4
    assert any(not torch.equal(a, b) for a, b in zip(before, training.generator.parameters(), strict=True))


def test_fakes_are_shared_only_where_both_players_have_one_a_condition() -> None:
    for kind, more in (("image", {"num_draws": 2}), ("class", {"adversarial": 0.0, "l1": 1.0})):
        with pytest.raises(ValueError, match="fresh_latents = False: D sees one draw of each condition"):
            adversarial.SETTINGS[kind](fresh_latents=False, **more)


def calls_of(name: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The arguments of each call of a step, which is made as before."""
    step, found = getattr(adversarial, name), list[Any]()

    def listened(*args: Any) -> Any:
        found.append(args)
        return step(*args)

    monkeypatch.setattr(adversarial, name, listened)
    return found


def test_an_unconditional_training_has_no_condition_anywhere() -> None:
    training = start("none", network="mlp")
    assert training.generator.layers[0].in_features == 3
    seen: list[torch.Tensor] = []
    training.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[1]))
    training.step(TASKS["none"].train)
    assert {c.shape[1] for c in seen} == {0}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("network", CLASS_NETWORKS)
def test_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(
    network: str, precision: str, tmp_path: Path
) -> None:
    changes = {**norm(network), "discriminator_steps": 2}
    check_resuming(lambda: start(**changes), DATA, tmp_path, precision)


@both_networks
def test_in_bf16_each_discriminator_step_starts_from_the_weights_of_the_one_before(network: str) -> None:
    """Autocast remembers cast weights until its block ends: the copies of a step must not serve the next."""
    bf16 = compute.Settings(threads=1, device="cpu", precision="bf16")
    together, apart = (start(**norm(network), discriminator_steps=2) for _ in range(2))
    for training in (together, apart):
        training.discriminator.eval()  # without dropout
    with compute.autocast(bf16):
        together.step(DATA)
    for k in range(2):
        x, c = DATA.batch(randomness.batch_indices(len(DATA), 4, 0, k))
        with compute.autocast(bf16):
            adversarial.discriminator_step(apart, x, c, apart.latents("D latents", k), k)
    assert not differing(tensors(together.discriminator), tensors(apart.discriminator))


@both_networks
def test_training_in_bf16_moves_every_weight_of_both_networks(network: str) -> None:
    training = start(**norm(network))
    before = learned(training.generator, training.discriminator)
    advance(training, DATA, 2, "bf16")
    after = learned(training.generator, training.discriminator)
    assert differing(before, after) == before.keys()
    assert {parameter.dtype for parameter in after.values()} == {torch.float32}


def test_the_seed_decides_the_first_weights_and_the_training() -> None:
    trainings = []
    for seed in (0, 0, 1):
        trainings.append(start(network="mlp", seed=seed))
        advance(trainings[-1], DATA, 2)
    first, same, other = (everything(training) for training in trainings)
    assert not differing(first, same)
    assert {name for name in differing(first, other) if name.endswith("weight")}


def test_the_average_forgets_the_untrained_start_and_then_follows_by_the_halflife() -> None:
    training = start(network="mlp")
    training.step(DATA)
    assert not differing(tensors(training.generator), tensors(training.ema))
    training.steps_done = 100  # with 400 images seen the halflife is 8 images, two steps
    before = learned(training.ema)
    training.step(DATA)
    after, trained, share = learned(training.ema), learned(training.generator), 1 - 0.5**0.5
    for name, weight in after.items():
        assert torch.allclose(weight, torch.lerp(before[name], trained[name], share), atol=1e-6), name


def test_the_learning_rate_of_both_networks_falls_in_a_line_from_the_stated_share_on() -> None:
    training, rates = start(network="mlp", decay_from=0.5), []
    for _ in range(6):
        advance(training, DATA, 1)
        rates.append([training.g_optimizer.param_groups[0]["lr"], training.d_optimizer.param_groups[0]["lr"]])
    expected = [0.01, 0.01, 0.01, 0.01, 0.02 / 3, 0.01 / 3]
    assert rates == [pytest.approx([rate, rate]) for rate in expected]


SAVED: dict[str, dict[str, Any]] = {
    "none": {},
    "class": {"clusters": 2},
    "image": {},
    "words": {},
    "numbers": {},
}


@pytest.mark.parametrize("kind", SAVED)
def test_what_is_saved_with_its_spec_draws_as_the_average_of_g_did(kind: str, tmp_path: Path) -> None:
    training = start(kind, **({"clusters": 2} if kind == "class" else {}))
    advance(training, TASKS[kind].train, 2)
    weights.save(tmp_path / "weights", training.ema, training.spec)
    network, spec = weights.load(tmp_path / "weights")
    z, c = training.latents("test", 0), TASKS[kind].train.batch(torch.arange(4))[1]
    assert torch.equal(network(z, c), training.ema(z, c))
    assert spec == training.spec
    assert training.sizes()["generator_parameters"] == sum(p.numel() for p in network.parameters())


def test_sizes_are_those_of_one_image_and_for_a_packed_discriminator_of_one_pack() -> None:
    """mlp: of G 13 -> 16 -> 16 -> 64 units, of D 5 maxout pieces a unit, 4 units, images of 64 pixels."""
    alone, packed = (start(network="mlp", packing=packing).sizes() for packing in (1, 2))
    assert alone["generator_flops"] == packed["generator_flops"] == 2 * (13 * 16 + 16 * 16 + 16 * 64)
    assert alone["generator_parameters"] == 14 * 16 + 17 * 16 + 17 * 64
    assert alone["discriminator_flops"] == 2 * (74 * 20 + 4 * 20 + 4)
    assert packed["discriminator_flops"] == 2 * (148 * 20 + 4 * 20 + 4)
    assert packed["discriminator_parameters"] == 149 * 20 + 5 * 20 + 5
