"""From labels to an image: the condition is the map of layer kinds, one channel a kind."""

from torch import Tensor

from pipeline.data.images import LABEL_COLOURS, one_hot_maps
from pipeline.tasks.question import Question, Rows


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], one_hot_maps(rows["layers"])


QUESTION = Question(
    "image", ("images", "layers"), pair, facts=lambda data: {"condition_colours": LABEL_COLOURS}
)
