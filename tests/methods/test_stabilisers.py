"""Each stabiliser does what it says, and with any of them a step changes one network alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adversarial import (
    TASKS,
    advance,
    batch,
    both_networks,
    check_resuming,
    differing,
    gradients,
    learned,
    seen_by,
    settings,
    start,
    tensors,
)
from pydantic import ValidationError
from torch import Tensor

from pipeline.methods import adversarial, penalties, stabilisers
from pipeline.methods.augmentation import AUGMENTATIONS, augment
from pipeline.runtime import randomness

DATA = TASKS["class"].train
STABILISERS: dict[str, dict[str, Any]] = {
    "gradient penalty": {"loss": "wasserstein", "gradient_penalty": 10.0},
    "R1 and R2, lazily": {"loss": "relativistic", "r1": 1.0, "r2": 1.0, "penalty_every": 2},
    "spectral": {"discriminator_norm": "spectral", "loss": "hinge"},
    "minibatch stddev": {"minibatch_stddev": True},
    "packing": {"packing": 2},
    "augmentation": {"augment": list(AUGMENTATIONS)},
    "orthogonal": {"orthogonal": 0.1},
    "clusters": {"clusters": 2},
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

every_stabiliser = pytest.mark.parametrize("name", STABILISERS)


@every_stabiliser
@both_networks
def test_with_any_stabiliser_a_step_of_one_network_leaves_the_other_alone(network: str, name: str) -> None:
    training = start(network=network, **STABILISERS[name])
    G, D = training.generator, training.discriminator
    x, c, z = batch(training)
    g_before, d_before = learned(G), learned(D)
    adversarial.discriminator_step(training, x, c, z, 0)
    assert not differing(g_before, learned(G))
    assert gradients(G) == {}
    assert not {name for name in d_before.keys() - differing(d_before, learned(D)) if "weight" in name}

    d_before, d_gradients = tensors(D), gradients(D)
    adversarial.generator_step(training, x, c, z)
    assert not differing(d_before, tensors(D))  # weights and buffers
    assert not differing(d_gradients, gradients(D))
    assert all(parameter.requires_grad for parameter in D.parameters())
    assert not {name for name in g_before.keys() - differing(g_before, learned(G)) if "weight" in name}


@pytest.mark.parametrize(("name", "precision"), [*((name, "fp32") for name in STABILISERS), ("all", "bf16")])
def test_with_any_stabiliser_a_resumed_training_ends_with_the_tensors_of_an_uninterrupted_one(
    name: str, precision: str, tmp_path: Path
) -> None:
    changes = {"discriminator_steps": 2} | STABILISERS[name]
    end = check_resuming(lambda: start(**changes), DATA, tmp_path, precision)
    assert all(value.isfinite().all() for value in end.values())


def test_packing_puts_neighbouring_rows_side_by_side() -> None:
    pairs = settings(packing=2)
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 2, 2)
    found = stabilisers.packed(images, pairs)
    assert found.shape == (2, 6, 2, 2)
    assert found[:, :, 0, 0].tolist() == [[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3]]
    conditions = torch.tensor([[1, 2], [3, 4], [5, 6], [7, 8]])
    assert stabilisers.packed(conditions, pairs).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert stabilisers.packed(torch.empty(4, 0), pairs).shape == (2, 0)
    assert stabilisers.packed(images, settings()) is images


@both_networks
def test_a_packed_discriminator_sees_pairs_of_images_and_of_conditions(network: str) -> None:
    training = start(network=network, packing=2)
    x, c, z = batch(training)
    seen: list[tuple[Tensor, Tensor]] = []
    training.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args))
    adversarial.discriminator_step(training, x, c, z, 0)
    adversarial.generator_step(training, x, c, z)

    images, conditions = seen[0]
    assert images.shape[1:] == (2, 8, 8)
    assert torch.equal(images[:4], torch.cat([x[::2], x[1::2]], 1))
    assert torch.equal(conditions[:4], torch.cat([c[::2], c[1::2]], 1))
    assert seen[-1][0].shape == (4, 2, 8, 8)
    with torch.no_grad():
        assert training.discriminator(*seen[-1]).shape == (4,)


@both_networks
@pytest.mark.parametrize("on", [True, False])
def test_d_knows_of_the_other_images_only_where_minibatch_stddev_is_on(network: str, on: bool) -> None:
    training = start(network=network, minibatch_stddev=on)
    D = training.discriminator.eval()
    x, c, _ = batch(training)
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
    training = start(**changes)
    x, c, _ = batch(training)
    seen = seen_by(training.discriminator)
    real, fakes = stabilisers.logits(training.discriminator, x, -x, c, training.settings)
    assert len(seen) == num_passes
    with torch.no_grad():
        expected = training.discriminator(x, c), training.discriminator(-x, c)
    assert torch.allclose(real, expected[0], atol=1e-6)
    assert torch.allclose(fakes, expected[1], atol=1e-6)


def test_real_images_and_fakes_are_augmented_differently_and_anew_in_each_step() -> None:
    training = start(network="mlp", augment=["brightness"])
    same = torch.zeros(8, 1, 8, 8)
    training.generator.forward = lambda z, c: same  # type: ignore[method-assign]
    seen = seen_by(training.discriminator)
    _, c, z = batch(training)
    adversarial.discriminator_step(training, same, c, z, 5)
    real, fakes = seen[0].split(8)
    source = randomness.generator(training.settings.seed, "D sees real", 5)
    assert torch.equal(real, augment(same, ["brightness"], source))
    assert (real != fakes).flatten(1).all()
    adversarial.discriminator_step(training, same, c, z, 6)
    assert (seen[1] != seen[0]).flatten(1).all()


def test_the_generators_gradient_passes_through_the_augmentation() -> None:
    training = start(network="mlp", augment=list(AUGMENTATIONS))
    logged = adversarial.generator_step(training, *batch(training))
    found = gradients(training.generator)
    assert all(value.abs().max() > 0 for value in found.values())
    length = torch.cat([value.flatten() for value in found.values()]).norm()
    assert logged["g_gradient"].item() == pytest.approx(length.item(), rel=1e-5)


def test_a_lazy_penalty_is_taken_every_few_steps_of_d_and_is_so_many_times_as_heavy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = start(network="mlp", r1=0.5, penalty_every=3, discriminator_steps=2)
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
    advance(training, DATA, 4)  # D makes 8 steps: number 0, 3 and 6 pay

    assert len(taken) == 3
    paid = [entry["penalty"].item() for entry in logged]
    assert [value > 0 for value in paid] == [index % 3 == 0 for index in range(8)]
    assert paid[::3] == pytest.approx([3 * 0.5 * value.item() for value in taken])


def test_the_weighted_penalties_are_added_up_real_fake_and_between() -> None:
    training = start(r1=0.5, r2=0.25, gradient_penalty=2.0, penalty_every=4)
    D = training.discriminator
    x, c, _ = batch(training)
    share = torch.linspace(0, 1, 8)
    found = stabilisers.penalty(D, (x, -x), c, share, training.settings)
    r1, r2 = penalties.zero_centred(D, x, c), penalties.zero_centred(D, -x, c)
    between = penalties.one_centred(D, x, -x, c, share)
    assert found.item() == pytest.approx((4 * (0.5 * r1 + 0.25 * r2 + 2 * between)).item(), rel=1e-5)


def test_without_penalties_none_is_logged_or_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(penalties, "squared_gradient_norm", None)
    logged = start().step(DATA)
    assert logged.keys() == {"d_loss", "real_logits", "fake_logits", "g_loss", "g_gradient"}


def test_a_penalty_bounds_the_gradient_of_the_discriminator() -> None:
    norms = []
    for r1 in (0.0, 10.0):
        training = start(r1=r1, num_steps=40)
        advance(training, DATA, 40)
        x, c, _ = batch(training)
        norms.append(penalties.zero_centred(training.discriminator, x, c).item())
    assert norms[1] < norms[0] / 4


def test_the_orthogonal_penalty_is_the_generators_and_not_part_of_the_loss_it_reports() -> None:
    reported, rows = [], []
    for weight in (0.0, 1.0):
        training = start(network="mlp", orthogonal=weight)
        x, c, z = batch(training)
        reported.append(adversarial.generator_step(training, x, c, z)["g_loss"].item())
        for _ in range(20):
            adversarial.generator_step(training, x, c, z)
        rows.append(penalties.orthogonal(adversarial.matrices(training.generator)).item())
    assert reported[0] == reported[1]
    assert rows[1] < rows[0] / 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"packing": 3}, "batch_size = 4 must be a multiple of packing = 3"),
        (
            {"network": "mlp", "discriminator_norm": "batch"},
            "'batch': mlp has none; allowed are",
        ),
        ({"discriminator_norm": "batch", "r1": 1.0}, "must be 0; allowed with them are none, spectral"),
        ({"augment": ["britness"]}, "did you mean 'brightness'"),
    ],
)
def test_stabilisers_that_do_not_go_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)
