"""Stacked MNIST: three digits as the channels of one image, so a thousand modes that a classifier can count.

Metz et al. 2017 (arXiv:1611.02163); numbers of images as in Lin et al. 2018 (arXiv:1712.04086).
"""

import torch
from torch import Tensor

from pipeline.data.prepared import Arrays
from pipeline.runtime import randomness
from pipeline.tasks.question import Question, Rows, Settings

NUM_CHANNELS = 3
NUM_HELD_OUT = 26_000  # stacks of the validation and the test split each: as many as are counted
STACKS = {"train": "stacks", "validation": "validation stacks", "test": "test stacks"}  # purposes


def stacks(fields: Arrays, split: str, settings: Settings) -> Arrays:
    """Which digits each stack is made of, (num_stacks, 3)."""
    num = settings.num_stacks if split == "train" else NUM_HELD_OUT
    source = randomness.generator(settings.seed, STACKS[split])
    chosen = torch.randint(len(fields["images"]), (num, NUM_CHANNELS), generator=source)
    return {"stacks": chosen.numpy()}


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    """Stacks (n, 3, H, W), made when asked for."""
    x = rows.whole["images"][rows["stacks"]].squeeze(2)
    return x, x.new_empty(len(x), 0).float()


QUESTION = Question(
    "none",
    ("images", "labels"),
    pair,
    stacks,
    lambda data: {"num_modes": data.facts["num_classes"] ** NUM_CHANNELS},
)
