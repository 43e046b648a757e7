"""From edges to an image: the condition is where its grey changes fast, dark lines on white."""

import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import grey
from pipeline.tasks.question import Question, Rows

STEEPEST = 128  # of grey levels from a pixel to the next but one: from there on lines are black


def edges(pixels: Tensor) -> Tensor:
    """The lengths of central differences, one channel of images (N, 3, H, W) uint8, (N, 1, H, W) uint8."""
    padded = F.pad(grey(pixels).float(), [1] * 4, mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    share = (across.square() + down.square()).sqrt() / STEEPEST
    return (255 * (1 - share).clamp(min=0)).round().to(pixels.dtype)


def pair(rows: Rows) -> tuple[Tensor, Tensor]:
    return rows["images"], edges(rows["images"])


QUESTION = Question("image", ("images",), pair)
