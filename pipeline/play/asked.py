"""What a task's models are asked: a test example's condition, or one of the reader's own."""

import base64
import binascii
import zlib
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from pipeline.data import captions
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import NotNegativeCount, Section
from pipeline.tasks.inpaint import HOLE
from pipeline.tasks.question import Rows
from pipeline.tasks.task import Task

DRAWN = ("sketch", "edges")  # questions whose conditions are dark lines on white

Hole = Annotated[list[NotNegativeCount], Field(min_length=2, max_length=2)]


class Asked(Section):
    """One of these, `hole` beside `condition`."""

    condition: NotNegativeCount | None = None  # number of a test example
    hole: Hole | None = None  # row and column of its upper left corner, where it is not to be the example's
    drawing: Annotated[str, Field(max_length=20_000)] | None = None  # see `decoded`
    caption: Annotated[str, Field(max_length=200)] | None = None
    label: NotNegativeCount | None = None  # number of a class

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)

    def options(self) -> list[str]:
        """The same on the command line of `stages.sample`."""
        words = []
        for name, value in self.given().items():
            words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
        return words


def ways(task: Task) -> list[str]:
    """The fields of `Asked` that this task takes."""
    if task.kind == "image":
        drawn = ["drawing"] if task.condition in DRAWN and task.num_conditions == 1 else []
        return [*drawn, "condition", *(["hole"] if task.condition == "inpaint" else [])]
    return {"class": ["label"], "words": ["caption", "condition"]}.get(task.kind, [])


def condition(asked: Asked, task: Task) -> Tensor:
    """The condition (1, ...), uint8 where it is an image; an InputError if the task takes no such one."""
    given, allowed = asked.given(), ways(task)
    if wrong := [name for name in given if name not in allowed]:
        takes = ", ".join(allowed) or "nothing"
        raise InputError(f"{wrong[0]}: the task {task.name} takes {takes}")
    if len(given) - ("hole" in given) != bool(allowed) or ("hole" in given and "condition" not in given):
        one = " or ".join(name for name in allowed if name != "hole") or "nothing"
        raise InputError(f"the task {task.name} is asked by {one}; {', '.join(given) or 'nothing'} was given")
    if asked.drawing is not None:
        return decoded(asked.drawing, *task.condition_shape[1:])
    if asked.caption is not None:
        return torch.from_numpy(captions.tokens([asked.caption], vocabulary(task)))
    if asked.label is not None:
        check_below("label", asked.label, task.num_conditions)
        return F.one_hot(torch.tensor([asked.label]), task.num_conditions).float()
    return of_example(asked, task) if asked.condition is not None else task.blank(1)


def of_example(asked: Asked, task: Task) -> Tensor:
    """The condition of a test example, with its own hole or the one that is asked for."""
    assert asked.condition is not None
    check_below("condition", asked.condition, len(task.test))
    rows = Rows(task.test.arrays, torch.tensor([asked.condition]))
    if asked.hole is not None:
        for name, place, side in zip(("row", "column"), asked.hole, task.x_shape[1:], strict=True):
            check_below(f"hole: {name}", place, side - round(HOLE * side) + 1)
        rows["corners"] = torch.tensor([asked.hole])
    return task.test.pair(rows)[1]


def check_below(name: str, value: int, end: int) -> None:
    if value >= end:
        raise InputError(f"{name} = {value}: allowed are 0 to {end - 1}")


def decoded(text: str, height: int, width: int) -> Tensor:
    """A drawing's grey levels row by row, a byte each, by zlib and in base64, as (1, 1, H, W) uint8."""
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(base64.b64decode(text, validate=True), height * width + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError(f"drawing: neither base64 nor zlib: {error}") from error
    if len(pixels) != height * width or not unpacker.eof:
        raise InputError(f"drawing: allowed are {height} x {width} bytes, one a pixel")
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(1, 1, height, width)


def encoded(pixels: Tensor) -> str:
    """The way back from (1, 1, H, W) uint8."""
    return base64.b64encode(zlib.compress(pixels.numpy().tobytes(), 9)).decode()


def vocabulary(task: Task) -> list[str]:
    """The words that a task's captions are made of, in the order of their numbers."""
    known = captions.vocabulary([str(caption) for caption in lines(task, "train")])
    if captions.num_words(known) != task.num_conditions:
        raise InputError(f"the task {task.name} has other words than its captions; make it again")
    return known


def lines(task: Task, split: str) -> list[str]:
    """The captions of a split's examples; none where they have none."""
    found = task.about(split, "captions")
    return [] if found is None else found.tolist()


def unknown(caption: str, task: Task) -> list[str]:
    """The words of a caption that no network was trained with."""
    known = set(vocabulary(task))
    return [word for word in captions.words(caption)[: captions.MAX_WORDS] if word not in known]
