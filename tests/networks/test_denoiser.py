"""Denoisers: networks that are told of time."""

import pytest
import torch
from helpers.flows import (
    conditions,
    each_kind,
    flow,
    spec_of,
)

from pipeline.networks import denoiser, times


@each_kind
def test_a_denoiser_answers_to_image_time_and_condition_and_at_the_start_of_a_flow_to_no_image(
    kind: str,
) -> None:
    network, c = flow(kind).network, conditions(kind, 4)
    x, other = torch.randn(2, 4, *spec_of(kind).image_shape, generator=torch.Generator().manual_seed(3))
    at = {t: torch.full((4,), t) for t in (0.0, 0.3, 0.6)}
    before = network(x, at[0.3], c)
    assert before.shape == x.shape
    changed = [network(other, at[0.3], c), network(x, at[0.6], c)]
    if c.numel():
        changed.append(network(x, at[0.3], c.roll(1, 0)))
    for each in changed:
        assert ((each - before).abs().flatten(1).amax(1) > 1e-4).all()
    denoise = flow(kind).denoise
    assert torch.equal(denoise(x, at[0.0], c), denoise(other, at[0.0], c))


@each_kind
def test_gradients_reach_every_weight_of_a_denoiser(kind: str) -> None:
    network = flow(kind).network.requires_grad_(True)
    x = torch.randn(32, *spec_of(kind).image_shape)
    network(x, torch.rand(32), conditions(kind, 32)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("side", [20, 33])
@pytest.mark.parametrize("kind", ["none", "image"])
def test_images_of_any_size_are_padded_and_cut_again(kind: str, side: int) -> None:
    spec = spec_of(kind, image_shape=[3, side, side])
    c = torch.randn(2, 2, side, side) if kind == "image" else torch.empty(2, 0)
    assert spec.build()(torch.randn(2, 3 * side * side), c).shape == (2, 3, side, side)


def test_as_many_pixels_are_put_on_either_side_as_halving_needs() -> None:
    sides = [denoiser.padded((side, side))[0] for side in (8, 16, 20, 28, 32, 33, 64)]
    assert sides == [8, 16, 24, 32, 32, 48, 64]
    assert denoiser.padded((20, 28)) == [32, 32]  # 28 becomes 32, which is halved four times
    assert denoiser.margins((28, 33)) == [7, 8, 2, 2]  # left, right, top, bottom


def test_the_members_of_a_denoiser_of_points_share_nothing() -> None:
    many = flow("points", num_members=3)
    one = flow("points")
    one.load_state_dict({name: tensor[1:2] for name, tensor in many.state_dict().items()})
    z = torch.randn(12, 2)
    assert torch.allclose(many(z, z[:, :0])[1::3], one(z[1::3], z[:4, :0]), atol=1e-5)


def test_times_are_told_by_cosines_and_what_is_shown_at_the_start_is_nothing() -> None:
    found = times.time_features(torch.tensor([0.0, 0.5, 1.0]))
    assert found.shape == (3, 16)
    assert found[0].tolist() == [1.0] * 16
    assert found[1, :5].tolist() == pytest.approx([1, 0, -1, 0, 1], abs=1e-6)
    assert found[2, :4].tolist() == pytest.approx([1, -1, 1, -1])
    x = torch.ones(3, 1, 2, 2)
    assert times.gated(x, torch.tensor([0.0, 1e-6, 0.5])).flatten(1).sum(1).tolist() == [0, 4, 4]
