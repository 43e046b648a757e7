"""The class of the image, one-hot."""

import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import NUM_CLASSES
from pipeline.tasks.question import Question, Rows


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], F.one_hot(rows["labels"].long(), NUM_CLASSES).float()


QUESTION = Question("class", ("images", "labels"), pair)
