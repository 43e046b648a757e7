"""Stacked MNIST: three digits as the channels of one image, so a thousand modes that a classifier can count.

Metz et al. 2017 (arXiv:1611.02163); numbers of images as in Lin et al. 2018 (arXiv:1712.04086).
"""

from typing import Any

import torch
from torch import Tensor

from pipeline.data.images import NUM_CLASSES
from pipeline.data.prepared import Arrays, DataSet
from pipeline.runtime import randomness
from pipeline.tasks.task import Rows, Settings, kept

KIND = "none"
NEEDS = ("images", "labels")
NUM_CHANNELS = 3
NUM_MODES = NUM_CLASSES**NUM_CHANNELS
NUM_HELD_OUT = 26_000  # stacks of the validation and the test split each: as many as are counted
STACKS = {"train": "stacks", "validation": "validation stacks", "test": "test stacks"}  # purposes


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images")


def stacks(arrays: Arrays, split: str, settings: Settings) -> Arrays:
    """The digits, and which of them each stack is made of, (num_stacks, 3)."""
    num = settings.num_stacks if split == "train" else NUM_HELD_OUT
    source = randomness.generator(settings.seed, STACKS[split])
    chosen = torch.randint(len(arrays["images"]), (num, NUM_CHANNELS), generator=source)
    return arrays | {"stacks": chosen.numpy()}


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    """Stacks (n, 3, H, W), made when asked for."""
    x = rows.whole["images"][rows["stacks"]].squeeze(2)
    return x, x.new_empty(len(x), 0).float()


def facts(data: DataSet) -> dict[str, Any]:
    return {"num_modes": NUM_MODES}


def numbers(digits: Tensor) -> Tensor:
    """The modes of triples of digits (N, 3), 100 a + 10 b + c, (N,) in 0 .. 999."""
    a, b, c = digits.unbind(1)
    return (a * NUM_CLASSES + b) * NUM_CLASSES + c
