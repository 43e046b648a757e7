"""Super-resolution: the condition is the image reduced four times along each side, shown at full size."""

from torch import Tensor

from pipeline.data.images import downsampled
from pipeline.tasks.question import Question, Rows

FACTOR = 4


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], downsampled(rows["images"], FACTOR)


QUESTION = Question("image", ("images",), pair)
