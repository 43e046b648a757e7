"""A question: what of an image is given, so that the rest is asked for. Each is a file of this room, with a
`QUESTION`, under the name that `tasks:` in params.yaml gives it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
import torch
from pydantic import model_validator
from torch import Tensor

from pipeline.data.arrays import read
from pipeline.data.prepared import Arrays, DataSet
from pipeline.runtime import compute, modules
from pipeline.runtime.params import NotNegativeCount, Section, Seed

ABOUT = (
    "labels",
    "classes",
    "bases",
    "tones",
    "captions",
)  # small fields that every task keeps, where the set has them


class Settings(Section):
    data: str  # the data set, an entry of `datasets:`
    condition: str  # the module of this room that says what is given of x
    num_stacks: NotNegativeCount = 0  # targets of three random digits as channels, so many; 0: as they are
    seed: Seed = 0  # of the stacks

    @property
    def module(self) -> str:
        """The question's module in this room."""
        return "stacked" if self.num_stacks else self.condition

    @model_validator(mode="after")
    def _stacks_have_no_condition(self) -> Self:
        if self.num_stacks and self.condition != "none":
            raise ValueError("num_stacks stacks digits without a condition: allowed with it is none")
        return self


class Rows(dict[str, Tensor]):
    """Rows of stored arrays, taken when asked for; `whole` are the arrays. Images are moved by so many pixels
    down and to the right, (n, 2), where that is given. `files` are those arrays that are read row by row.
    """

    def __init__(
        self,
        arrays: Mapping[str, Tensor],
        indices: Tensor,
        moves: Tensor | None = None,
        files: Mapping[str, np.memmap] | None = None,
        device: torch.device = compute.CPU,
    ) -> None:
        self.whole, self.indices, self.moves = arrays, indices, moves
        self.files, self.device = files or {}, device

    def __missing__(self, name: str) -> Tensor:
        if name in self.files:
            found = torch.from_numpy(read(self.files[name], self.indices.tolist())).to(self.device)
        else:
            array = self.whole[name]
            found = array[self.indices.to(array.device)].to(self.device)
        return found if self.moves is None or found.ndim < 3 else moved(found, self.moves.to(found.device))


def moved(images: Tensor, moves: Tensor) -> Tensor:
    """Images (n, ..., H, W), each moved down and to the right by its pixels (n, 2); edges are repeated."""
    height, width = images.shape[-2:]
    rows = (torch.arange(height, device=images.device) - moves[:, :1]).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) - moves[:, 1:]).clamp(0, width - 1)
    maps = images.flatten(1, -3) if images.ndim > 3 else images[:, None]
    chosen = (rows[:, :, None] * width + columns[:, None]).flatten(1)[:, None].expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, chosen).view(images.shape)


@dataclass(frozen=True)
class Question:
    """What is stored of a data set, and what is made of it for each batch, as far as that is cheap."""

    kind: str  # what its conditions are: none | class | image | words
    needs: tuple[str, ...]  # the fields of a data set that are stored for it, beside those of ABOUT
    pair: Callable[[Rows], tuple[Tensor, Tensor]]  # of rows, target (N, C, H, W) uint8 and condition
    # arrays to be stored beside these, or in their place, of a split and its name
    more: Callable[[Arrays, str, Settings], Arrays] = lambda split, name, settings: {}
    # JSON values; `num_conditions` is K where the conditions' shape does not say it
    facts: Callable[[DataSet], dict[str, Any]] = lambda data: {}
    also: tuple[str, ...] = ()  # more fields that are stored, where the data set has them

    def arrays(self, split: Arrays, name: str, settings: Settings) -> Arrays:
        """What is stored of a split: `images`, and what the conditions are made of."""
        fields = {field: split[field] for field in (*self.needs, *self.also, *ABOUT) if field in split}
        return fields | self.more(fields, name, settings)


def load(name: str) -> Question:
    """The question of this name; an InputError where there is none."""
    return cast(Question, modules.load("tasks", "QUESTION", "condition", name).QUESTION)


def available() -> list[str]:
    return modules.available("tasks", "QUESTION")
