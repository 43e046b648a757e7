"""Small untrained models of every kind of condition, as if they had been evaluated."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.networks.network import Spec
from pipeline.runtime.files import sha256
from pipeline.sampling import weights
from pipeline.tracking.packing import Evaluated
from pipeline.tracking.served import Asked

WORDS = ["blue", "cat", "face", "red"]
SPECS: dict[str, dict[str, Any]] = {
    "image": {"kind": "image", "network": "unet", "num_conditions": 1, "image_shape": [3, 16, 16]},
    "words": {"kind": "words", "network": "caption", "num_conditions": 6, "image_shape": [3, 16, 16]},
    "class": {"kind": "class", "network": "dcgan", "num_conditions": 10, "image_shape": [1, 28, 28]},
    "none": {"kind": "none", "network": "mlp", "image_shape": [1, 28, 28]},
    "regression": {"kind": "image", "network": "unet", "num_conditions": 1, "num_latents": 0}
    | {"image_shape": [3, 16, 16], "method": "regression"},
    "flow": {"kind": "image", "network": "denoiser", "num_conditions": 1, "num_latents": 0}
    | {"image_shape": [3, 16, 16], "method": "flow", "solver": "adams_bashforth", "solver_steps": 4},
    "groups": {"kind": "none", "network": "dcgan", "clusters": 3, "image_shape": [1, 28, 28]},
}
EXAMPLES: dict[str, Any] = {
    "image": np.arange(2 * 256, dtype=np.uint64).reshape(2, 1, 16, 16).astype(np.uint8),
    "words": ["red cat", "Blue face"],
    "class": np.array([7, 0]),
    "none": np.arange(2),
}


def spec(name: str, task: str = "question") -> Spec:
    return Spec(**{"method": "adversarial", "num_latents": 4, "width": 8, "task": task} | SPECS[name])


def evaluated(folder: Path, name: str, score: float = 1.0, seed: int = 0, **changes: Any) -> Evaluated:
    """The model of one of SPECS, in a folder of its name and seed."""
    chosen, model = spec(name), f"{name}-{seed}"
    torch.manual_seed(seed)
    file = folder / model / weights.FILE
    network = chosen.build()
    with torch.no_grad():
        for parameter in network.parameters():  # nothing stays at zero, so that conditions show
            parameter.add_(0.1 * torch.randn_like(parameter))
    weights.save(file, network, chosen)
    asked = Asked(words=WORDS if chosen.kind == "words" else [])
    found = Evaluated(
        name=model,
        weights=file,
        sha256=sha256(file),
        spec=chosen,
        asked=asked,
        example=EXAMPLES[chosen.kind],
        metrics={"fid": 2.5, "energy_score": 0.25},
        criterion="energy_score",
        score=score,
    )
    return found._replace(**changes)
