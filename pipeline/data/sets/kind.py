"""The contract of this room, and its modules by name: a kind of data set, from its source to prepared images.

A kind is a module with

    Settings               the class of its entries in `datasets:` of params.yaml
    FIELDS                 what its sets know of an image, see prepared.py; of the user's, what they may know
    LEARNER                method and question of the network in whose features its images are compared
    fetch(settings, root)  puts raw files into the folder `root`
    prepare(raw, settings, work)
                           a DataSet of these, or of the user's own files; arrays that memory may not hold lie
                           in the folder `work`, and what a run that was killed goes on from
"""

from pathlib import Path
from typing import Any, Protocol, cast

from pipeline.data.prepared import DataSet
from pipeline.runtime import modules, params


class Kind(Protocol):
    """A module of this room; see above."""

    Settings: type[Any]
    FIELDS: tuple[str, ...]
    LEARNER: tuple[str, str]

    def fetch(self, settings: Any, root: Path) -> None: ...
    def prepare(self, raw: Path, settings: Any, work: Path) -> DataSet: ...


def load(name: str) -> Kind:
    """The kind of this name; an InputError where there is none."""
    return cast(Kind, modules.load("data.sets", "prepare", "kind", name))


def available() -> list[str]:
    return modules.available("data.sets", "prepare")


def of(name: str) -> tuple[Kind, Any]:
    """The kind of an entry of `datasets:`, and its settings."""
    key = f"datasets.{name}"
    chosen = params.read(f"{key}.kind", str)
    params.check_name(f"{key}.kind", chosen, available())
    kind = load(chosen)
    return kind, params.read(key, kind.Settings)
