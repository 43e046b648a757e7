"""From lines to an image: the condition is the line layer, or A of the user's pairs."""

from typing import Any

from torch import Tensor

from pipeline.data.prepared import Arrays, DataSet
from pipeline.tasks.task import Rows, kept

KIND = "image"
NEEDS = ("images", "sketches")


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images", "sketches")


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], rows["sketches"]


def facts(data: DataSet) -> dict[str, Any]:
    return {}
