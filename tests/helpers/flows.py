"""Small flows of every kind of condition, and conditions to ask them by."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.networks.flow import Flow, flow_of
from pipeline.networks.network import Spec, num_inputs

NUM_WORDS = 9
SPECS: dict[str, dict[str, Any]] = {  # digits' sides are no multiples of 8, so that they are padded
    "none": {"network": "denoiser", "image_shape": [1, 28, 28]},
    "class": {"network": "denoiser", "image_shape": [1, 28, 28], "num_conditions": 10},
    "image": {"network": "denoiser", "image_shape": [3, 16, 32], "num_conditions": 2},
    "words": {"network": "denoiser", "image_shape": [3, 16, 16], "num_conditions": NUM_WORDS},
    "numbers": {"network": "denoiser_line", "image_shape": [1], "num_conditions": 1},
    "points": {"network": "denoiser_points", "image_shape": [2]},
}
each_kind = pytest.mark.parametrize("kind", SPECS)
EACH = [(kind, 0) for kind in SPECS] + [("none", 3), ("class", 2)]
each_kind_and_mixture = pytest.mark.parametrize(("kind", "clusters"), EACH)


def spec_of(kind: str, **changes: Any) -> Spec:
    sizes = {"method": "flow", "width": 8, "solver": "euler", "solver_steps": 3}
    return Spec(**(sizes | {"kind": kind} | SPECS[kind] | changes))


def sampler_of(spec: Spec) -> Any:
    """A flow, or a mixture of one, with nothing left at zero and groups of unequal shares."""
    torch.manual_seed(0)
    sampler = spec.build().to(memory_format=torch.channels_last).eval().requires_grad_(False)
    for parameter in sampler.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    if spec.clusters:
        shares = torch.rand_like(sampler.upper)
        sampler.set_shares(shares / shares.sum(1, keepdim=True))
    return sampler


def flow(kind: str, **changes: Any) -> Flow:
    found = flow_of(sampler_of(spec_of(kind, **changes)))
    assert found is not None
    return found


def latents(sampler: Any, num: int) -> Tensor:
    return torch.randn(num, num_inputs(sampler), generator=torch.Generator().manual_seed(1))


def conditions(kind: str, num: int) -> Tensor:
    """All different, where there are any."""
    source = torch.Generator().manual_seed(2)
    if kind == "image":
        return torch.rand(num, 2, *SPECS[kind]["image_shape"][1:], generator=source) * 2 - 1
    if kind == "words":
        return 1 + (torch.arange(num)[:, None] + torch.arange(4)) % (NUM_WORDS - 1)
    return {
        "class": torch.eye(10)[torch.arange(num) % 10],
        "numbers": torch.linspace(-1, 1, num)[:, None],
    }.get(kind, torch.empty(num, 0))
