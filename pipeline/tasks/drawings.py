"""The tasks: drawings -> pairs of condition and picture, one function a task, one signature.

Each has many right answers to a condition, which regression averages; except `segment`, the control, whose
answer is nearly certain.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.drawings import Drawings
from pipeline.data.images import to_float
from pipeline.runtime import randomness
from pipeline.tasks.conditions import Condition

REDUCTION = 4  # superres: times smaller, along each side
KIND_COLOURS = (  # background, line, skin, hair, other; red, green, blue
    (255, 255, 255),
    (30, 30, 30),
    (244, 164, 96),
    (128, 64, 32),
    (100, 149, 237),
)
HOLE = 0.5  # inpaint: side of the box, as a share of the picture's


@dataclass(frozen=True)
class Pairs:
    """What a task's networks are trained on: each picture with what is given of it."""

    conditions: Tensor  # (N, K, H, W) uint8, or rows of word numbers, (N, L) int64
    pictures: Tensor  # (N, C, H, W) uint8
    rows: Tensor  # (N,): which drawings these are
    num_conditions: int  # K: channels, or words that are known

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, channels, height, width = self.pictures.shape
        return channels, height, width

    def with_mirrored(self) -> "Pairs":
        """These, and behind them each from behind: picture and condition with left and right exchanged; a
        caption stays.
        """
        given = self.conditions.flip(3) if self.conditions.ndim == 4 else self.conditions
        return Pairs(
            torch.cat([self.conditions, given]),
            torch.cat([self.pictures, self.pictures.flip(3)]),
            self.rows.repeat(2),
            self.num_conditions,
        )

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        return to_float(self.pictures[chosen.to(self.pictures.device)]), self.told(chosen)

    def told(self, chosen: Tensor) -> Tensor:
        """The chosen conditions as networks take them: pictures in [-1, 1], or word numbers."""
        given = self.conditions[chosen.to(self.conditions.device)]
        return to_float(given) if given.ndim == 4 else given

    def to(self, device: torch.device) -> "Pairs":
        conditions, pictures = self.conditions.to(device), self.pictures.to(device)
        return Pairs(conditions, pictures, self.rows, self.num_conditions)


def colourise(drawings: Drawings) -> Pairs:
    """From the grey picture."""
    return of_pictures(drawings, grey(drawings.pictures))


def superres(drawings: Drawings) -> Pairs:
    """From the picture reduced four times along each side, shown at full size."""
    return of_pictures(drawings, reduced(drawings.pictures))


def inpaint(drawings: Drawings) -> Pairs:
    """From the picture with a hole, a box at a random place, and a map of the hole; the place is a function
    of the drawing's number.
    """
    num, _, height, width = drawings.pictures.shape
    high, wide = round(HOLE * height), round(HOLE * width)
    source = randomness.generator(0, "holes")
    num_places = torch.tensor([height - high + 1, width - wide + 1])
    top, left = (torch.rand(num, 2, generator=source) * num_places).long().T
    rows, columns = torch.arange(height), torch.arange(width)
    inside_rows = (rows >= top[:, None]) & (rows < top[:, None] + high)  # (N, H)
    inside_columns = (columns >= left[:, None]) & (columns < left[:, None] + wide)
    hole = (inside_rows[:, :, None] & inside_columns[:, None])[:, None]  # (N, 1, H, W)
    kept = drawings.pictures.masked_fill(hole, 128)
    return of_pictures(drawings, torch.cat([kept, hole.to(torch.uint8) * 255], 1))


def semantic(drawings: Drawings) -> Pairs:
    """From the map of layer kinds, one channel a kind."""
    return of_pictures(drawings, one_hot(drawings))


def sketch(drawings: Drawings) -> Pairs:
    """From the line layer."""
    return of_pictures(drawings, drawings.sketches)


def text(drawings: Drawings) -> Pairs:
    """From the caption; drawings without one are left out."""
    named = drawings.tokens[:, 0].nonzero()[:, 0]
    return Pairs(drawings.tokens[named], drawings.pictures[named], named, drawings.num_words)


def segment(drawings: Drawings) -> Pairs:
    """The way back: from the picture to the map of layer kinds, one channel a kind."""
    kinds = one_hot(drawings)
    return Pairs(drawings.pictures, kinds, torch.arange(len(kinds)), drawings.pictures.shape[1])


def of_pictures(drawings: Drawings, given: Tensor) -> Pairs:
    """All drawings with what is given of each, (N, K, H, W) uint8."""
    return Pairs(given, drawings.pictures, torch.arange(len(given)), given.shape[1])


def grey(pictures: Tensor) -> Tensor:
    """The luma of pictures (N, 3, H, W) uint8 by ITU-R BT.601, (N, 1, H, W) uint8."""
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (pictures * weights).sum(1, keepdim=True).round().to(torch.uint8)


def reduced(pictures: Tensor) -> Tensor:
    """Pictures (N, C, H, W) uint8 in blocks of 4 x 4 equal pixels, their means."""
    small = F.avg_pool2d(pictures.float(), REDUCTION).round()
    return F.interpolate(small, scale_factor=REDUCTION).to(torch.uint8)


def visible(pictures: Tensor) -> Tensor:
    """Whatever a task gives or asks for, (N, C, H, W) uint8, in red, green and blue: grey as grey, a picture
    with a map of its hole without the map, kinds of layers in colours of their own.
    """
    channels = pictures.shape[1]
    if channels == 1:
        return pictures.expand(-1, 3, -1, -1)
    if channels <= 4:
        return pictures[:, :3]
    colours = torch.tensor(KIND_COLOURS, dtype=torch.uint8)
    return colours[pictures.argmax(1) % len(colours)].permute(0, 3, 1, 2)


def one_hot(drawings: Drawings) -> Tensor:
    """The kinds of layers as channels of 0 and 255, (N, num_kinds, H, W) uint8."""
    return F.one_hot(drawings.kinds.long(), drawings.num_kinds).permute(0, 3, 1, 2).to(torch.uint8) * 255


TASKS: dict[str, Callable[[Drawings], Pairs]] = {
    "colourise": colourise,
    "superres": superres,
    "inpaint": inpaint,
    "semantic": semantic,
    "sketch": sketch,
    "text": text,
    "segment": segment,
}
NETWORK_OF = {"text": "caption"}  # which of TRANSLATORS a task needs; the others take unet


def condition(task: str, pairs: Pairs) -> Condition:
    """What a task's networks are told, as they are told it."""
    return Condition(task, pairs.num_conditions, lambda told: told, shape=tuple(pairs.conditions.shape[1:]))
