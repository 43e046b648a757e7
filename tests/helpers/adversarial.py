"""Small trainings of every kind of condition, and how to tell what a step changed in them."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.data.images import to_float
from pipeline.methods import adversarial
from pipeline.methods.adversarial import SETTINGS, Adversarial, Settings
from pipeline.networks.network import num_inputs
from pipeline.runtime import randomness
from pipeline.tasks.examples import Examples, InMemory
from pipeline.tasks.task import Task
from pipeline.training import checkpoint

NUM = 24  # examples
PRECISIONS: dict[str, Callable[[], Any]] = {
    "fp32": nullcontext,
    "bf16": partial(torch.autocast, "cpu", torch.bfloat16),
}

both_networks = pytest.mark.parametrize("network", ["mlp", "dcgan"])


def pixels(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)).byte()


def task_of(kind: str, x: Tensor, c: Tensor, num_conditions: int | None = None) -> Task:
    """What is trained on: targets and encoded conditions."""
    num_conditions = c.shape[1] if num_conditions is None else num_conditions
    shapes = tuple(x.shape[1:]), tuple(c.shape[1:])
    return Task("task", kind, kind, *shapes, num_conditions, InMemory(x, c), {}, {})


DIGITS, COLOURED = to_float(pixels(NUM, 1, 8, 8)), to_float(pixels(NUM, 3, 16, 16, seed=1))
TASKS = {
    "none": task_of("none", DIGITS, torch.empty(NUM, 0)),
    "class": task_of("class", DIGITS, F.one_hot(torch.arange(NUM) % 10, 10).float()),
    "image": task_of("image", COLOURED, to_float(pixels(NUM, 1, 16, 16))),
    "words": task_of("words", COLOURED, pixels(NUM, 5, seed=2).long() % 9, 9),
    "numbers": task_of("numbers", torch.linspace(-1, 1, NUM)[:, None], torch.linspace(1, 2, NUM)[:, None]),
}
SMALL = {
    "num_latents": 3,
    "width": 4,
    "learning_rate": 0.01,
    "ema_halflife": 8.0,
    "batch_size": 4,
    "num_steps": 6,
    "log_every": 1,
    "save_every": 6,
    "monitor_every": 6,
}
OF_KIND: dict[str, dict[str, Any]] = {"image": {"l1": 1.0, "penalty_every": 2, "mirror": False}}
OF_KIND["words"] = OF_KIND["image"]


def settings(kind: str = "class", **changes: Any) -> Settings:
    return SETTINGS[kind](**({"beta1": 0.5, "decay_from": 0.5} | SMALL | OF_KIND.get(kind, {}) | changes))


def start(kind: str = "class", **changes: Any) -> Adversarial:
    return adversarial.start(settings(kind, **changes), TASKS[kind])


def batch(training: Adversarial, kind: str = "class", num: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Real images and their conditions with the hidden groups, if there are any, and latents."""
    x, c = TASKS[kind].train.batch(torch.arange(num))
    if training.groups is not None:
        c = training.groups.beside(c, torch.arange(num))
    z = randomness.normal(num, num_inputs(training.generator), 0, "test")
    return x, c, z


def generator_batch(training: Adversarial, kind: str) -> tuple[Tensor, Tensor, Tensor]:
    """The same for a step of G, with P latents a condition."""
    x, c, z = batch(training, kind)
    num = training.settings.batch_size
    return x[: num // training.settings.num_draws], c[: num // training.settings.num_draws], z[:num]


def tensors(*parts: Any) -> dict[str, Tensor]:
    """Copies of all that networks and optimizers hold."""
    found: dict[str, Tensor] = {}
    for number, part in enumerate(parts):
        content = part.state_dict()
        for index, entry in content.pop("state", {}).items():
            content |= {f"{index}.{name}": value for name, value in entry.items()}
        found |= {f"{number}.{k}": v.clone() for k, v in content.items() if isinstance(v, Tensor)}
    return found


def everything(training: Any) -> dict[str, Tensor]:
    return tensors(*checkpoint.parts(training).values())


def learned(*networks: nn.Module) -> dict[str, Tensor]:
    """Copies of the weights, without buffers."""
    return {
        f"{number}.{name}": parameter.detach().clone()
        for number, network in enumerate(networks)
        for name, parameter in network.named_parameters()
    }


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}


def differing(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def seen_by(network: nn.Module) -> list[Tensor]:
    """A list that fills with the first argument of each of the network's calls."""
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    return seen


def advance(training: Any, examples: Examples, num_steps: int, precision: str = "fp32") -> None:
    for _ in range(num_steps):
        with PRECISIONS[precision]():
            training.step(examples)
        training.steps_done += 1


def check_resuming(
    begin: Callable[[], Any], examples: Examples, folder: Path, precision: str = "fp32"
) -> dict[str, Tensor]:
    """Assert that a training stopped after 3 of 5 steps and resumed ends as if it had not been; its end."""
    whole, stopped, resumed = begin(), begin(), begin()
    advance(whole, examples, 5, precision)
    advance(stopped, examples, 3, precision)
    checkpoint.save(folder, "identity", stopped, {})
    torch.rand(7)  # another process has drawn other numbers before
    checkpoint.restore(folder, "identity", resumed)
    assert resumed.steps_done == 3
    assert not differing(everything(stopped), everything(resumed))
    advance(resumed, examples, 2, precision)
    assert not differing(everything(whole), everything(resumed))
    assert differing(everything(stopped), everything(resumed))
    return everything(whole)
