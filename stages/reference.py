"""Command `reference`: docs/reference/parameters.md, every key of params.yaml from the settings classes.

python -m stages.reference docs/reference/parameters.md
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from pipeline.data.sets import kind
from pipeline.methods import method
from pipeline.methods.schedule import ModelSettings, Schedule
from pipeline.networks import network
from pipeline.runtime.files import new_file
from pipeline.runtime.params import Section
from pipeline.tasks import question
from stages import run, sections

COMMENT = re.compile(r"^    (\w+): [^#\n]*#\s*(.+)$", re.MULTILINE)
TOP = """# Parameters

Every key of `params.yaml`, from the settings classes of the modules that use them. This page is made by

```
python -m stages.reference docs/reference/parameters.md
```

and a test compares it with the classes. All values of an entry: `python -m stages.settings cgans.sketch`.
For one run: `dvc exp run -S cgans.sketch.num_steps=2000`; a key that `params.yaml` does not list takes `++`:
`dvc exp run -S '++cgans.sketch.r1=0.1'`. A dash: there is no default.

## `budget`, `seeds`

| key | default | allowed | meaning |
|---|---|---|---|
| `budget` | - | number above 0 | how many times as many steps all models train, but for feature networks |
| `seeds` | - | list of: whole number of at least 0 | of each model but toys and variants |
"""
FAMILIES = """
## Models

An entry of {families} is a model. Its keys are those of its method; defaults depend on the kind of its task's
condition: `none` (digits), `class` (digits by class), `image`, `words` (captions), `numbers` (the penguins)
or `points` (the toys). `seed` stands only in entries of `variants` and `toys`, which name their `method` as
well, variants also their `task`.
"""
TASKS = "One of {names}: `condition` is the name of a file in `pipeline/tasks`."
BOUNDS = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}


def main(out: Path) -> None:
    """Write the reference of all parameters to OUT."""
    with new_file(out) as file:
        file.write_text("\n".join([TOP, *pages(), ""]), "utf-8")


def pages() -> Iterator[str]:
    """The sections of the page, after its top."""
    for name, module in sections.SINGLE.items():
        yield from titled(
            f"## `{name}`", {"": import_module(module).Settings}, f"`{module.replace('.', '/')}.py`."
        )
    yield "## `datasets`\n\nAn entry is a data set; `kind` is the name of a file in `pipeline/data/sets`.\n"
    for name in kind.available():
        found = kind.load(name)
        yield from titled(f"### kind `{name}`", {"": found.Settings}, first_line(found))
    conditions = ", ".join(f"`{name}`" for name in question.available())
    yield from titled("## `tasks`", {"": question.Settings}, TASKS.format(names=conditions))
    yield FAMILIES.format(families=", ".join(f"`{name}`" for name in (*sections.FAMILIES, "toys")))
    for name in method.available():
        how = method.load(name)
        belongs = [f"`{key}`" for key, family in sections.FAMILIES.items() if family.method == name]
        where = f"Entries of {', '.join(belongs)}." if belongs else "The key `features` of a data set."
        yield from titled(f"### method `{name}`", how.SETTINGS, f"{where} {first_line(how)}")


def titled(title: str, classes: Mapping[str, type[Section]], text: str = "") -> Iterator[str]:
    """A heading, a sentence, and the table of all keys of a settings class, or of one for each kind."""
    yield f"{title}\n\n{text}\n" if text else f"{title}\n"
    yield "| key | default | allowed | meaning |\n|---|---|---|---|"
    fields = {key: field for cls in classes.values() for key, field in cls.model_fields.items()}
    for key, field in fields.items():
        owners = [cls for cls in classes.values() if key in cls.model_fields]
        values = networks(owners) if key == "network" else allowed(field.annotation, field.metadata)
        yield f"| `{key}` | {defaults(key, classes)} | {values} | {meaning(key, owners)} |"
    yield ""
    inner: dict[Any, list[str]] = {}
    for key, field in fields.items():
        if own_keys(field.annotation):
            inner.setdefault(field.annotation, []).append(key)
    for cls, keys in inner.items():
        yield from titled(f"#### {', '.join(f'`{key}`' for key in keys)}", {"": cls})


def defaults(key: str, classes: Mapping[str, type[Section]]) -> str:
    """A key's default, and the kinds of condition that have another."""
    by_value: dict[str, list[str]] = {}
    for name, cls in classes.items():
        if key in cls.model_fields:
            by_value.setdefault(written(cls.model_fields[key]), []).append(name)
    first, *others = sorted(by_value.items(), key=lambda item: -len(item[1]))
    return "; ".join([first[0], *(f"{', '.join(names)}: {value}" for value, names in others)])


def written(field: FieldInfo) -> str:
    """A default as params.yaml has it."""
    if field.is_required():
        return "-"
    value = field.default
    if isinstance(value, Section):
        own = {key: each for key, each in value if type(value).model_fields[key].is_required()}
        return f"`{own}`" if own else "its defaults"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else "empty"


def allowed(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """The values that a type admits, in words."""
    parts = [each for item in metadata for each in (item.metadata if isinstance(item, FieldInfo) else [item])]
    for validator in (each for each in parts if isinstance(each, AfterValidator)):
        return ", ".join(f"`{name}`" for name in inspect.getclosurevars(validator.func).nonlocals["allowed"])
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return allowed(inner[0], inner[1:])
    if origin is Literal:
        return ", ".join(f"`{name}`" for name in inner)
    if origin is list:
        return f"list of: {allowed(inner[0])}"
    if origin is dict:
        return "keys and values" if Any in inner else f"names, each with: {allowed(inner[1])}"
    words = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text"}
    limits = [
        f"{BOUNDS[name]} {getattr(each, name):g}" for each in parts for name in BOUNDS if hasattr(each, name)
    ]
    return " ".join([words.get(annotation, "keys of their own"), " and ".join(limits)]).strip()


def networks(owners: Iterable[type[Section]]) -> str:
    """The networks that fit one of these classes, of models of some kind of condition."""
    names = [name for name in network.available() if any(fits(cls, name) for cls in owners)]
    return ", ".join(f"`{name}`" for name in names)


def fits(cls: Any, name: str) -> bool:
    found = network.load(name)
    return cls.takes(found) if issubclass(cls, ModelSettings) else True


def meaning(key: str, classes: list[type[Section]]) -> str:
    """The comment beside a key, of the nearest class that has one, and the conditions that know it."""
    found = [comments(base).get(key, "") for cls in classes for base in cls.__mro__]
    text = next(filter(None, found), "").replace("|", "\\|")
    first = classes[0]
    if len(classes) > 1 and issubclass(first, ModelSettings) and (only := first.only().get(key)):
        return f"{text}. *Conditions: {', '.join(only)}*"
    return text


@cache
def comments(cls: type) -> dict[str, str]:
    """The comment beside each key of a settings class, without those of its bases."""
    own = issubclass(cls, Section) and cls is not Section
    return dict(COMMENT.findall(inspect.getsource(cls))) if own else {}


def own_keys(annotation: Any) -> bool:
    """Whether a type is a settings class that has no table elsewhere, as those of methods have."""
    is_section = inspect.isclass(annotation) and issubclass(annotation, Section)
    return is_section and not issubclass(annotation, Schedule)


def first_line(module: ModuleType | Any) -> str:
    """The first sentence of a module's docstring."""
    text = " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.:]) (?=[A-Z])", text)[0].rstrip(":")


if __name__ == "__main__":
    run(main)
