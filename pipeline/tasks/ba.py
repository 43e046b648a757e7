"""Of pairs, from B to A: from a photograph to a map, say."""

from pipeline.tasks.ab import LABELS, facts, side
from pipeline.tasks.question import Question

QUESTION = Question(
    "image",
    ("images", "a"),
    lambda rows: (side(rows, "a"), side(rows, "images")),
    facts=lambda data: facts(data, "images", "a"),
    also=LABELS,
)
