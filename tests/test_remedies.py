"""Each switch does what it says, and with any of them the duel stays a duel."""

from pathlib import Path
from typing import Any

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
    differing,
    everything,
    gradients,
    settings,
    tensors,
)
from torch import Tensor

from pipeline.data.digits import Examples
from pipeline.methods import adversarial, penalties
from pipeline.methods import stabilisers as remedies
from pipeline.methods.adversarial import ConditionalParams, State
from pipeline.methods.augmentation import AUGMENTATIONS, augment
from pipeline.runtime import randomness
from pipeline.tasks import clusters
from pipeline.training import checkpoint

torch.set_num_threads(1)

NORM_FREE = {"discriminator_norm": "none"}
REMEDIES: dict[str, dict[str, Any]] = {
    "gradient penalty": {**NORM_FREE, "loss": "wasserstein", "gradient_penalty": 10.0},
    "R1 and R2, lazily": {**NORM_FREE, "loss": "relativistic", "r1": 1.0, "r2": 1.0, "penalty_every": 2},
    "spectral": {"discriminator_norm": "spectral", "loss": "hinge"},
    "minibatch stddev": {**NORM_FREE, "minibatch_stddev": True},
    "packing": {"packing": 2},
    "augmentation": {"augment": list(AUGMENTATIONS)},
    "orthogonal": {"orthogonal": 0.1},
    "clusters": {**NORM_FREE, "clusters": 2},
    "all": {
        "discriminator_norm": "spectral",
        "loss": "relativistic",
        "clusters": 2,
        "minibatch_stddev": True,
        "packing": 2,
        "augment": list(AUGMENTATIONS),
        "r1": 1.0,
        "r2": 1.0,
        "gradient_penalty": 1.0,
        "penalty_every": 3,
        "orthogonal": 0.1,
    },
}

every_remedy = pytest.mark.parametrize("name", REMEDIES)


def start(params: ConditionalParams) -> tuple[State, Examples]:
    """The beginning of a duel, and what it is fought over: with clusters, if there are to be some."""
    if not params.clusters:
        return begin(params), PICTURES
    examples, condition = clusters.split(PICTURES, DIGIT, params.clusters, params.seed)
    return adversarial.init_state(params, condition, SHAPE), examples


def shown(state: State, examples: Examples, params: ConditionalParams) -> tuple[Tensor, Tensor, Tensor]:
    """Real images, conditions and latents for a step."""
    x, labels = examples.batch(torch.arange(8))
    z = adversarial.latents(state.generator, params, "test", 0)
    return x, state.condition.encode(labels), torch.cat([z, -z])


@every_remedy
@pytest.mark.parametrize("network", ["mlp", "dcgan"])
def test_with_any_remedy_a_step_of_one_player_leaves_the_other_alone(network: str, name: str) -> None:
    params = settings(network, **({} if network == "dcgan" else NORM_FREE) | REMEDIES[name])
    state, examples = start(params)
    x, c, z = shown(state, examples, params)
    g_before = {n: p.clone() for n, p in state.generator.named_parameters()}
    d_before = tensors(state.discriminator)

    adversarial.discriminator_step(state, x, c, z, params, 0)

    assert not differing(g_before, dict(state.generator.named_parameters()))
    assert gradients(state.generator) == {}
    unchanged = d_before.keys() - differing(d_before, tensors(state.discriminator))
    learned = {f"0.{key}" for key, _ in state.discriminator.named_parameters()}
    assert not {key for key in unchanged & learned if "weight" in key}

    d_before, d_gradients = tensors(state.discriminator), gradients(state.discriminator)
    adversarial.generator_step(state, x, c, z, params)

    assert not differing(d_before, tensors(state.discriminator))  # weights and buffers
    assert not differing(d_gradients, gradients(state.discriminator))
    assert all(parameter.requires_grad for parameter in state.discriminator.parameters())
    changed = differing(g_before, dict(state.generator.named_parameters()))
    assert {key for key in g_before if "weight" in key} - changed == set()


@every_remedy
@pytest.mark.parametrize("precision", PRECISIONS)
def test_with_any_remedy_a_resumed_duel_ends_with_the_tensors_of_an_uninterrupted_one(
    name: str, precision: str, tmp_path: Path
) -> None:
    params = settings("dcgan", **{"discriminator_steps": 2} | REMEDIES[name])
    whole, examples = start(params)
    advance(whole, params, 5, precision, examples)

    killed, _ = start(params)
    advance(killed, params, 3, precision, examples)
    checkpoint.save(tmp_path, "mark", killed, {})
    resumed, _ = start(params)
    torch.rand(7)  # another process has drawn other numbers before
    checkpoint.restore(tmp_path, "mark", resumed)
    assert not differing(everything(killed), everything(resumed))
    advance(resumed, params, 2, precision, examples)

    assert not differing(everything(whole), everything(resumed))
    assert differing(everything(killed), everything(resumed))
    assert all(value.isfinite().all() for value in everything(whole).values())


def test_packing_puts_neighbouring_rows_side_by_side() -> None:
    params = settings("dcgan", packing=2)
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 2, 2)
    found = remedies.packed(images, params)
    assert found.shape == (2, 6, 2, 2)
    assert found[:, :, 0, 0].tolist() == [[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3]]
    conditions = torch.tensor([[1, 2], [3, 4], [5, 6], [7, 8]])
    assert remedies.packed(conditions, params).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert remedies.packed(torch.empty(4, 0), params).shape == (2, 0)
    assert remedies.packed(images, settings("dcgan")) is images


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
def test_a_packed_discriminator_sees_pairs_of_images_and_of_conditions(network: str) -> None:
    params = settings(network, packing=2)
    state = begin(params)
    x, c, z = batch(params)
    seen: list[tuple[Tensor, Tensor]] = []
    state.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args))
    logged = adversarial.discriminator_step(state, x, c, z, params, 0)
    adversarial.generator_step(state, x, c, z, params)

    images, conditions = seen[0]
    assert images.shape[1:] == (2, 8, 8)
    assert torch.equal(images[:4], torch.cat([x[::2], x[1::2]], 1))
    assert torch.equal(conditions[:4], torch.cat([c[::2], c[1::2]], 1))
    assert seen[-1][0].shape == (4, 2, 8, 8)
    with torch.no_grad():
        assert state.discriminator(*seen[-1]).shape == (4,)
    assert logged["real_logits"].isfinite()


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
@pytest.mark.parametrize("on", [True, False])
def test_a_discriminator_knows_of_the_other_images_only_where_minibatch_stddev_is_on(
    network: str, on: bool
) -> None:
    params = settings(network, **NORM_FREE, minibatch_stddev=on)
    D = begin(params).discriminator.eval()
    x, c, _ = batch(params)
    with torch.no_grad():
        for parameter in D.parameters():
            parameter.normal_(0.0, 0.3)
        among_others, among_its_like = D(x, c)[0], D(x[:1].expand(8, -1, -1, -1), c)[0]
    assert (abs(among_others - among_its_like) > 1e-3).item() is on


@pytest.mark.parametrize(
    ("changes", "num_passes"),
    [({}, 1), ({"minibatch_stddev": True}, 2), ({"discriminator_norm": "batch"}, 2)],
)
def test_real_and_fake_share_a_pass_unless_images_of_a_batch_know_of_each_other(
    changes: dict[str, Any], num_passes: int
) -> None:
    params = settings("dcgan", **NORM_FREE | changes)
    state = begin(params)
    x, c, _ = batch(params)
    seen: list[Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    real, fakes = remedies.logits(state.discriminator, x, -x, c, params)
    assert len(seen) == num_passes
    with torch.no_grad():
        expected = state.discriminator(x, c), state.discriminator(-x, c)
    assert torch.allclose(real, expected[0], atol=1e-6)
    assert torch.allclose(fakes, expected[1], atol=1e-6)


def test_real_images_fakes_and_what_the_generator_learns_from_are_changed_differently() -> None:
    params = settings("mlp", augment=["brightness"])
    state = begin(params)
    same = torch.zeros(8, *SHAPE)
    state.generator.forward = lambda z, c: same  # type: ignore[method-assign]
    seen: list[Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    _, c, z = batch(params)
    adversarial.discriminator_step(state, same, c, z, params, 5)
    real, fakes = seen[0].split(8)
    source = randomness.generator(params.seed, "D sees real", 5)
    assert torch.equal(real, augment(same, ["brightness"], source))
    assert (real != fakes).flatten(1).all()
    adversarial.discriminator_step(state, same, c, z, params, 6)
    assert (seen[1] != seen[0]).flatten(1).all()


def test_the_generators_gradient_passes_through_the_changes() -> None:
    params = settings("mlp", augment=list(AUGMENTATIONS))
    state = begin(params)
    x, c, z = batch(params)
    logged = adversarial.generator_step(state, x, c, z, params)
    found = gradients(state.generator)
    assert all(value.abs().max() > 0 for value in found.values())
    length = torch.cat([value.flatten() for value in found.values()]).norm()
    assert logged["g_gradient"].item() == pytest.approx(length.item(), rel=1e-5)


def test_a_lazy_penalty_is_taken_every_few_steps_of_d_and_is_so_many_times_as_heavy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = settings("mlp", r1=0.5, penalty_every=3, discriminator_steps=2)
    state = begin(params)
    taken, logged = [], []
    true_penalty, true_step = penalties.zero_centred, adversarial.discriminator_step

    def counted(*args: Any) -> Tensor:
        taken.append(true_penalty(*args))
        return taken[-1]

    def listened(*args: Any) -> dict[str, Tensor]:
        logged.append(true_step(*args))
        return logged[-1]

    monkeypatch.setattr(penalties, "zero_centred", counted)
    monkeypatch.setattr(adversarial, "discriminator_step", listened)
    advance(state, params, 4, "fp32")  # D makes 8 steps: number 0, 3 and 6 pay

    assert len(taken) == 3
    paid = [entry["penalty"].item() for entry in logged]
    assert [value > 0 for value in paid] == [index % 3 == 0 for index in range(8)]
    assert paid[::3] == pytest.approx([3 * 0.5 * value.item() for value in taken])


def test_the_weighted_penalties_are_added_up_real_fake_and_between() -> None:
    params = settings("dcgan", **NORM_FREE, r1=0.5, r2=0.25, gradient_penalty=2.0, penalty_every=4)
    D = begin(params).discriminator
    x, c, _ = batch(params)
    share = torch.linspace(0, 1, 8)
    found = remedies.penalty(D, (x, -x), c, share, params)
    r1, r2 = penalties.zero_centred(D, x, c), penalties.zero_centred(D, -x, c)
    between = penalties.one_centred(D, x, -x, c, share)
    assert found.item() == pytest.approx((4 * (0.5 * r1 + 0.25 * r2 + 2 * between)).item(), rel=1e-5)


def test_without_penalties_none_is_logged_or_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(penalties, "squared_slope", None)
    params = settings("dcgan")
    state = begin(params)
    logged = adversarial.train_step(state, PICTURES, params)
    assert logged.keys() == {"d_loss", "real_logits", "fake_logits", "g_loss", "g_gradient"}


def test_a_penalty_bounds_the_slope_of_the_discriminator() -> None:
    slopes = []
    for r1 in (0.0, 10.0):
        params = settings("dcgan", **NORM_FREE, r1=r1, num_steps=40)
        state = begin(params)
        advance(state, params, 40, "fp32")
        x, c, _ = batch(params)
        slopes.append(penalties.zero_centred(state.discriminator, x, c).item())
    assert slopes[1] < slopes[0] / 4


def test_the_orthogonal_penalty_is_the_generators_and_not_part_of_the_loss_it_reports() -> None:
    reported, rows = [], []
    for weight in (0.0, 1.0):
        params = settings("mlp", orthogonal=weight)
        state = begin(params)
        x, c, z = batch(params)
        reported.append(adversarial.generator_step(state, x, c, z, params)["g_loss"].item())
        for _ in range(20):
            adversarial.generator_step(state, x, c, z, params)
        rows.append(penalties.orthogonal(adversarial.matrices(state.generator)).item())
    assert reported[0] == reported[1]
    assert rows[1] < rows[0] / 2
