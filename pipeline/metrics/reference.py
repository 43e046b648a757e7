"""The real images that all models are compared with, and what comparing needs of them, taken once."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.data.digits import Pictures
from pipeline.metrics import memorisation
from pipeline.metrics import prdc as manifold
from pipeline.metrics.features import Described
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file

TAKEN = ("features", "read", "radii", "nearest")


@dataclass(frozen=True)
class Reference(Described):
    """Held-out real images with their true classes."""

    labels: Tensor
    radii: Tensor  # (N,) float64: from each image's features to those of its k-th neighbour
    nearest: Tensor  # (M,) float64: from each of the first M images to its nearest training image, in pixels


def take(real: Described, train: Pictures, num_neighbours: int, num_compared: int) -> Reference:
    """What comparing with these images needs of them; M, the `num_compared`, is at most N."""
    assert real.labels is not None
    return Reference(
        real.pixels,
        real.features,
        real.read,
        real.labels,
        radii=manifold.radii(real.features, num_neighbours),
        nearest=memorisation.nearest(real.pixels[:num_compared], train.pixels),
    )


def save(path: Path, reference: Reference, settings: dict[str, Any]) -> None:
    """All but the images, and the settings it was taken with (JSON), without which it may not be loaded."""
    arrays = {name: getattr(reference, name).numpy() for name in TAKEN}
    with new_file(path) as part:
        np.savez(part, settings=json.dumps(settings, sort_keys=True), **arrays)


def load(path: Path, pictures: Pictures, settings: dict[str, Any]) -> Reference:
    """The reference that was taken of the first of these pictures.

    Raises:
        InputError: the file is missing, damaged, of other settings or of more pictures.
    """
    advice = "make it with: dvc repro evaluate_real"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            taken = {name: torch.from_numpy(arrays[name]) for name in TAKEN}
            found = json.loads(str(arrays["settings"]))
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a reference of real images ({error!r}); {advice}") from error
    if found != settings or len(taken["features"]) > len(pictures):
        raise InputError(f"{path}: taken with other settings, features or images; {advice}")
    num = len(taken["features"])
    return Reference(pictures.pixels[:num], labels=pictures.labels[:num], **taken)
