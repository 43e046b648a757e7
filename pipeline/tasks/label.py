"""The class of the image, one-hot."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import NUM_CLASSES
from pipeline.data.prepared import Arrays, DataSet
from pipeline.tasks.task import Rows, kept

KIND = "class"
NEEDS = ("images", "labels")


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images")


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], F.one_hot(rows["labels"].long(), NUM_CLASSES).float()


def facts(data: DataSet) -> dict[str, Any]:
    return {}
