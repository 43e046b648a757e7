"""The tasks and trained models of a project, and how to make those that are missing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from pipeline.methods import method as methods
from pipeline.networks.network import Spec
from pipeline.runtime.errors import InputError
from pipeline.sampling import weights
from pipeline.tasks import task as tasks
from pipeline.tasks.task import Task

T = TypeVar("T")

METHODS = {  # the first word of a model's name -> its section of params.yaml
    "regression": "regressions",
    "engression": "engressions",
    "cgan": "cgans",
    "flow": "flows",
}


class Unknown(InputError):
    """A name that nothing bears."""


@dataclass
class Laboratory:
    tasks: Path  # folder of tasks
    models: Path  # folder of models
    conditions: Mapping[str, str]  # of the entries of `tasks:` in params.yaml, the question's module
    entries: Mapping[str, Collection[str]]  # of each section of METHODS
    seed: int = 0  # of the models
    loaded: dict[Path, tuple[int, Any]] = field(default_factory=dict)  # with when its file was changed

    def task(self, name: str) -> Task:
        """The task of this name; an InputError says how to make it."""
        if name not in self.conditions:
            raise Unknown(f"task {name!r}: allowed are {', '.join(self.conditions)}")
        folder = self.tasks / name
        if not (folder / "task.json").is_file():
            raise InputError(f"not made yet; make it with: dvc repro task@{name}")
        return self.cached(folder / "task.json", lambda _: tasks.load(folder))

    def model(self, method: str, task: Task) -> nn.Module:
        """A method's sampler for this task; an InputError says how to train it."""
        file = self.models / self.name(method, task.name) / weights.FILE
        if task.name not in self.entries[METHODS[method]]:
            section = METHODS[method]
            raise InputError(f"no entry; write into params.yaml, below {section}:  {task.name}: {{}}")
        train = f"dvc repro train_{method}@{task.name}-{self.seed}"
        if not file.is_file():
            raise InputError(f"not trained yet; train it with: {train}")
        network, spec = self.cached(file, weights.load)
        if not answers(spec, task):
            raise InputError(f"trained on another {task.name}; train it with: {train}")
        return methods.load(spec.method).sampler(network)

    def name(self, method: str, task: str) -> str:
        """The folder of a method's model."""
        if method not in METHODS:
            raise Unknown(f"method {method!r}: allowed are {', '.join(METHODS)}")
        return f"{method}-{task}-{self.seed}"

    def cached(self, file: Path, load: Callable[[Path], T]) -> T:
        """What is loaded from a file, again when the file has changed."""
        changed = file.stat().st_mtime_ns
        if file not in self.loaded or self.loaded[file][0] != changed:
            self.loaded[file] = changed, load(file)
        found: T = self.loaded[file][1]
        return found


def answers(spec: Spec, task: Task) -> bool:
    """Whether a network of this spec takes the task's conditions and draws images like its targets."""
    shapes = spec.image_shape == list(task.x_shape) and spec.num_conditions == task.num_conditions
    return shapes and spec.kind == task.kind
