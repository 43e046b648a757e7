"""From lines to an image: the condition is the line layer, or A of the user's pairs."""

from pipeline.tasks.question import Question

QUESTION = Question("image", ("images", "sketches"), lambda rows: (rows["images"], rows["sketches"]))
