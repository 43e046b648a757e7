"""The control, whose answer is nearly certain: from the image to the map of layer kinds."""

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
    return one_hot_maps(rows["layers"]), rows["images"]


def facts(data: DataSet) -> dict[str, Any]:
    return {"target": "labels"}
