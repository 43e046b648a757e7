"""Of pairs, from A to B: from a map to a photograph, say. Maps of labels have a channel for each label."""

from typing import Any

from torch import Tensor

from pipeline.data.images import one_hot_maps
from pipeline.data.prepared import DataSet
from pipeline.tasks.question import Question, Rows

LABELS = ("a_labels", "a_colours", "images_labels", "images_colours")


def side(rows: Rows, name: str) -> Tensor:
    """A, or B, the `images`, (n, C, H, W) uint8."""
    if f"{name}_labels" in rows.whole:
        return one_hot_maps(rows[f"{name}_labels"], len(rows.whole[f"{name}_colours"]))
    return rows[name]


def facts(data: DataSet, condition: str, target: str) -> dict[str, Any]:
    """Colours of the labels, where there are any."""
    arrays, sides = data.splits["test"], {"condition": condition, "target": target}
    found = {part: arrays.get(f"{name}_colours") for part, name in sides.items()}
    return {f"{part}_colours": colours.tolist() for part, colours in found.items() if colours is not None}


QUESTION = Question(
    "image",
    ("images", "a"),
    lambda rows: (side(rows, "images"), side(rows, "a")),
    facts=lambda data: facts(data, "a", "images"),
    also=LABELS,
)
