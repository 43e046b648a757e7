"""The duel: who is changed by which step, and that stopping and going on is the same as not stopping."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline import compute, randomness, sampling, weights
from pipeline.conditions import TASKS, UNCONDITIONAL
from pipeline.digits import Pictures
from pipeline.images import to_float
from pipeline.losses import ADVERSARIAL_LOSSES
from pipeline.sampling import GeneratorSpec
from pipeline.training import adversarial, checkpoint
from pipeline.training.adversarial import ConditionalParams, Params, State
from pipeline.training.session import Session

torch.set_num_threads(1)

SHAPE = (1, 8, 8)
PICTURES = Pictures(
    torch.randint(0, 256, (24, *SHAPE), generator=torch.Generator().manual_seed(0)).byte(),
    torch.arange(24) % 10,
)
DIGIT = TASKS["digit"]
PRECISIONS = {"fp32": nullcontext, "bf16": partial(torch.autocast, "cpu", torch.bfloat16)}

both_networks = pytest.mark.parametrize("network", ["mlp", "dcgan"])


def settings(network: str, **changes: Any) -> ConditionalParams:
    numbers: dict[str, Any] = {
        "network": network,
        "num_latents": 3,
        "width": 4,
        "loss": "nonsaturating",
        "discriminator_steps": 1,
        "discriminator_sees_condition": True,
        "learning_rate": 0.01,
        "beta1": 0.5,
        "decay_from": 0.5,
        "ema_halflife": 8.0,
        "batch_size": 4,
        "num_steps": 6,
        "log_every": 1,
        "save_every": 6,
        "num_snapshots": 1,
        "seed": 0,
    }
    return ConditionalParams(**(numbers | changes))


def begin(params: Params) -> State:
    return adversarial.init_state(params, DIGIT, SHAPE)


def batch(params: Params) -> tuple[Tensor, Tensor, Tensor]:
    """Real images, their conditions, latents."""
    x, labels = to_float(PICTURES.pixels[:8]), PICTURES.labels[:8]
    return x, DIGIT.encode(labels), randomness.normal(8, params.num_latents, 0, "test")


def tensors(*parts: Any) -> dict[str, Tensor]:
    """Copies of all that networks and optimizers hold."""
    found = {}
    for number, part in enumerate(parts):
        content = part.state_dict()
        for index, entry in content.pop("state", {}).items():
            content |= {f"{index}.{name}": value for name, value in entry.items()}
        found |= {f"{number}.{k}": v.clone() for k, v in content.items() if isinstance(v, Tensor)}
    return found


def everything(state: State) -> dict[str, Tensor]:
    return tensors(state.generator, state.discriminator, state.average, state.g_optimizer, state.d_optimizer)


def gradients(network: torch.nn.Module) -> dict[str, Tensor]:
    return {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}


def differing(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def advance(state: State, params: Params, num_steps: int, precision: str) -> None:
    for _ in range(num_steps):
        with PRECISIONS[precision]():
            adversarial.train_step(state, PICTURES, params)
        state.step += 1


@both_networks
def test_a_discriminator_step_changes_the_discriminator_and_leaves_the_generator_alone(network: str) -> None:
    params = settings(network)
    state = begin(params)
    x, c, z = batch(params)
    weights_before = {n: p.clone() for n, p in state.generator.named_parameters()}
    d_before = tensors(state.discriminator)

    adversarial.discriminator_step(state, x, c, z, params)

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
    adversarial.generator_step(state, c, z, params)
    before = gradients(state.generator)

    adversarial.discriminator_step(state, x, c, z, params)

    assert before
    assert not differing(before, gradients(state.generator))


@both_networks
def test_a_generator_step_changes_the_generator_and_leaves_the_discriminator_alone(network: str) -> None:
    params = settings(network)
    state = begin(params)
    x, c, z = batch(params)
    d_before = tensors(state.discriminator)
    g_before = {n: p.clone() for n, p in state.generator.named_parameters()}

    adversarial.generator_step(state, c, z, params)

    assert not differing(d_before, tensors(state.discriminator))  # weights and buffers
    assert gradients(state.discriminator) == {}
    assert all(parameter.requires_grad for parameter in state.discriminator.parameters())
    assert differing(g_before, dict(state.generator.named_parameters())) == g_before.keys()

    adversarial.discriminator_step(state, x, c, z, params)
    before = gradients(state.discriminator)
    adversarial.generator_step(state, c, z, params)

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
    adversarial.generator_step(state, c, z, params)
    assert logits()[1] > fake
    real, fake = logits()
    adversarial.discriminator_step(state, x, c, z, params)
    assert logits()[0] - logits()[1] > real - fake


def test_a_step_reports_the_logits_before_it_changed_them() -> None:
    params = settings("mlp")
    state = begin(params)
    state.discriminator.eval()
    x, c, z = batch(params)
    with torch.no_grad():
        real, fake = state.discriminator(x, c), state.discriminator(state.generator(z, c), c)

    logged = adversarial.discriminator_step(state, x, c, z, params)

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


@both_networks
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
def test_logging_and_looking_more_often_changes_no_tensor(
    network: str, precision: str, tmp_path: Path
) -> None:
    results = []
    for log_every, frame_steps in ((1, [1, 2, 5]), (3, [])):
        params = settings(network, log_every=log_every)
        state = begin(params)
        draw = partial(sampling.preview, state.average, params.num_latents, DIGIT)
        session = Session(state, params, tmp_path, "mark", draw, frame_steps)
        session.run(adversarial, PICTURES, compute.Params(threads=1, precision=precision))
        assert len(session.history) == 6 // log_every
        results.append(everything(state))
    assert not differing(*results)


@both_networks
def test_in_bf16_each_discriminator_step_starts_from_the_weights_of_the_one_before(network: str) -> None:
    """Autocast remembers cast weights until its block ends: the copies of a step must not serve the next."""
    params, bf16 = settings(network, discriminator_steps=2), compute.Params(threads=1, precision="bf16")
    together, apart = begin(params), begin(params)
    for state in (together, apart):
        state.discriminator.eval()  # without dropout
    with compute.autocast(bf16):
        adversarial.train_step(together, PICTURES, params)

    for k in range(2):
        chosen = randomness.batch_indices(len(PICTURES), params.batch_size, params.seed, k)
        x, c = to_float(PICTURES.pixels[chosen]), DIGIT.encode(PICTURES.labels[chosen])
        with compute.autocast(bf16):
            adversarial.discriminator_step(apart, x, c, adversarial.latents(params, "D latents", k), params)

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
    expected = sampling.draw(state.average, params.num_latents, c, 2, seed=5)
    spec = GeneratorSpec(
        network=network,
        num_latents=params.num_latents,
        task="digit",
        width=params.width,
        image_shape=[1, 8, 8],
    )
    weights.save(tmp_path / "weights", state.average, spec)
    del state

    generator, loaded = weights.load(tmp_path / "weights", GeneratorSpec)

    assert torch.equal(sampling.draw(generator, loaded.num_latents, c, 2, seed=5), expected)
