import copy
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.kernels import activated, library
from pipeline.kernels.activated import Rest
from pipeline.networks import gradients

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "batch alone": lambda num: nn.BatchNorm2d(num, track_running_stats=False),
    "known": lambda num: nn.BatchNorm2d(num).eval(),
    "groups": lambda num: nn.GroupNorm(4, num),
    "none": lambda num: nn.Identity(),
}
NUM, SIDE = 4, 6
PLAIN, STYLED, NOISY, BESIDE, DRAWS, NARROW = (
    {"slope": 0.2},
    {"style": True},
    {"style": True, "noise": True},
    {"style": True, "beside": (NUM, 16)},
    {"style": True, "beside": (NUM // 2, 16)},
    {"beside": (NUM, 3), "slope": 0.2},
)


def norm_of(name: str, num_channels: int) -> nn.Module:
    """A layer whose weights and statistics are not those of its start."""
    norm = NORMS[name](num_channels)
    for tensor in (*norm.parameters(), *norm.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2)
    return norm


def maps(num: int, channels: int) -> Tensor:
    """Numbers that bfloat16 has, too."""
    numbers = (torch.randn(num, channels, SIDE, SIDE) + 3).bfloat16().float()
    return numbers.to(memory_format=torch.channels_last)


def rest_of(channels: int, style: bool = False, noise: bool = False, beside: Any = None) -> Rest:
    return Rest(
        torch.randn(NUM, 2 * channels) if style else None,
        torch.randn(NUM, 3 * SIDE**2)[:, SIDE**2 : 2 * SIDE**2].view(NUM, 1, SIDE, SIDE) if noise else None,
        torch.rand(channels, 1, 1) if noise else None,
        maps(*beside) if beside else None,
    )


def everything(
    function: Any, h: Tensor, norm: nn.Module, slope: float, rest: Rest, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """The output, all gradients, and the statistics that the layer keeps."""
    norm, given = copy.deepcopy(norm), rest._asdict()
    maps = {"h": h.to(dtype), "beside": given["beside"].to(dtype) if rest.beside is not None else None}
    leaves = {
        name: each.detach().clone().requires_grad_(name == "h" or each.shape[1:2] != (3,))
        for name, each in (given | maps).items()
        if isinstance(each, Tensor) and name != "noise"
    }
    y = function(leaves["h"], norm, slope, Rest(**given | {k: v for k, v in leaves.items() if k != "h"}))
    torch.manual_seed(1)
    y.backward(torch.randn(y.shape).bfloat16().to(dtype))
    found = {"y": y.detach()} | {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    found |= {f"d {name}": parameter.grad for name, parameter in norm.named_parameters()}
    return {name: each.float() for name, each in (found | dict(norm.named_buffers())).items()}


@needs_compiler
@pytest.mark.parametrize("channels", [8, 16, 48])
@pytest.mark.parametrize("rest", [PLAIN, STYLED, NOISY, BESIDE, DRAWS, NARROW])
@pytest.mark.parametrize("norm", NORMS)
def test_the_library_computes_what_pytorch_does_and_the_same_gradients(norm, rest, channels):
    torch.manual_seed(0)
    if norm == "none" and rest.get("style"):
        pytest.skip("no network has a style without normalisation")
    layer, h = norm_of(norm, channels), maps(NUM, channels)
    slope, more = rest.get("slope", 0.0), rest_of(channels, **{k: v for k, v in rest.items() if k != "slope"})
    if more.beside is not None and channels == 8 and more.beside.shape[1] == 16:
        assert library.width(channels, 16) == 8
    assert activated.fusible(h, layer, more)
    expected = everything(activated.in_steps, h, layer, slope, more)
    found = everything(activated.activated, h, layer, slope, more)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    rough = everything(activated.activated, h, layer, slope, more, torch.bfloat16)
    for name, value in expected.items():  # bfloat16 has eight bits, and is nowhere rounded in between
        assert (rough[name] - value).norm() <= 0.004 * value.norm() + 1e-6, name


@needs_compiler
def test_maps_are_rounded_to_the_nearest_and_what_is_no_number_stays_none():
    values = torch.tensor(
        [1.00390625, 1.01171875, -1.00390625, 3.3e38, float("inf"), float("nan"), 0.0, 1e-40]
    )
    h, expected = values.repeat(2)[:, None, None].expand(1, 16, 1, 1), values.repeat(2)
    found = activated.activated(h.bfloat16().contiguous(), nn.Identity(), 1.0)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.flatten(), expected.bfloat16(), rtol=0, atol=0, equal_nan=True)
    scaled = activated.activated(torch.full((1, 16, 1, 1), 1.0).bfloat16(), nn.GroupNorm(1, 16), 0.0)
    assert scaled.eq(0).all(), "all alike: nothing is left of it"


@needs_compiler
def test_dropout_keeps_the_mean_and_drops_the_same_in_both_directions():
    h, beside = maps(8, 16), torch.ones(8, 16, SIDE, SIDE, requires_grad=True)
    torch.manual_seed(5)
    y = activated.activated(h, nn.Identity(), 0.0, Rest(beside=beside, dropout=0.25))[:, 16:]
    y.sum().backward()
    assert beside.grad is not None
    assert torch.equal(beside.grad, y)
    kept = y[y > 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / 0.75))
    assert kept.numel() / y.numel() == pytest.approx(0.75, abs=0.02)  # of 4608 numbers: three sd
    torch.manual_seed(5)
    again = activated.activated(h, nn.Identity(), 0.0, Rest(beside=beside, dropout=0.25))[:, 16:]
    other = activated.activated(h, nn.Identity(), 0.0, Rest(beside=beside, dropout=0.25))[:, 16:]
    assert torch.equal(again, y)
    assert not torch.equal(other, y)
    places = (y == 0).double().flatten(1)
    assert torch.corrcoef(places).fill_diagonal_(0).abs().max() < 0.2  # between images; sd 0.04


@needs_compiler
@pytest.mark.parametrize("norm", ["none", "groups", "batch alone"])
@pytest.mark.parametrize("within", [False, True])
def test_it_can_be_differentiated_twice(norm, within, monkeypatch):
    torch.manual_seed(0)
    layer, h = norm_of(norm, 16), maps(NUM, 16).requires_grad_()

    def second() -> Tensor:
        y = activated.activated(h, layer, 0.2)
        (first,) = torch.autograd.grad(y.square().sum(), h, create_graph=True)
        return torch.autograd.grad(first.square().sum(), h)[0]

    if within:
        with gradients.double_backward():
            found = second()
    else:
        found = second()
    monkeypatch.setattr(library, "wanted", False)
    torch.testing.assert_close(found, second(), rtol=1e-3, atol=1e-3)


@needs_compiler
def test_other_layers_types_and_widths_are_left_to_pytorch(monkeypatch):
    class Other(nn.GroupNorm):
        pass

    h, norm = maps(2, 16), nn.GroupNorm(4, 16)
    assert activated.fusible(h, norm, Rest())
    assert not activated.fusible(h, Other(4, 16), Rest())
    assert not activated.fusible(h.double(), norm, Rest())
    assert not activated.fusible(maps(2, 12), nn.GroupNorm(4, 12), Rest())
    assert not activated.fusible(h, norm, Rest(beside=maps(2, 3), dropout=0.5))
    monkeypatch.setattr(library, "wanted", False)
    assert not activated.fusible(h, norm, Rest())


@needs_compiler
def test_results_do_not_depend_on_the_number_of_threads():
    torch.manual_seed(0)
    layer, h, rest = norm_of("batch", 32), maps(NUM, 32), rest_of(32, True, True, (NUM, 16))
    one = everything(activated.activated, h, layer, 0.0, rest)
    torch.set_num_threads(2)
    try:
        two = everything(activated.activated, h, layer, 0.0, rest)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_without_a_compiler_there_is_no_library(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert library.compiled.__wrapped__(16) is None
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setenv("CC", str(broken))
    assert library.compiled.__wrapped__(16) is None
