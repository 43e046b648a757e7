"""From a caption to an image: the condition is a row of word numbers. Drawings without a caption are left
out.
"""

from typing import Any

import numpy as np
from torch import Tensor

from pipeline.data.prepared import Arrays, DataSet
from pipeline.tasks.task import Rows, kept

KIND = "words"
NEEDS = ("images", "tokens")


def arrays(split: Arrays) -> Arrays:
    return kept(split, "images", "tokens", rows=np.flatnonzero(split["tokens"][:, 0]))


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], rows["tokens"]


def facts(data: DataSet) -> dict[str, Any]:
    return {"num_conditions": data.facts["num_words"]}
