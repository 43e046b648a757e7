"""Trained weights on disk: safetensors with one metadata key, sorted JSON, so that equal weights are equal
bytes; no pickle.
"""

import json
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file


class Spec(Protocol):
    """All that is needed to build a network again: a `Section` that can."""

    def build(self) -> nn.Module: ...

    def model_dump(self) -> dict[str, Any]: ...

    @classmethod
    def model_validate_json(cls, json_data: str) -> Self: ...


S = TypeVar("S", bound=Spec)


def save(path: Path, network: nn.Module, spec: Spec) -> None:
    """Write a network's weights and how to build it."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with new_file(path) as part:
        save_file(tensors, part, metadata={"spec": json.dumps(spec.model_dump(), sort_keys=True)})


def load(path: Path, kind: type[S], device: torch.device = compute.CPU) -> tuple[nn.Module, S]:
    """The network of a weights file, ready to use (evaluation mode, frozen) on this device, and its spec.

    Raises:
        InputError: the file is missing, damaged, or holds another kind of model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            spec = kind.model_validate_json(file.metadata()["spec"])
        network = spec.build()
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, ValidationError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: not the weights of a {kind.__name__.removesuffix('Spec').lower()}: {reason}"
        ) from error
    network = network.to(device).to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False), spec
