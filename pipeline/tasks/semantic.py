"""From labels to an image: the condition is the map of layer kinds, one channel a kind."""

from typing import Any

from torch import Tensor

from pipeline.data.images import one_hot_maps
from pipeline.data.prepared import Arrays, DataSet
from pipeline.tasks.task import Rows, kept

KIND = "image"
NEEDS = ("images", "layers")


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images", "layers")


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], one_hot_maps(rows["layers"])


def facts(data: DataSet) -> dict[str, Any]:
    return {}
