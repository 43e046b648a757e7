"""The penguins for a page that opens from disk: lengths, camera, and the networks, small enough to be run by
the page itself.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.metrics.dial import STEPS
from pipeline.play import packed
from pipeline.runtime import randomness
from pipeline.runtime.errors import InputError
from pipeline.theory.learned import Settings
from pipeline.theory.posterior import Camera, smoothed

NUM_DRAWS = 200  # of each sampler
DRAWS = "draws of the page"  # purpose of random numbers


def recorded(lengths: np.ndarray, networks: Path, settings: Settings) -> dict[str, Any]:
    """The section on penguins, of measured lengths in mm, and what the stage `theory` wrote."""
    camera = Camera(smoothed(lengths, settings.bandwidth), settings.noise)
    low, high = camera.seen.quantiles([0.005, 0.995])
    found = {"lengths": lengths.tolist(), "noise": settings.noise, "bandwidth": settings.bandwidth}
    found |= {"mean": camera.prior.mean, "sd": camera.prior.sd, "low": round(low), "high": round(high)}
    found |= {"shown_x": settings.shown_x, "steps": STEPS, "seed": settings.seed, "num_draws": NUM_DRAWS}
    known = {name: network(name, layers) for name, layers in read(networks).items()}
    most = max(each["num_latents"] for each in known.values())
    z = randomness.normal(NUM_DRAWS, most, settings.seed, DRAWS).numpy()  # whatever the camera says
    return found | {"networks": known, "prediction": settings.flow.prediction, "latents": packed.floats(z)}


def read(path: Path) -> dict[str, list[np.ndarray]]:
    """The linear layers of each network, weight and bias in turn."""
    found: dict[str, list[np.ndarray]] = {}
    try:
        with np.load(path) as arrays:
            for key in arrays.files:
                if key.endswith((".weight", ".bias")):
                    found.setdefault(key.partition(".")[0], []).append(arrays[key])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}; make it again with: dvc repro theory") from error
    if not found:
        raise InputError(f"{path}: holds no network; make it again with: dvc repro theory")
    return found


def network(name: str, layers: list[np.ndarray]) -> dict[str, Any]:
    """Its shapes, weights and biases in one, and how many numbers of noise it takes beside x."""
    return {
        "shapes": [list(layer.shape) for layer in layers],
        "values": packed.floats(np.concatenate([layer.ravel() for layer in layers])),
        "num_latents": 1 if name == "flow" else layers[0].shape[1] - 1,
    }
