"""PyTorch's compiler, which nothing here uses, is not imported before somebody does.

An optimizer's first step and the first count of operations import it, only to tell it that they are not to be
compiled: 1 to 2 seconds and 80 MB of a process.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

NAME = "torch._dynamo"


class Absent(ModuleType):
    """Answers in its place what optimizers ask; asked for anything else, it makes room for it."""

    @staticmethod
    def disable(call: Callable[..., Any], *_: object, **__: object) -> Callable[..., Any]:
        return call

    @staticmethod
    def graph_break(*_: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # this the import of a part of it asks for
            raise AttributeError(name)
        if sys.modules.get(NAME) is self:
            del sys.modules[NAME]
        return getattr(importlib.import_module(NAME), name)


def put_off() -> None:
    """From here on; without effect where it is imported already."""
    sys.modules.setdefault(NAME, Absent(NAME))
