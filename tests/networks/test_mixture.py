"""A mixture draws its hidden groups as often as they occur."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pipeline.networks.mixture import Mixture
from pipeline.networks.network import Spec, num_inputs
from pipeline.sampling import weights


class Echo(nn.Module):
    """An image that is the condition."""

    num_latents, num_noise, num_evaluations = 2, 1, 3

    def __init__(self) -> None:
        super().__init__()
        self.latents: list[Tensor] = []

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        self.latents.append(z)
        return c


SHARES = torch.tensor([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])


def of_class(k: int, num: int = 1) -> Tensor:
    """Class k of two, (num, 2)."""
    return torch.eye(2)[[k] * num]


def test_a_mixture_picks_the_group_in_whose_share_of_the_normal_distribution_its_last_number_lies() -> None:
    mixture = Mixture(Echo(), 2, SHARES)
    # quantiles of 0.2 and 0.7: -0.8416 and 0.5244
    pick = torch.tensor([-9.0, -0.85, -0.84, 0.0, 0.52, 0.53, 9.0])
    z = torch.cat([torch.zeros(7, 3), pick[:, None]], 1)
    groups = mixture(z, of_class(0, 7))[:, 2:].argmax(1)
    assert groups.tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert mixture(z, of_class(1, 7))[:5, 2:].argmax(1).tolist() == [4] * 5


def test_a_mixture_draws_groups_as_often_as_their_shares_say() -> None:
    z = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(0))
    seen = Mixture(Echo(), 2, SHARES)(z, of_class(0, 20_000))
    assert torch.equal(seen[:, :2], of_class(0, 20_000))
    assert torch.equal(seen[:, 2:].sum(1), torch.ones(20_000))
    assert seen[:, 2:].mean(0).tolist() == pytest.approx([0.2, 0.5, 0.3, 0, 0, 0], abs=0.015)
    alone = Mixture(Echo(), 0, SHARES[:1])(z, torch.empty(20_000, 0))
    assert alone.mean(0).tolist() == pytest.approx([0.2, 0.5, 0.3], abs=0.015)


def test_a_mixture_whose_condition_says_the_group_uses_it_and_keeps_the_pick_to_itself() -> None:
    inner = Echo()
    mixture = Mixture(inner, 2, SHARES)
    assert (mixture.num_latents, mixture.num_noise, num_inputs(mixture)) == (2, 2, 4)
    assert mixture.num_evaluations == inner.num_evaluations
    z, c = torch.randn(3, 4), torch.eye(8)[[3, 4, 5]]
    assert torch.equal(mixture(z, c), c)
    assert torch.equal(inner.latents[0], z[:, :3])


def mixture_of(num_conditions: int) -> tuple[Mixture, Spec]:
    spec = Spec(
        method="adversarial",
        network="mlp",
        width=4,
        image_shape=[1, 8, 8],
        num_latents=3,
        num_conditions=num_conditions,
        clusters=2,
    )
    built = spec.build()
    assert isinstance(built, Mixture)
    shares = torch.rand(max(num_conditions, 1), 2, generator=torch.Generator().manual_seed(0))
    built.set_shares(shares / shares.sum(1, keepdim=True))
    assert torch.equal(built.upper, (shares / shares.sum(1, keepdim=True)).cumsum(1))
    return built, spec


@pytest.mark.parametrize("num_conditions", [10, 0])
def test_a_mixture_is_saved_with_its_shares_and_loaded_through_its_spec(
    num_conditions: int, tmp_path: Path
) -> None:
    mixture, spec = mixture_of(num_conditions)
    weights.save(tmp_path / "weights", mixture, spec)
    loaded, found = weights.load(tmp_path / "weights")
    assert found == spec
    assert torch.equal(loaded.upper, mixture.upper)
    z, c = torch.randn(50, num_inputs(mixture)), torch.eye(max(num_conditions, 1))[[0] * 50, :num_conditions]
    assert torch.equal(loaded(z, c), mixture.eval()(z, c))


def test_a_mixture_is_a_pure_function_of_its_latents() -> None:
    mixture, _ = mixture_of(10)
    z, c = torch.randn(6, num_inputs(mixture)), torch.eye(10)[:6]
    first = mixture.eval()(z, c)
    torch.rand(3)
    assert torch.equal(mixture(z, c), first)
    assert torch.allclose(mixture(z[4:5], c[4:5]), first[4:5], atol=1e-6)
    changed = z.clone()
    changed[:, -1] = -z[:, -1]
    assert not torch.equal(mixture(changed, c), first)  # another group for some
