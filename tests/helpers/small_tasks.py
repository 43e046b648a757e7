"""Small data sets, feature networks of random weights, and the tasks that are made of both."""

from pathlib import Path

import numpy as np
import torch

from helpers.synthetic import noise
from pipeline.data.prepared import SPLITS, Arrays, DataSet
from pipeline.data.sets.drawings import NO_TONE
from pipeline.networks.network import Spec
from pipeline.sampling import weights
from pipeline.tasks import make, task
from pipeline.tasks.known import SKIN
from pipeline.tasks.question import Settings
from pipeline.tasks.task import Task

SIZE = 16  # of drawings


def feature_network(file: Path, image_shape: tuple[int, int, int]) -> Path:
    """A classifier of grey images, a SimCLR encoder of those in colour."""
    spec = Spec(method="contrastive", network="simclr", width=4, image_shape=list(image_shape))
    if image_shape[0] == 1:
        changes = {"method": "classification", "network": "classifier", "num_conditions": 10}
        spec = spec.model_copy(update=changes)
    torch.manual_seed(0)
    weights.save(file, spec.build(), spec)
    return file


def digits(num: int = 40) -> DataSet:
    """So many images of noise in each split, of classes 0 .. 9 in turn."""
    splits = {
        split: {
            "images": noise(num, 1, 28, 28, seed=seed).numpy(),
            "labels": np.arange(num, dtype=np.uint8) % 10,
            "classes": np.arange(10, dtype=np.uint8),
        }
        for seed, split in enumerate(SPLITS)
    }
    return DataSet(splits, {"num_classes": 10})


def drawings(num_six: int = 2, num_others: int = 70) -> DataSet:
    """Drawings of noise in each split: the first in six tones, which share line layer and layer map and
    differ in their skin; every third has no caption.
    """
    splits = {split: drawing_split(num_six, num_others, seed) for seed, split in enumerate(SPLITS)}
    return DataSet(splits, {"num_words": 7})


def drawing_split(num_six: int, num_others: int, seed: int) -> Arrays:
    num = 6 * num_six + num_others
    images, sketches = noise(num, 3, SIZE, SIZE, seed=seed), noise(num, 1, SIZE, SIZE, seed=seed + 10)
    layers = noise(num, SIZE, SIZE, seed=seed + 20) % 5
    layers[layers == SKIN] = 0
    layers[:, 4:12, 4:12] = SKIN
    tones, bases = torch.full((num,), NO_TONE), torch.arange(num)
    for i in range(num_six):
        rows = slice(6 * i, 6 * i + 6)
        for array in (images, sketches, layers):
            array[rows] = array[6 * i].clone()
        images[rows, :, 4:12, 4:12] = torch.arange(6).view(6, 1, 1, 1).byte() * 40
        tones[rows], bases[rows] = torch.arange(6), 6 * i
    named = torch.arange(num) % 3 != 1
    tokens = torch.tensor([[2, 5, 1, 0], [0, 0, 0, 0], [6, 0, 0, 0]]).repeat(num, 1)[:num]
    tensors = {"images": images, "sketches": sketches, "layers": layers, "tokens": tokens, "bases": bases}
    captions = np.array([f"drawing {i}" if name else "" for i, name in enumerate(named)])
    return {name: tensor.numpy() for name, tensor in (tensors | {"tones": tones}).items()} | {
        "captions": captions,
        "names": np.array([str(i) for i in range(num)]),
    }


def written(folder: Path, condition: str, data: DataSet, num_stacks: int = 0) -> Task:
    """The task that is made of this data set, in a folder of its own, as it is loaded."""
    shape = data.splits["train"]["images"].shape[1:]
    features = feature_network(folder / "features.safetensors", shape)
    chosen = Settings(
        data="digits" if shape[0] == 1 else "drawings", condition=condition, num_stacks=num_stacks
    )
    make.task(folder / "question", chosen, data, features.read_bytes())
    return task.load(folder / "question")
