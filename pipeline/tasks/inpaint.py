"""Inpainting: the condition is the image with a hole, a box at a random place, and a map of the hole."""

import torch
from torch import Tensor

from pipeline.data.prepared import Arrays
from pipeline.runtime import randomness
from pipeline.tasks.question import Question, Rows, Settings

HOLE = 0.5  # side of the box, as a share of the image's
HOLES = "holes"  # purpose of random numbers


def corners(fields: Arrays, split: str, settings: Settings) -> Arrays:
    """The upper left corner of each image's hole, (N, 2): a function of the image's number."""
    num, _, height, width = fields["images"].shape
    num_places = torch.tensor([height - round(HOLE * height) + 1, width - round(HOLE * width) + 1])
    places = torch.rand(num, 2, generator=randomness.generator(0, HOLES)) * num_places
    return {"corners": places.long().numpy()}


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    x, (top, left) = rows["images"], rows["corners"].T
    height, width = x.shape[2:]
    down, right = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside_rows = (down >= top[:, None]) & (down < top[:, None] + round(HOLE * height))  # (N, H)
    inside_columns = (right >= left[:, None]) & (right < left[:, None] + round(HOLE * width))
    hole = (inside_rows[:, :, None] & inside_columns[:, None])[:, None]  # (N, 1, H, W)
    return x, torch.cat([x.masked_fill(hole, 128), hole.to(torch.uint8) * 255], 1)


QUESTION = Question("image", ("images",), pair, more=corners)
