"""Duels of several members that share nothing but the step."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from duels import differing, everything, gradients, tensors
from torch import Tensor, nn

from pipeline.methods import adversarial, points
from pipeline.methods.adversarial import State
from pipeline.networks.points import Discriminator, Generator, by_member, in_turns
from pipeline.runtime import compute, params
from pipeline.tasks import points as toys
from pipeline.tasks.conditions import UNCONDITIONAL
from pipeline.tasks.points import TARGETS
from pipeline.training import checkpoint
from pipeline.training.session import Session

torch.set_num_threads(1)

DATA = toys.sample(TARGETS["ring"], 240, 0)
NOTHING = torch.empty(0, 0)  # the condition of whatever has none

REMEDIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "penalties": {"loss": "relativistic", "r1": 0.1, "r2": 0.1, "penalty_every": 2},
    "packing": {"packing": 2, "gradient_penalty": 1.0, "loss": "wasserstein"},
    "stddev": {"minibatch_stddev": True},
}
all_remedies = pytest.mark.parametrize("remedy", REMEDIES)


def settings(**changes: Any) -> points.Params:
    numbers: dict[str, Any] = {
        "target": "ring",
        "num_members": 3,
        "num_latents": 2,
        "width": 8,
        "loss": "nonsaturating",
        "minibatch_stddev": False,
        "packing": 1,
        "r1": 0.0,
        "r2": 0.0,
        "gradient_penalty": 0.0,
        "penalty_every": 1,
        "orthogonal": 0.0,
        "discriminator_steps": 1,
        "learning_rate": 0.01,
        "beta1": 0.5,
        "beta2": 0.99,
        "decay_from": 0.5,
        "ema_halflife": 100.0,
        "batch_size": 24,
        "num_steps": 6,
        "log_every": 1,
        "save_every": 6,
        "num_snapshots": 2,
        "measure_every": 1,
        "seed": 0,
    }
    return points.Params(**(numbers | changes))


def begin(numbers: points.Params) -> State:
    return points.init_state(numbers, UNCONDITIONAL, DATA.shape)


def advance(state: State, numbers: points.Params, num_steps: int) -> None:
    for _ in range(num_steps):
        points.train_step(state, DATA, numbers)
        state.step += 1


def rows(numbers: points.Params) -> tuple[Tensor, Tensor, Tensor]:
    """Real points, their conditions, latents."""
    x, labels = DATA.batch(torch.arange(numbers.batch_size))
    z = adversarial.latents(begin(numbers).generator, numbers, "test", 0)
    return x, UNCONDITIONAL.encode(labels), z


def test_rows_come_in_turns() -> None:
    of = torch.tensor([0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])[:, None]
    assert by_member(of, 3, 2).squeeze(2).tolist() == [[0] * 4, [1] * 4, [2] * 4]
    order = torch.arange(12)[:, None]
    assert torch.equal(in_turns(by_member(order, 3, 2), 2), order)


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_member_computes_what_a_network_of_its_own_would(network: str) -> None:
    torch.manual_seed(0)
    many: nn.Module = Generator(3, 2, 8, 1) if network == "generator" else Discriminator(3, 8, 1, False)
    one: nn.Module = Generator(1, 2, 8, 1) if network == "generator" else Discriminator(1, 8, 1, False)
    one.load_state_dict({name: tensor[1:2] for name, tensor in many.state_dict().items()})
    x = torch.randn(12, 2)
    assert torch.allclose(many(x, NOTHING)[1::3], one(x[1::3], NOTHING), atol=1e-6)


@all_remedies
def test_what_one_member_sees_moves_no_other(remedy: str) -> None:
    """Gradients of members 0 and 2, in both players' steps, do not change when the data of member 1 do."""
    numbers = settings(**REMEDIES[remedy])
    x, c, z = rows(numbers)
    of_one = torch.arange(len(x)) // numbers.packing % numbers.num_members == 1
    found = []
    for moved in (0.0, 0.5):
        state, shift = begin(numbers), of_one[:, None] * moved
        adversarial.discriminator_step(state, x + shift, c, z + shift, numbers, 0)
        seen = gradients(state.discriminator)
        adversarial.generator_step(state, x + shift, c, z + shift, numbers)
        found.append(seen | {f"G.{name}": grad for name, grad in gradients(state.generator).items()})
    for name, before in found[0].items():
        assert torch.equal(before[[0, 2]], found[1][name][[0, 2]]), name
    for name in ("layers.0.weight", "head.weight", "G.layers.0.weight", "G.head.bias"):
        assert not torch.equal(found[0][name][1], found[1][name][1]), name


def test_packs_hold_points_of_one_member() -> None:
    numbers = settings(packing=2)
    state = begin(numbers)
    seen: list[Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    x, c, z = rows(numbers)
    adversarial.discriminator_step(state, x, c, z, numbers, 0)
    packs = by_member(seen[0][: len(x) // 2], 3, 1)  # (S, N / 2, 4)
    for member in range(3):
        own = by_member(x, 3, 2)[member]
        assert torch.equal(packs[member].reshape(-1, 2), own)


def test_with_several_members_adam_makes_the_steps_it_makes_with_one() -> None:
    """A loss averages over the rows of all: gradients are a third as large, and the steps are not."""
    numbers, alone = settings(), settings(num_members=1, batch_size=8)
    x, c, z = rows(numbers)
    state, single = begin(numbers), begin(alone)
    for name in ("generator", "discriminator"):
        own = {k: v[2:3].clone() for k, v in getattr(state, name).state_dict().items()}
        getattr(single, name).load_state_dict(own)
    adversarial.discriminator_step(state, x, c, z, numbers, 0)
    adversarial.discriminator_step(single, x[2::3], c[2::3], z[2::3], alone, 0)
    for many, one in zip(state.discriminator.parameters(), single.discriminator.parameters(), strict=True):
        assert many.grad is not None
        assert one.grad is not None
        assert torch.allclose(3 * many.grad[2:3], one.grad, atol=1e-6)
        clear = one.grad.abs() > 1e-4  # against Adam's epsilon of 1e-8, and rounding
        assert clear.any()
        assert torch.allclose(many[2:3][clear], one[clear], atol=1e-5)


@all_remedies
def test_each_step_changes_one_player_and_leaves_the_other_alone(remedy: str) -> None:
    numbers = settings(**REMEDIES[remedy])
    state = begin(numbers)
    x, c, z = rows(numbers)
    G, D = state.generator, state.discriminator
    g_before, d_before = tensors(G), tensors(D)

    adversarial.discriminator_step(state, x, c, z, numbers, 0)
    assert not differing(g_before, tensors(G))
    assert gradients(G) == {}
    assert differing(d_before, tensors(D)) >= d_before.keys() - {"0.head.bias"}

    d_before, seen = tensors(D), gradients(D)
    adversarial.generator_step(state, x, c, z, numbers)
    assert not differing(d_before, tensors(D))
    assert not differing(seen, gradients(D))
    assert differing(g_before, tensors(G)) == g_before.keys()


@all_remedies
def test_a_resumed_duel_of_members_ends_with_the_tensors_of_an_uninterrupted_one(
    remedy: str, tmp_path: Path
) -> None:
    numbers = settings(**REMEDIES[remedy])
    whole = begin(numbers)
    advance(whole, numbers, 6)

    killed = begin(numbers)
    advance(killed, numbers, 3)
    checkpoint.save(tmp_path, "mark", killed, {})
    resumed = begin(numbers)
    torch.rand(7)  # another process has drawn other numbers before
    checkpoint.restore(tmp_path, "mark", resumed)
    assert not differing(everything(killed), everything(resumed))
    advance(resumed, numbers, 3)

    assert not differing(everything(whole), everything(resumed))
    assert differing(everything(killed), everything(resumed))


def test_a_session_keeps_clouds_across_a_kill(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    class Killer:
        def log(self, step: int, scalars: dict[str, float]) -> None:
            if step == 5:
                raise Killed

        def show(self, step: int, picture: np.ndarray) -> None: ...

    def session(folder: Path) -> Session:
        numbers = settings(save_every=2)
        state = begin(numbers)
        return Session(
            state, numbers, folder, "mark", frame_steps=[1, 4, 6],
            keep=lambda: {"clouds": toys.clouds(state.average, 5, 0)},
        )  # fmt: skip

    precision = compute.Params(threads=1, device="cpu", precision="fp32")
    whole, first, second = session(tmp_path / "a"), session(tmp_path / "b"), session(tmp_path / "b")
    whole.run(points, DATA, precision)
    first.listeners = [Killer()]
    with pytest.raises(Killed):
        first.run(points, DATA, precision)
    assert second.resume() == "resuming at step 4"
    second.run(points, DATA, precision)
    assert len(whole.kept) == 3
    for one, other in zip(whole.kept, second.kept, strict=True):
        assert torch.equal(one["clouds"], other["clouds"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 25}, "batch_size = 25 must be a multiple of num_members * packing = 3"),
        ({"packing": 3}, "batch_size = 24 must be a multiple of num_members * packing = 9"),
        ({"log_every": 2, "measure_every": 3}, "measure_every = 3 must be a multiple of log_every = 2"),
        ({"target": "rings"}, "allowed are grid, ring (did you mean 'ring'?)"),
    ],
)
def test_numbers_that_do_not_fit_together_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        settings(**changes)


@pytest.mark.parametrize("target", TARGETS)
def test_a_remedied_entry_differs_from_the_plain_one_in_its_loss_and_penalties_alone(target: str) -> None:
    plain, remedied = (params.read(f"toys.{target}-{kind}", points.Params) for kind in ("plain", "remedied"))
    before, after = plain.model_dump(), remedied.model_dump()
    changed = {key for key in before if before[key] != after[key]}
    assert changed <= {"loss", "r1", "r2", "penalty_every"}
    assert (plain.loss, plain.penalised, remedied.penalised) == ("nonsaturating", False, True)
