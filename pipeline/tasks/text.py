"""From a caption to an image: the condition is a row of word numbers; drawings without one are left out."""

import numpy as np

from pipeline.data.prepared import Arrays
from pipeline.tasks.question import Question, Settings


def captioned(fields: Arrays, split: str, settings: Settings) -> Arrays:
    rows = np.flatnonzero(fields["tokens"][:, 0])
    return {name: array[rows] for name, array in fields.items()}


QUESTION = Question(
    "words",
    needs=("images", "tokens"),
    pair=lambda rows: (rows["images"], rows["tokens"]),
    more=captioned,
    facts=lambda data: {"num_conditions": data.facts["num_words"]},
)
