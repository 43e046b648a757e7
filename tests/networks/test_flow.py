"""Flows: what a denoiser is shown, how often it is asked, and that a flow is a generator like any other."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.exact import Exact
from helpers.flows import (
    conditions,
    each_kind_and_mixture,
    flow,
    latents,
    sampler_of,
    spec_of,
)
from helpers.networks import untrained
from torch import Tensor, nn

from pipeline.networks.flow import Flow, flow_of, sampling_with
from pipeline.networks.solvers import SOLVERS
from pipeline.sampling import weights


class Spy(nn.Module):
    """Answers the condition's sum, or one number where there is none; writes down what it is asked."""

    def __init__(self, answer: float = 0.5) -> None:
        super().__init__()
        self.answer, self.asked = answer, list[tuple[Tensor, Tensor, Tensor]]()

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        self.asked.append((x_t, t, c))
        total = self.answer + c.flatten(1).sum(1)
        return total.view(-1, *[1] * (x_t.ndim - 1)).expand_as(x_t)


NOTHING = torch.empty(6, 0)
Z = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))

# What a sample is.


@each_kind_and_mixture
def test_one_step_gives_one_answer_a_condition_whatever_the_noise(kind: str, clusters: int) -> None:
    sampler = sampler_of(spec_of(kind, clusters=clusters, solver_steps=1))
    z, c = latents(sampler, 4), conditions(kind, 4)
    other = z.clone()
    other[:, : sampler.num_latents] += 1.0  # and not the number that picks a group
    assert torch.allclose(sampler(z, c), sampler(other, c), atol=1e-5)
    flow_of(sampler).num_steps = 2
    assert not torch.allclose(sampler(z, c), sampler(other, c), atol=1e-3)


def test_a_network_of_velocities_sees_the_noise_that_it_has_to_take_away() -> None:
    noise, t, c = torch.randn(2, 1, 28, 28), torch.zeros(2), torch.empty(2, 0)
    seen = flow("none", prediction="velocity").denoise(noise, t, c) - noise
    assert not torch.allclose(seen[0], seen[1], atol=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_of_the_exact_denoiser_one_step_is_the_mean_and_many_end_at_answers(solver: str) -> None:
    answers = torch.tensor([-0.8, 0.2, 0.6]).view(3, 1, 1, 1).expand(3, 3, 2, 2)
    one, many = (Flow(Exact(answers), (3, 2, 2), solver, num)(Z, NOTHING) for num in (1, 64))
    assert torch.allclose(one, torch.zeros_like(one), atol=1e-6)
    apart = (many[:, None] - answers).abs().flatten(2).amax(2)  # (N, answers)
    assert apart.min(1).values.max() < 0.01


def test_latents_are_the_noise_that_the_first_step_starts_from() -> None:
    network = Spy()
    Flow(network, (3, 2, 2), "euler", 2)(Z, NOTHING)
    (x_0, t_0, _), (x_1, t_1, _) = network.asked
    assert not x_0.any()  # it is shown none of it
    assert torch.allclose(x_1, Z.view(6, 3, 2, 2) / 2 + 0.5 / 2)
    assert (t_0.tolist(), t_1.tolist()) == ([0] * 6, [0.5] * 6)


def test_images_are_cut_off_at_the_end_and_nothing_else_is() -> None:
    assert Flow(Spy(3.0), (3, 2, 2), "euler", 4)(Z, NOTHING).unique().item() == 1
    for answer in (3.0, -7.0):
        found = Flow(Spy(answer), (12,), "euler", 4)(Z, NOTHING)
        assert torch.allclose(found, torch.full_like(found, answer), atol=1e-5)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize(("solver", "expected"), [("euler", 5), ("adams_bashforth", 5), ("heun", 9)])
def test_the_network_is_evaluated_as_often_as_is_said_and_twice_as_often_with_guidance(
    solver: str, expected: int, guidance: float
) -> None:
    network = Spy()
    found = Flow(network, (12,), solver, 5, "data", guidance)
    found(Z, NOTHING)
    assert len(network.asked) == found.num_evaluations == expected * (1 if guidance == 1 else 2)


# Guidance and velocities.


def test_guidance_leads_x_hat_so_many_times_as_far_from_that_of_a_blank_condition() -> None:
    """Answers are 0.5 and the condition; of a blank one 0.5 alone."""
    c = torch.linspace(-0.3, 0.3, 6)[:, None]
    for guidance in (0.5, 1.0, 3.0):
        found = Flow(Spy(), (12,), "euler", 1, "data", guidance).guided(Z, 0.5, c)
        assert torch.allclose(found, (0.5 + guidance * c).expand(-1, 12), atol=1e-6)


def test_a_network_of_velocities_leads_from_where_it_is_for_the_rest_of_the_time() -> None:
    t = torch.tensor([0.2, 0.5, 0.9, 0.2, 0.5, 0.9])
    x_t, found = Z.view(6, 3, 2, 2), Flow(Spy(2.0), (3, 2, 2), "euler", 1, "velocity")
    expected = x_t + 2 * (1 - t).view(6, 1, 1, 1)
    assert torch.allclose(found.denoise(x_t, t, NOTHING), expected)
    replica = Spy(3.0)
    assert torch.allclose(found.denoise(x_t, t, NOTHING, replica), 1.5 * expected - 0.5 * x_t)


def test_answers_of_a_network_of_data_are_bounded_and_velocities_are_not() -> None:
    for prediction, expected in (("data", True), ("velocity", False)):
        network = flow("none", prediction=prediction).network
        for parameter in network.parameters():
            parameter.mul_(9)
        x = network(torch.randn(4, 1, 28, 28), torch.full((4,), 0.5), torch.empty(4, 0))
        assert (x.abs().max() <= 1).item() is expected


# A flow is a generator like any other.


@each_kind_and_mixture
def test_draws_of_one_condition_are_those_of_as_many_equal_conditions(kind: str, clusters: int) -> None:
    sampler = sampler_of(spec_of(kind, clusters=clusters))
    z, c = latents(sampler, 6), conditions(kind, 2)
    expected = sampler(z, c.repeat_interleave(3, 0))
    torch.testing.assert_close(sampler(z, c), expected, rtol=1e-4, atol=1e-5)
    assert (expected[0] - expected[1]).abs().max() > 1e-4


@each_kind_and_mixture
def test_a_sample_is_a_function_of_its_own_noise_and_condition(kind: str, clusters: int) -> None:
    sampler = sampler_of(spec_of(kind, clusters=clusters))
    z, c = latents(sampler, 4), conditions(kind, 4)
    x = sampler(z, c)
    torch.rand(7)
    assert torch.equal(sampler.train()(z, c), x)
    for i in range(4):
        alone = sampler(z[i : i + 1], c[i : i + 1])[0]
        torch.testing.assert_close(alone, x[i], rtol=1e-4, atol=1e-5)


@each_kind_and_mixture
def test_what_is_saved_with_its_spec_draws_the_same(kind: str, clusters: int, tmp_path: Path) -> None:
    more: dict[str, Any] = {"solver": "heun", "solver_steps": 2, "clusters": clusters}
    more |= {"prediction": "velocity", "guidance": 1.5} if kind == "class" else {}
    spec = spec_of(kind, **more)
    sampler = sampler_of(spec)
    weights.save(tmp_path / "weights", sampler, spec)
    loaded, found = weights.load(tmp_path / "weights")
    z, c = latents(sampler, 3), conditions(kind, 3)
    assert found == spec
    assert torch.equal(loaded(z, c), sampler(z, c))
    assert loaded.num_evaluations == sampler.num_evaluations == (6 if "guidance" in more else 3)


def test_the_flow_of_a_mixture_is_asked_with_the_group_beside_the_class_and_knows_when_it_is_told() -> None:
    sampler = sampler_of(spec_of("class", clusters=2))
    asked = list[Tensor]()
    flow_of(sampler).network.register_forward_pre_hook(lambda _, args: asked.append(args[2]))
    z, c = latents(sampler, 4), conditions("class", 4)
    picked = sampler.groups(z[:, -1], c)
    x = sampler(z, c)
    assert all(torch.equal(each, torch.cat([c, picked], 1)) for each in asked)
    assert torch.equal(sampler(z, torch.cat([c, picked], 1)), x)


def test_a_flow_is_found_in_what_it_is_part_of_and_nowhere_else() -> None:
    mixture = sampler_of(spec_of("none", clusters=2))
    assert flow_of(mixture) is mixture.generator
    assert flow_of(mixture.generator) is mixture.generator
    assert flow_of(untrained("dcgan")) is None


def test_a_flow_samples_otherwise_for_a_while_and_then_as_before_whatever_happened() -> None:
    found = Flow(Spy(), (12,), "euler", 5, "data", 2.0)
    with suppress(KeyError), sampling_with(found, "heun", 3, 1.0):
        assert found.num_evaluations == 5
        raise KeyError
    assert (found.solver, found.num_steps, found.guidance) == ("euler", 5, 2.0)
