"""Modules that params.yaml names: each question, network and method is a file of its room."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipeline.runtime.errors import InputError


def available(room: str, member: str) -> list[str]:
    """The modules of a room, such as "data.sets", by name, that define `member`; none is imported."""
    defines = re.compile(rf"^(def )?{member}\b", re.MULTILINE)
    files = sorted(Path(__file__).parents[1].joinpath(*room.split(".")).glob("*.py"))
    return [file.stem for file in files if defines.search(file.read_text("utf-8"))]


def load(room: str, member: str, key: str, name: str) -> ModuleType:
    """The module of a room that `key` in params.yaml names; an InputError lists those there are."""
    if name not in (allowed := available(room, member)):
        raise InputError(f"{key} = {name!r}: allowed are {', '.join(allowed)}")
    return import_module(f"pipeline.{room}.{name}")
