"""Colour from grey: the condition is the grey image."""

from pipeline.data.images import grey
from pipeline.tasks.question import Question

QUESTION = Question("image", needs=("images",), pair=lambda rows: (rows["images"], grey(rows["images"])))
