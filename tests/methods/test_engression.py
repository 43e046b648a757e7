"""Engression: draws of the posterior, by a score; and regression, where nothing is drawn."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.adversarial import TASKS, advance, check_resuming, gradients, task_of
from pydantic import ValidationError
from torch import Tensor

from pipeline.methods import energy, engression, regression
from pipeline.networks.network import num_inputs
from pipeline.networks.points import by_member
from pipeline.runtime import randomness
from pipeline.sampling.draw import LATENTS
from pipeline.tasks.examples import InMemory

SMALL = {"width": 4, "learning_rate": 0.01, "ema_halflife": 8.0, "batch_size": 8, "num_steps": 6}
SMALL |= {"log_every": 1, "save_every": 6, "monitor_every": 6}
SQUARES = {"num_latents": 0, "num_draws": 1, "exponent": 2.0, "repulsion": 0.0, "patch_sizes": [1]}


def start(kind: str = "class", **changes: Any) -> engression.Engression:
    return engression.start(engression.SETTINGS[kind](**(SMALL | changes)), TASKS[kind])


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# The score.


def score(drawn: Tensor, x: Tensor, patch_sizes: tuple[int, ...] = (0,), exponent: float = 1.0) -> float:
    """Of draws (N, P, ...) against truths (N, T, ...)."""
    error, spread = energy.score(drawn, x, exponent, 1.0, patch_sizes)
    return (error - spread / 2).item()


def test_of_one_pair_of_draws_it_is_the_formula_by_hand() -> None:
    drawn, x = torch.tensor([[[3.0, 4.0], [0.0, 0.0]]]).double(), torch.zeros(1, 1, 2).double()
    apart = 5 / math.sqrt(2)  # root mean square over two coordinates
    assert score(drawn, x) == pytest.approx((apart + 0) / 2 - apart / 2, abs=1e-3)


def test_each_draw_is_compared_with_each_truth_of_its_condition_and_of_no_other() -> None:
    drawn, x = torch.tensor([[[1.0], [5.0]], [[0.0], [0.0]]]), torch.tensor([[[2.0], [9.0]], [[0.0], [0.0]]])
    error, spread = energy.score(drawn.double(), x.double(), 1.0, 1.0, (0,))
    assert error.item() == pytest.approx((1 + 8 + 3 + 4 + 0) / 8, abs=1e-3)
    assert spread.item() == pytest.approx((4 + 0) / 2, abs=1e-3)


@pytest.mark.parametrize(("num_draws", "num_truths"), [(2, 1), (5, 1), (3, 4)])
def test_it_estimates_the_energy_score_without_bias_whatever_the_numbers_of_draws_and_truths(
    num_draws: int, num_truths: int
) -> None:
    x, drawn = normal(200_000, num_truths, 1), normal(200_000, num_draws, 1, seed=1)
    assert score(drawn, x) == pytest.approx(1 / math.sqrt(math.pi), abs=6e-3)


def test_draws_of_the_truth_score_better_than_narrower_shifted_and_wider_ones() -> None:
    x, drawn = normal(100_000, 1, 1), normal(100_000, 2, 1, seed=1)
    best = score(drawn, x)
    assert all(score(wrong, x) > best + 0.01 for wrong in (0.6 * drawn, drawn + 0.4, 1.5 * drawn))


def test_patches_of_all_sizes_are_compared_and_weigh_the_same() -> None:
    apart = torch.full((2, 3, 3, 8, 8), 0.5).double()
    for sizes in ((1,), (4,), (0,), (1, 4, 0)):
        found = energy.distances(apart, 1.0, sizes).item()
        assert found == pytest.approx(0.5 * len(sizes), abs=1e-3)


def test_single_pixels_do_not_see_that_they_belong_together_and_the_whole_image_does() -> None:
    """Both pixels are black or both white; draws whose pixels are independent have the same marginals."""
    together = torch.sign(normal(40_000, 3, 1, 1, 1)).expand(-1, -1, 1, 2, 1)
    apart = torch.sign(normal(40_000, 2, 1, 2, 1, seed=1))
    x, drawn = together[:, :1], together[:, 1:]
    assert score(drawn, x, (1,)) == pytest.approx(score(apart, x, (1,)), abs=0.02)
    assert score(drawn, x, (0,)) < score(apart, x, (0,)) - 0.05


def test_the_gradient_is_a_number_where_draws_coincide_with_each_other_and_the_truth() -> None:
    drawn = torch.zeros(2, 2, 1, 4, 4, requires_grad=True)
    error, spread = energy.score(drawn, torch.zeros(2, 1, 1, 4, 4), 1.0, 1.0, (1, 0))
    (error - spread / 2).backward()
    assert drawn.grad is not None
    assert drawn.grad.isfinite().all()


# The training.


@pytest.mark.parametrize("kind", ["class", "image", "words", "numbers"])
def test_without_latents_and_with_squared_errors_of_pixels_its_gradients_are_regressions(kind: str) -> None:
    ours = start(kind, **SQUARES)
    theirs = regression.start(regression.SETTINGS[kind](**SMALL), TASKS[kind])
    theirs.network.load_state_dict(ours.network.state_dict())
    for training in (ours, theirs):
        training.step(TASKS[kind].train)
    pairs = zip(ours.network.parameters(), theirs.network.parameters(), strict=True)
    for a, b in pairs:
        assert a.grad is not None
        assert b.grad is not None
        assert torch.allclose(a.grad, b.grad, rtol=1e-4, atol=1e-7)


def test_two_answers_are_both_given_where_regression_gives_their_mean() -> None:
    """Of each condition the truth is -1 or 1, and one number."""
    x, c = torch.tensor([-1.0, 1.0]).repeat(128)[:, None], torch.ones(256, 1)
    task = task_of("numbers", x, c)
    numbers = {"width": 16, "batch_size": 128, "num_steps": 300, "learning_rate": 0.02, "num_latents": 2}
    intervals = {"log_every": 100, "save_every": 300, "monitor_every": 300, "ema_halflife": 1000.0}
    training = engression.start(engression.SETTINGS["numbers"](**numbers, **intervals), task)
    advance(training, task.train, 300)
    z = randomness.normal(1000, num_inputs(training.ema), 0, LATENTS)
    with torch.no_grad():
        drawn = training.ema(z, torch.ones(1, 1))[:, 0]
    assert drawn.mean().abs() < 0.2
    assert (drawn.abs() - 1).abs().mean() < 0.25
    assert drawn.std() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("kind", "num_conditions"), [("none", 8), ("class", 2), ("image", 2), ("words", 2), ("numbers", 2)]
)
def test_a_batch_is_of_draws_several_of_each_condition_or_as_many_as_examples_where_there_is_none(
    kind: str, num_conditions: int
) -> None:
    training = start(kind, num_draws=4)
    asked: list[int] = []
    training.network.register_forward_pre_hook(lambda module, given: asked.extend(map(len, given)))
    logged = training.step(TASKS[kind].train)
    assert asked == [8, num_conditions]
    expected = logged["error"] - logged["spread"] / 2
    assert logged["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_next_step_is_of_other_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[int]] = []
    batch = InMemory.batch
    monkeypatch.setattr(InMemory, "batch", lambda self, i: asked.append(set(i.tolist())) or batch(self, i))
    advance(start(), TASKS["class"].train, 2)
    assert not asked[0] & asked[1]


# Points: several members side by side.

PLACES = normal(48, 2, seed=2).float()
POINTS = task_of("points", PLACES, PLACES[:, :0])


def of_points(**changes: Any) -> engression.Engression:
    numbers = {"num_members": 3, "num_draws": 4, "num_latents": 2, "batch_size": 24}
    return engression.start(engression.PointSettings(**(SMALL | numbers | changes)), POINTS)


def test_the_draws_of_a_member_are_compared_with_each_other_and_their_own_points_alone() -> None:
    """Two groups of four draws for each of three members, and four points for each group."""
    training = of_points()
    x = POINTS.train.x[training.take(POINTS.train, 24).chosen]
    z = randomness.normal(24, 2, 0, engression.LATENTS, 0)
    with torch.no_grad():
        drawn = by_member(training.network(z, z[:, :0]), 3, 4).unflatten(1, (2, 4))  # (S, 2, P, 2)
    truths = by_member(x, 3, 4).unflatten(1, (2, 4))
    expected = sum(score(*pair) for pair in zip(drawn, truths, strict=True)) / 3
    assert training.step(POINTS.train)["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_the_weights_of_one_member_do_not_touch_the_gradients_of_another() -> None:
    found = []
    for shift in (0.0, 0.5):
        training = of_points(width=16)
        with torch.no_grad():
            for parameter in training.network.parameters():
                parameter[1] += shift
        training.step(POINTS.train)
        found.append(gradients(training.network))
    for name, before in found[0].items():
        assert torch.equal(before[[0, 2]], found[1][name][[0, 2]]), name
        assert before[0].any(), name
    assert not torch.equal(found[0]["head.weight"][1], found[1]["head.weight"][1])


def test_sizes_are_those_of_one_member_for_one_point() -> None:
    """Widths 2, 4, 4, 4 and 2."""
    sizes = {"parameters": 12 + 20 + 20 + 10, "flops": 2 * (8 + 16 + 16 + 8)}
    assert of_points().sizes() == sizes
    assert start("numbers", num_latents=3).sizes()["flops"] == 2 * (4 * 4 + 4 * 4 + 4)


def test_a_resumed_engression_ends_with_the_tensors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    check_resuming(start, TASKS["class"].train, tmp_path / "class")
    check_resuming(of_points, POINTS.train, tmp_path / "points")


@pytest.mark.parametrize(
    "changes",
    [
        {"num_draws": 1},
        {"num_latents": 0},
        {"exponent": 2.0},
    ],
)
def test_draws_that_cannot_repel_each_other_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"repulsion = 1.0: draws repel each other with num_draws of 2"):
        engression.Settings(**(SMALL | changes))


def test_noise_of_layers_is_for_images_that_are_conditions_and_is_drawn_anew_at_each_step() -> None:
    for kind in ("none", "class", "words", "numbers"):
        with pytest.raises(ValidationError, match=f"layer_noise = True means nothing for .* kind {kind!r}"):
            start(kind, layer_noise=True)
    training = start("image", layer_noise=True)
    drawn: list[Tensor] = []
    training.network.register_forward_pre_hook(lambda module, given: drawn.append(given[0].clone()))
    for training.steps_done in range(2):
        training.step(TASKS["image"].train)
    assert drawn[0].shape == drawn[1].shape == (8, num_inputs(training.network))
    assert (drawn[0] != drawn[1]).float().mean() > 0.99  # of so many numbers some are the same by chance


def test_a_batch_that_draws_or_members_do_not_fill_is_refused() -> None:
    with pytest.raises(ValidationError, match="batch_size = 8 must be a multiple of num_draws = 3"):
        engression.Settings(**(SMALL | {"num_draws": 3}))
    with pytest.raises(ValidationError, match="each must see 4 together: a multiple of 12"):
        of_points(batch_size=32)
