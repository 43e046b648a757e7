"""From what a drawing's six tones have in common to one of them: the image where all six agree, grey where
they differ, and a map of where. So the true posterior of a condition is six images, one sixth each.
"""

import numpy as np
import torch
from torch import Tensor

from pipeline.data.prepared import Arrays
from pipeline.runtime.errors import InputError
from pipeline.tasks.known import six_tones
from pipeline.tasks.question import Question, Rows, Settings


def in_common(fields: Arrays, split: str, settings: Settings) -> Arrays:
    """The drawings in exactly six tones, base by base, and where those of a base differ, (N, H, W) uint8; an
    InputError if there is none.
    """
    six = six_tones(fields["bases"], fields["tones"]).numpy()
    if not len(six):
        raise InputError(f"condition = {settings.condition!r}: no drawing of the {split} split has six tones")
    images = fields["images"][six]  # (B, 6, 3, H, W)
    differ = (images != images[:, :1]).any((1, 2)).astype(np.uint8)
    return {name: array[six.ravel()] for name, array in fields.items()} | {"differ": differ.repeat(6, 0)}


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    x, differ = rows["images"], rows["differ"][:, None]
    return x, torch.cat([x.masked_fill(differ.bool(), 128), differ * 255], 1)


QUESTION = Question(
    "image",
    needs=("images", "layers", "bases", "tones"),
    pair=pair,
    more=in_common,
    facts=lambda data: {"exact": True},  # the six in the test split are all right answers there are
)
