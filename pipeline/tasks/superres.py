"""Super-resolution: the condition is the image reduced four times along each side, shown at full size."""

from typing import Any

from torch import Tensor

from pipeline.data.images import downsampled
from pipeline.data.prepared import Arrays, DataSet
from pipeline.tasks.task import Rows, kept

KIND = "image"
NEEDS = ("images",)
FACTOR = 4


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images")


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], downsampled(rows["images"], FACTOR)


def facts(data: DataSet) -> dict[str, Any]:
    return {}
