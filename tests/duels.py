"""Small duels, and how to tell what a step changed in them."""

from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.data.digits import Examples, Pictures
from pipeline.data.images import to_float
from pipeline.methods import adversarial
from pipeline.methods.adversarial import ConditionalParams, Params, State
from pipeline.runtime import randomness
from pipeline.tasks.conditions import TASKS

torch.set_num_threads(1)

SHAPE = (1, 8, 8)
PICTURES = Pictures(
    torch.randint(0, 256, (24, *SHAPE), generator=torch.Generator().manual_seed(0)).byte(),
    torch.arange(24) % 10,
)
DIGIT = TASKS["digit"]
PRECISIONS = {"fp32": nullcontext, "bf16": partial(torch.autocast, "cpu", torch.bfloat16)}

both_networks = pytest.mark.parametrize("network", ["mlp", "dcgan"])


def settings(network: str, **changes: Any) -> ConditionalParams:
    numbers: dict[str, Any] = {
        "network": network,
        "num_latents": 3,
        "width": 4,
        "clusters": 0,
        "loss": "nonsaturating",
        "discriminator_norm": "batch" if network == "dcgan" else "none",
        "minibatch_stddev": False,
        "packing": 1,
        "augment": [],
        "r1": 0.0,
        "r2": 0.0,
        "gradient_penalty": 0.0,
        "penalty_every": 1,
        "orthogonal": 0.0,
        "discriminator_steps": 1,
        "discriminator_sees_condition": True,
        "learning_rate": 0.01,
        "beta1": 0.5,
        "beta2": 0.999,
        "decay_from": 0.5,
        "ema_halflife": 8.0,
        "batch_size": 4,
        "num_steps": 6,
        "log_every": 1,
        "save_every": 6,
        "num_snapshots": 1,
        "fid_every": 6,
        "seed": 0,
    }
    return ConditionalParams(**(numbers | changes))


def begin(params: Params) -> State:
    return adversarial.init_state(params, DIGIT, SHAPE)


def batch(params: Params) -> tuple[Tensor, Tensor, Tensor]:
    """Real images, their conditions, latents."""
    x, labels = to_float(PICTURES.pixels[:8]), PICTURES.labels[:8]
    return x, DIGIT.encode(labels), randomness.normal(8, params.num_latents, 0, "test")


def tensors(*parts: Any) -> dict[str, Tensor]:
    """Copies of all that networks and optimizers hold."""
    found = {}
    for number, part in enumerate(parts):
        content = part.state_dict()
        for index, entry in content.pop("state", {}).items():
            content |= {f"{index}.{name}": value for name, value in entry.items()}
        found |= {f"{number}.{k}": v.clone() for k, v in content.items() if isinstance(v, Tensor)}
    return found


def everything(state: State) -> dict[str, Tensor]:
    return tensors(state.generator, state.discriminator, state.average, state.g_optimizer, state.d_optimizer)


def gradients(network: torch.nn.Module) -> dict[str, Tensor]:
    return {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}


def differing(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def advance(
    state: State, params: Params, num_steps: int, precision: str, examples: Examples = PICTURES
) -> None:
    for _ in range(num_steps):
        with PRECISIONS[precision]():
            adversarial.train_step(state, examples, params)
        state.step += 1
