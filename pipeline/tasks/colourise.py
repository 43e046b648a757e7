"""Colour from grey: the condition is the grey image."""

from typing import Any

from torch import Tensor

from pipeline.data.images import grey
from pipeline.data.prepared import Arrays, DataSet
from pipeline.tasks.task import Rows, kept

KIND = "image"
NEEDS = ("images",)


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images")


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], grey(rows["images"])


def facts(data: DataSet) -> dict[str, Any]:
    return {}
