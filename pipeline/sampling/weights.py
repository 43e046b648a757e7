"""Trained weights as safetensors, no pickle; one metadata key, sorted JSON: equal weights are equal bytes."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from pipeline.networks.network import Spec
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file

FILE = "weights.safetensors"  # in a model's folder


def save(path: Path, network: nn.Module, spec: Spec) -> None:
    """Write a network's weights and how to build it."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with new_file(path) as part:
        save_file(
            tensors,
            part,
            metadata={"spec": json.dumps(spec.model_dump(exclude_defaults=True), sort_keys=True)},
        )


def load(path: Path, device: torch.device = compute.CPU) -> tuple[nn.Module, Spec]:
    """The network of a weights file, ready to use (evaluation mode, frozen) on this device, and its spec.

    Raises:
        InputError: the file is missing, damaged, or not that of a network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            spec = Spec.model_validate_json(file.metadata()["spec"])
        network = spec.build()
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not the weights of a network: {reason}") from error
    network = network.to(device).to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False), spec
