"""Digits, MNIST and two data sets of its form: raw IDX files -> images with their classes, split."""

from pathlib import Path

import numpy as np

from pipeline.data.download import mnist
from pipeline.data.download.choice import Entry, Source
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Seed
from pipeline.runtime.randomness import permutation

FIELDS = (
    "images",
    "labels",
    "classes",
)  # (N, 1, 28, 28) uint8, (N,) uint8; the classes themselves, (K,) uint8
LEARNER = "classification", "label"
VALIDATION_SPLIT = "validation split"  # purpose of random numbers


class Settings(Entry, Source):
    dataset: mnist.DatasetName = "mnist"  # mnist | fashion_mnist | kmnist | own; but mnist: mirror, folder
    num_validation: Count = 10_000  # of the training part: to choose settings by, and for noise floors
    seed: Seed = 0  # which ones


def fetch(settings: Settings, root: Path) -> None:
    mnist.fetch(settings.dataset, settings, root)


def prepare(raw: Path, settings: Settings, work: Path) -> DataSet:
    """Read and split the IDX files in `raw`; an InputError if one is damaged, or none is left to train on."""
    (images, labels), test = mnist.read(raw, settings.dataset)
    if settings.num_validation >= len(images):
        found = f"num_validation = {settings.num_validation}"
        raise InputError(f"{found}: must be below {len(images)}, the size of the training part")
    order = permutation(len(images), settings.seed, VALIDATION_SPLIT).numpy()
    validation, train = (np.sort(rows) for rows in np.split(order, [settings.num_validation]))
    parts = (images[train], labels[train]), (images[validation], labels[validation]), test
    values = np.unique(np.concatenate([y for _, y in parts]))  # EMNIST's letters begin at 1
    classes = np.arange(len(values), dtype=np.uint8)
    splits = {
        split: {
            "images": x[:, None],
            "labels": np.searchsorted(values, y).astype(np.uint8),
            "classes": classes,
        }
        for split, (x, y) in zip(SPLITS, parts, strict=True)
    }
    return DataSet(splits, {"num_classes": len(values)})
