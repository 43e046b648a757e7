"""What the page shows of a task before anything is asked: what it is about, and conditions to choose from."""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from pipeline.play import asked
from pipeline.play.asked import Asked
from pipeline.play.laboratory import Laboratory
from pipeline.play.png import uris
from pipeline.runtime.errors import InputError
from pipeline.tasks import question
from pipeline.tasks.task import Task

NUM_SHOWN = 24  # conditions at once


def described(laboratory: Laboratory, name: str) -> dict[str, Any]:
    """A task's facts for the page; `problem` says why there are none."""
    condition = laboratory.conditions[name]
    about = (import_module(f"pipeline.tasks.{condition}").__doc__ or "").split(". ")[0]
    found = {"name": name, "kind": question.load(condition).kind, "about": " ".join(about.split())}
    try:
        task = laboratory.task(name)
    except InputError as error:
        return found | {"problem": str(error)}
    labels = task.facts.get("classes", [str(k) for k in range(task.num_conditions)])
    return found | {
        "ways": asked.ways(task),
        "labels": labels if task.kind == "class" else [],
        "size": task.x_shape[1:],
        "num_known": len(known(task)),
    }


def known(task: Task) -> Tensor:
    """Of each drawing of which all right answers are known, the number of its first test example, (B,): those
    first that differ in most pixels.
    """
    if "variants" not in (arrays := task.test.arrays):
        return torch.empty(0, dtype=torch.long)
    order = arrays["skin"].flatten(1).sum(1, dtype=torch.long).argsort(descending=True, stable=True)
    return arrays["variants"][order, 0]


def page(task: Task, offset: int, only_known: bool) -> dict[str, Any]:
    """Some of the test examples from the one at `offset` on: their numbers and conditions."""
    if "condition" not in asked.ways(task):
        raise InputError(f"the task {task.name} has no conditions to choose from")
    numbers = known(task) if only_known else torch.arange(len(task.test))
    chosen = numbers[offset : offset + NUM_SHOWN]
    found: dict[str, Any] = {"total": len(numbers), "numbers": chosen.tolist(), "page": NUM_SHOWN}
    captions = asked.lines(task, "test")
    if captions:
        found["captions"] = [captions[number] for number in chosen.tolist()]
    if task.kind == "image" and len(chosen):
        found["images"] = uris(task.shown_conditions(task.test.images(chosen)[1]))
    return found


def drawing(task: Task, condition: int) -> str:
    """A test example's condition as a drawing that may be changed; see asked.py."""
    if "drawing" not in asked.ways(task):
        raise InputError(f"the task {task.name} takes no drawing")
    return asked.encoded(asked.condition(Asked(condition=condition), task))
