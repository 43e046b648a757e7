"""Penalties against values worked out by hand."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.methods import penalties

SOURCE = torch.Generator().manual_seed(0)
X, FAKES = torch.randn(2, 6, 2, 3, 3, generator=SOURCE)
C = torch.randn(6, 4, generator=SOURCE)
WEIGHT = torch.randn(2 * 3 * 3, generator=SOURCE)
SHARE = torch.tensor([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])


class Linear(nn.Module):
    """D(x) = w x: its gradient is w everywhere."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight


class Squares(nn.Module):
    """D(x, c) = w |x|^2 / 2 + sum c: its gradient is w x."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.weight * x.square().flatten(1).sum(1) / 2 + c.sum(1)


def test_r1_of_a_linear_discriminator_is_half_its_squared_weight() -> None:
    found = penalties.zero_centred(Linear(WEIGHT), X, C)
    assert found.shape == ()
    assert found.item() == pytest.approx(WEIGHT.square().sum().item() / 2, rel=1e-6)


def test_r1_is_taken_where_the_images_are() -> None:
    found = penalties.zero_centred(Squares(3.0), X, C)
    assert found.item() == pytest.approx(9 * X.square().flatten(1).sum(1).mean().item() / 2, rel=1e-5)


def test_the_gradient_penalty_of_a_linear_discriminator_is_0_at_length_1() -> None:
    for length, expected in ((1.0, 0.0), (3.0, 4.0), (0.25, 0.5625)):
        D = Linear(WEIGHT * length / WEIGHT.norm())
        found = penalties.one_centred(D, X, FAKES, C, SHARE)
        assert found.item() == pytest.approx(expected, abs=1e-6)


def test_the_gradient_penalty_is_taken_between_the_two_images_at_the_given_share() -> None:
    between = X + SHARE.view(-1, 1, 1, 1) * (FAKES - X)
    expected = (2 * between.flatten(1).norm(dim=1) - 1).square().mean()
    found = penalties.one_centred(Squares(2.0), X, FAKES, C, SHARE)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_flat_discriminator_has_a_gradient_penalty_of_1_and_a_finite_gradient() -> None:
    D = Linear(torch.zeros(18))
    found = penalties.one_centred(D, X, FAKES, C, SHARE)
    assert found.item() == pytest.approx(1, abs=1e-5)
    (gradient,) = torch.autograd.grad(found, D.weight)
    assert gradient.isfinite().all()


def test_the_gradients_of_the_penalties_reach_the_weights_of_the_discriminator() -> None:
    D = Linear(WEIGHT.clone())
    (by_r1,) = torch.autograd.grad(penalties.zero_centred(D, X, C), D.weight)
    assert by_r1.tolist() == pytest.approx(WEIGHT.tolist(), rel=1e-5)  # of |w|^2 / 2
    (by_gp,) = torch.autograd.grad(penalties.one_centred(D, X, FAKES, C, SHARE), D.weight)
    length = WEIGHT.norm()
    expected = 2 * (length - 1) * WEIGHT / length  # of (|w| - 1)^2
    assert by_gp.tolist() == pytest.approx(expected.tolist(), rel=1e-4)


def test_no_gradient_reaches_the_images_or_what_made_them() -> None:
    x = X.clone().requires_grad_()
    penalties.zero_centred(Squares(1.0), x * 2, C).backward()
    assert x.grad is None


def test_under_bf16_autocast_penalties_are_the_numbers_of_fp32() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(4, 1))
    seen = []

    def D(x: Tensor, c: Tensor) -> Tensor:
        logits = network(x)[:, 0]
        seen.append(logits.dtype)
        return logits

    expected = [penalties.zero_centred(D, X, C), penalties.one_centred(D, X, FAKES, C, SHARE)]
    with torch.autocast("cpu", torch.bfloat16):
        assert D(X, C).dtype == torch.bfloat16
        found = [penalties.zero_centred(D, X, C), penalties.one_centred(D, X, FAKES, C, SHARE)]
        assert D(X, C).dtype == torch.bfloat16  # the precision around is put back
        from_bf16 = penalties.zero_centred(D, X.bfloat16(), C.bfloat16())
    assert [value.item() for value in found] == [value.item() for value in expected]
    assert from_bf16.dtype == torch.float32
    assert seen.count(torch.float32) == 5


def test_orthogonal_rows_cost_nothing_however_long_they_are() -> None:
    assert penalties.orthogonal([torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.5, 0.0]])]).item() == 0
    assert penalties.orthogonal([]).item() == 0


def test_the_orthogonal_penalty_is_the_sum_of_squared_products_of_different_rows() -> None:
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]])  # products 11, 2 and 4, each twice
    assert penalties.orthogonal([rows]).item() == pytest.approx(2 * (121 + 4 + 16))
    kernel = torch.tensor([[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 0.0]]).view(2, 1, 2, 2)  # product 6
    assert penalties.orthogonal([rows, kernel]).item() == pytest.approx(282 + 72)
