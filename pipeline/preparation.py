"""Raw IDX files -> uint8 images and labels, split into training, validation and test."""

from pathlib import Path

import numpy as np
import torch

from pipeline import sources
from pipeline.errors import InputError
from pipeline.params import Count, Section, Seed
from pipeline.randomness import permutation
from pipeline.sources import DatasetName


class Params(Section):
    dataset: DatasetName
    num_validation: Count  # of the training part: to choose settings by, and the noise floor's second set
    seed: Seed  # which ones


def prepare(root: Path, params: Params) -> dict[str, np.ndarray]:
    """Read torchvision's layout below `root` and split: the arrays `digits.load` expects, by name.

    Raises:
        InputError: a raw file is missing or damaged, or the validation split would leave nothing to train on.
    """
    from torchvision import datasets

    sources.verify(root, params.dataset)
    read = getattr(datasets, sources.DATASETS[params.dataset])
    known, test = read(str(root), train=True), read(str(root), train=False)
    if params.num_validation >= len(known):
        raise InputError(
            f"digits.num_validation = {params.num_validation}: the training part has {len(known)} images"
        )
    order = permutation(len(known), params.seed, "validation split")
    parts = {
        "train": (known, order[params.num_validation :].sort().values),
        "validation": (known, order[: params.num_validation].sort().values),
        "test": (test, torch.arange(len(test))),
    }
    arrays = {}
    for split, (source, chosen) in parts.items():
        arrays[f"{split}_pixels"] = source.data[chosen].unsqueeze(1).numpy()
        arrays[f"{split}_labels"] = source.targets[chosen].to(torch.uint8).numpy()
    return arrays
