"""Command `settings`: what a section of params.yaml, or an entry of one, comes to with all defaults.

python -m stages.settings cgans.sketch
"""

from typing import Annotated

import typer

from pipeline.methods import method
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Section
from stages import run, sections

Key = Annotated[str, typer.Argument(help="Such as cgans.sketch, or evaluate.")]


def main(key: Key) -> None:
    """Print the effective values of KEY, those that params.yaml says and the defaults of the rest."""
    for name, value in found(key).model_dump().items():
        print(f"{name}: {value}")


def found(key: str) -> Section:
    """The settings of a section or entry.

    Raises:
        InputError: there is none of this name, or something in it is wrong.
    """
    section, _, name = key.partition(".")
    if key in sections.SINGLE:
        return sections.single(section)
    if section == "features" and name in sections.DATA_SETS:
        return sections.learner(name)[1]
    if section in ("tasks", "toys", *sections.FAMILIES) and name in sections.entries(section):
        if section == "tasks":
            return sections.task_settings(name)
        if section == "toys":
            return params.read(key, method.settings_class("points", "points"))
        return next(found.settings for *at, found in sections.models() if at == [section, name])
    groups: dict[str, tuple[str, ...]] = {"features": sections.DATA_SETS}
    groups |= {each: tuple(sections.entries(each)) for each in ("tasks", "toys", *sections.FAMILIES)}
    names = [*sections.SINGLE, *(f"{each}.{entry}" for each, found in groups.items() for entry in found)]
    raise InputError(f"KEY = {key!r}: allowed are {', '.join(names)}")


if __name__ == "__main__":
    run(main)
