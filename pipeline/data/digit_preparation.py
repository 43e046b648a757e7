"""Raw IDX files -> uint8 images and labels, split into training, validation and test."""

from pathlib import Path

import numpy as np

from pipeline.data import idx
from pipeline.data.download import mnist
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Section, Seed
from pipeline.runtime.randomness import permutation


class Params(Section):
    dataset: mnist.DatasetName
    num_validation: Count  # of the training part: to choose settings by, and the noise floor's second set
    seed: Seed  # which ones


def prepare(root: Path, params: Params) -> dict[str, np.ndarray]:
    """Read the IDX files below `root` and split: the arrays `digits.load` expects, by name.

    Raises:
        InputError: a raw file is missing or damaged, or the validation split would leave nothing to train on.
    """
    mnist.verify(root, params.dataset)
    raw = mnist.raw_folder(root, params.dataset)
    pixels, labels = idx.read(raw / mnist.TRAIN_IMAGES), idx.read(raw / mnist.TRAIN_LABELS)
    if params.num_validation >= len(pixels):
        found = f"digits.num_validation = {params.num_validation}"
        raise InputError(f"{found}: must be below {len(pixels)}, the size of the training part")
    order = permutation(len(pixels), params.seed, "validation split").numpy()
    train, validation = np.sort(order[params.num_validation :]), np.sort(order[: params.num_validation])
    return {
        "train_pixels": pixels[train, None],
        "train_labels": labels[train],
        "validation_pixels": pixels[validation, None],
        "validation_labels": labels[validation],
        "test_pixels": idx.read(raw / mnist.TEST_IMAGES)[:, None],
        "test_labels": idx.read(raw / mnist.TEST_LABELS),
    }
