"""The duel: who is changed by which step, and that stopping and going on is the same as not stopping."""

from functools import partial
from pathlib import Path

import pytest
import torch
from duels import (
    DIGIT,
    PICTURES,
    PRECISIONS,
    SHAPE,
    advance,
    batch,
    begin,
    both_networks,
    differing,
    everything,
    gradients,
    settings,
    tensors,
)
from torch import Tensor

from pipeline.data.digits import Pictures
from pipeline.data.images import to_float
from pipeline.methods import adversarial
from pipeline.methods.adversarial import Params
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.networks import NETWORKS
from pipeline.runtime import compute, randomness
from pipeline.sampling import draw as sampling
from pipeline.sampling import weights
from pipeline.sampling.draw import GeneratorSpec
from pipeline.tasks.conditions import UNCONDITIONAL
from pipeline.training import checkpoint
from pipeline.training.session import Session

torch.set_num_threads(1)


@both_networks
def test_a_discriminator_step_changes_the_discriminator_and_leaves_the_generator_alone(network: str) -> None:
    params = settings(network)
    state = begin(params)
    x, c, z = batch(params)
    weights_before = {n: p.clone() for n, p in state.generator.named_parameters()}
    d_before = tensors(state.discriminator)

    adversarial.discriminator_step(state, x, c, z, params, 0)

    assert not differing(weights_before, dict(state.generator.named_parameters()))
    assert gradients(state.generator) == {}
    assert differing(d_before, tensors(state.discriminator)) == d_before.keys()


@both_networks
def test_a_discriminator_step_leaves_the_gradients_of_the_last_generator_step_as_they_were(
    network: str,
) -> None:
    params = settings(network)
    state = begin(params)
    x, c, z = batch(params)
    adversarial.generator_step(state, x, c, z, params)
    before = gradients(state.generator)

    adversarial.discriminator_step(state, x, c, z, params, 0)

    assert before
    assert not differing(before, gradients(state.generator))


@both_networks
def test_a_generator_step_changes_the_generator_and_leaves_the_discriminator_alone(network: str) -> None:
    params = settings(network)
    state = begin(params)
    x, c, z = batch(params)
    d_before = tensors(state.discriminator)
    g_before = {n: p.clone() for n, p in state.generator.named_parameters()}

    adversarial.generator_step(state, x, c, z, params)

    assert not differing(d_before, tensors(state.discriminator))  # weights and buffers
    assert gradients(state.discriminator) == {}
    assert all(parameter.requires_grad for parameter in state.discriminator.parameters())
    assert differing(g_before, dict(state.generator.named_parameters())) == g_before.keys()

    adversarial.discriminator_step(state, x, c, z, params, 0)
    before = gradients(state.discriminator)
    adversarial.generator_step(state, x, c, z, params)

    assert before
    assert not differing(before, gradients(state.discriminator))


@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
def test_each_player_moves_towards_its_own_aim(loss: str) -> None:
    params = settings("mlp", loss=loss, learning_rate=1e-3)
    state = begin(params)
    D = state.discriminator.eval()  # without dropout
    x, c, z = batch(params)

    def logits() -> tuple[float, float]:
        with torch.no_grad():
            return D(x, c).mean().item(), D(state.generator(z, c), c).mean().item()

    real, fake = logits()
    adversarial.generator_step(state, x, c, z, params)
    assert logits()[1] > fake
    real, fake = logits()
    adversarial.discriminator_step(state, x, c, z, params, 0)
    assert logits()[0] - logits()[1] > real - fake


def test_a_step_reports_the_logits_before_it_changed_them() -> None:
    params = settings("mlp")
    state = begin(params)
    state.discriminator.eval()
    x, c, z = batch(params)
    with torch.no_grad():
        real, fake = state.discriminator(x, c), state.discriminator(state.generator(z, c), c)

    logged = adversarial.discriminator_step(state, x, c, z, params, 0)

    assert logged["real_logits"].item() == pytest.approx(real.mean().item(), rel=1e-5)
    assert logged["fake_logits"].item() == pytest.approx(fake.mean().item(), rel=1e-5)
    expected = torch.log1p(torch.exp(-real)).mean() + torch.log1p(torch.exp(fake)).mean()
    assert logged["d_loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert not any(value.requires_grad for value in logged.values())


@both_networks
def test_the_discriminator_steps_k_times_on_new_images_and_new_fakes_and_the_generator_once(
    network: str,
) -> None:
    params = settings(network, discriminator_steps=3)
    state = begin(params)
    seen: list[Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))

    adversarial.train_step(state, PICTURES, params)
    seen = [images for shown in seen for images in shown.split(4)]  # real and fake may come in one pass

    assert len(seen) == 7  # three times real and fake, then what the generator learns from
    real, fakes = torch.cat(seen[0:6:2]), torch.cat(seen[1:6:2])
    data = to_float(PICTURES.pixels)
    matches = (real[:, None] == data[None]).flatten(2).all(2)  # (3 N, 24)
    assert matches.sum(1).tolist() == [1] * 12
    assert matches.sum(0).max() == 1  # no image twice
    assert len(torch.cat([fakes, seen[6].detach()]).flatten(1).unique(dim=0)) == 16
    assert [x.requires_grad for x in seen] == [False] * 6 + [True]  # no graph leads from D's fakes to G
    for optimizer, num_steps in ((state.d_optimizer, 3), (state.g_optimizer, 1)):
        assert {int(entry["step"]) for entry in optimizer.state.values()} == {num_steps}


def test_the_next_step_goes_on_with_the_images_that_the_last_one_left() -> None:
    params = settings("mlp", discriminator_steps=3)
    state = begin(params)
    seen: list[Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    advance(state, params, 2, "fp32")
    seen = [images for shown in seen for images in shown.split(4)]
    real = torch.cat(seen[0:6:2] + seen[7:13:2])  # 24 images: an epoch
    matches = (real[:, None] == to_float(PICTURES.pixels)[None]).flatten(2).all(2)
    assert matches.sum(0).tolist() == [1] * 24


@both_networks
@pytest.mark.parametrize("sees", [True, False])
def test_only_a_discriminator_that_sees_the_condition_depends_on_it(network: str, sees: bool) -> None:
    params = settings(network, discriminator_sees_condition=sees)
    state = begin(params)
    D = state.discriminator.eval()
    x, c, z = batch(params)
    with torch.no_grad():
        assert torch.equal(D(x, c), D(x, c.roll(1, 1))) is not sees
        assert not torch.equal(state.generator(z, c), state.generator(z, c.roll(1, 1)))  # G is told always
    adversarial.train_step(state, PICTURES, params)


@both_networks
def test_an_unconditional_duel_is_blind_to_the_labels(network: str) -> None:
    params = Params(**settings(network).model_dump(exclude={"discriminator_sees_condition"}))
    results = []
    for labels in (PICTURES.labels, PICTURES.labels.flip(0)):
        state = adversarial.init_state(params, UNCONDITIONAL, SHAPE)
        adversarial.train_step(state, Pictures(PICTURES.pixels, labels), params)
        results.append(everything(state))
    assert not differing(*results)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_resumed_duel_ends_with_the_tensors_of_an_uninterrupted_one(
    network: str, precision: str, tmp_path: Path
) -> None:
    params = settings(network, discriminator_steps=2)
    whole = begin(params)
    advance(whole, params, 6, precision)

    killed = begin(params)
    advance(killed, params, 3, precision)
    checkpoint.save(tmp_path, "mark", killed, {})
    resumed = begin(params)
    torch.rand(7)  # another process has drawn other numbers before
    checkpoint.restore(tmp_path, "mark", resumed)
    assert resumed.step == 3
    assert not differing(everything(killed), everything(resumed))
    advance(resumed, params, 3, precision)

    assert not differing(everything(whole), everything(resumed))
    assert differing(everything(killed), everything(resumed))


@both_networks
@pytest.mark.parametrize("precision", PRECISIONS)
def test_logging_looking_and_measuring_more_often_changes_no_tensor(
    network: str, precision: str, tmp_path: Path
) -> None:
    results = []
    for log_every, fid_every, frame_steps in ((1, 1, [1, 2, 5]), (3, 6, [])):
        params = settings(network, log_every=log_every, fid_every=fid_every)
        state = begin(params)
        draw = partial(sampling.preview, state.average, DIGIT)
        quality = partial(spread, state.average)
        session = Session(state, params, tmp_path, "mark", draw, frame_steps, quality, fid_every)
        session.run(adversarial, PICTURES, compute.Params(threads=1, device="cpu", precision=precision))
        assert len(session.history) == 6 // log_every
        assert sum("spread" in row for row in session.history) == 6 // fid_every
        results.append(everything(state))
        results.append({"frame": sampling.preview(state.average, DIGIT)})
    assert not differing(results[0], results[2])
    assert not differing(results[1], results[3])


def spread(generator: torch.nn.Module) -> dict[str, float]:
    """Something to measure of a generator."""
    c = DIGIT.encode(torch.arange(10))
    return {"spread": sampling.draw(generator, c, 4, seed=0).float().std().item()}


@both_networks
def test_in_bf16_each_discriminator_step_starts_from_the_weights_of_the_one_before(network: str) -> None:
    """Autocast remembers cast weights until its block ends: the copies of a step must not serve the next."""
    params, bf16 = (
        settings(network, discriminator_steps=2),
        compute.Params(threads=1, device="cpu", precision="bf16"),
    )
    together, apart = begin(params), begin(params)
    for state in (together, apart):
        state.discriminator.eval()  # without dropout
    with compute.autocast(bf16):
        adversarial.train_step(together, PICTURES, params)

    for k in range(2):
        chosen = randomness.batch_indices(len(PICTURES), params.batch_size, params.seed, k)
        x, c = to_float(PICTURES.pixels[chosen]), DIGIT.encode(PICTURES.labels[chosen])
        z = adversarial.latents(apart.generator, params, "D latents", k)
        with compute.autocast(bf16):
            adversarial.discriminator_step(apart, x, c, z, params, k)

    assert not differing(tensors(together.discriminator), tensors(apart.discriminator))


@both_networks
def test_training_in_bf16_moves_every_weight_of_both_players(network: str) -> None:
    params = settings(network)
    state = begin(params)
    before = {
        **dict(state.generator.named_parameters("G")),
        **dict(state.discriminator.named_parameters("D")),
    }
    before = {name: parameter.detach().clone() for name, parameter in before.items()}
    advance(state, params, 2, "bf16")
    after = {**dict(state.generator.named_parameters("G")), **dict(state.discriminator.named_parameters("D"))}
    assert differing(before, after) == before.keys()
    assert {parameter.dtype for parameter in after.values()} == {torch.float32}


def test_the_seed_decides_the_first_weights_and_the_training() -> None:
    states = []
    for seed in (0, 0, 1):
        params = settings("mlp", seed=seed)
        states.append(begin(params))
        advance(states[-1], params, 2, "fp32")
    first, same, other = (everything(state) for state in states)
    assert not differing(first, same)
    assert {name for name in differing(first, other) if name.endswith("weight")}


def test_without_averaging_what_is_kept_is_the_generator_itself() -> None:
    params = settings("dcgan", ema_halflife=0.0)
    state = begin(params)
    advance(state, params, 2, "fp32")
    assert not differing(tensors(state.generator), tensors(state.average))


@both_networks
def test_nothing_of_the_discriminator_is_needed_to_sample(network: str, tmp_path: Path) -> None:
    params = settings(network)
    state = begin(params)
    advance(state, params, 3, "fp32")
    c = DIGIT.encode(torch.arange(10))
    expected = sampling.draw(state.average, c, 2, seed=5)
    spec = GeneratorSpec(
        network=network,
        num_latents=params.num_latents,
        task="digit",
        clusters=0,
        width=params.width,
        image_shape=[1, 8, 8],
    )
    weights.save(tmp_path / "weights", state.average, spec)
    del state

    generator, _ = weights.load(tmp_path / "weights", GeneratorSpec)

    assert torch.equal(sampling.draw(generator, c, 2, seed=5), expected)
