"""The class of the image, one-hot."""

import torch.nn.functional as F
from torch import Tensor

from pipeline.tasks.question import Question, Rows


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], F.one_hot(rows["labels"].long(), len(rows.whole["classes"])).float()


QUESTION = Question("class", ("images", "labels", "classes"), pair)
