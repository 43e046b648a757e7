"""The control, whose answer is nearly certain: from the image to the map of layer kinds."""

from torch import Tensor

from pipeline.data.images import LABEL_COLOURS, one_hot_maps
from pipeline.tasks.question import Question, Rows


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return one_hot_maps(rows["layers"]), rows["images"]


QUESTION = Question("image", ("images", "layers"), pair, facts=lambda data: {"target_colours": LABEL_COLOURS})
