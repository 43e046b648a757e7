"""params.yaml -> typed, frozen objects, one a section.

A section's class stands in the module that uses it, with a default for each key that has one; the file says
what an experiment has otherwise. YAML is read as DVC reads it (version 1.2, where `1e-4` is a number).
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.runtime.errors import InputError

PARAMS_FILE = Path("params.yaml")

Count = Annotated[int, Field(gt=0)]
NotNegativeCount = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
PositiveFraction = Annotated[float, Field(gt=0, le=1)]

T = TypeVar("T")


class Section(BaseModel):
    """Base of every settings class: immutable, no unknown keys, no conversions ("1" is not 1)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def check_multiple(self, key: str, of: str) -> None:
        """A ValueError where one value is no multiple of another."""
        value, unit = getattr(self, key), getattr(self, of)
        if value % unit:
            raise ValueError(f"{key} = {value} must be a multiple of {of} = {unit}")


def one_of(names: Iterable[str]) -> AfterValidator:
    """A validator that admits the given names, lists them when it refuses, and guesses what was meant."""
    allowed = sorted(names)

    def check(value: str) -> str:
        if value not in allowed:
            near = get_close_matches(value, allowed, n=1)
            guess = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(f"allowed are {', '.join(allowed)}{guess}")
        return value

    return AfterValidator(check)


def read(section: str, kind: type[T], path: Path | None = None, **given: object) -> T:
    """The value at a dotted key of params.yaml, such as "gans.dcgan", checked against its type.

    `path` is the file, if not that of the working folder; `given` are keys that come from elsewhere, as the
    seed of a model does, and must not stand in the file.

    Raises:
        InputError: the file cannot be read, or a key is missing, unknown, mistyped or out of range.
    """
    path = path or PARAMS_FILE
    value, walked = content(path), list[str]()
    for key in section.split("."):
        if not isinstance(value, dict) or key not in value:
            here = ".".join(walked) or "the top level"
            there = ", ".join(map(str, value)) if isinstance(value, dict) else repr(value)
            raise InputError(f"{path}: section '{section}' is missing; {here} has: {there}")
        value = value[key]
        walked.append(key)
    if isinstance(value, dict):
        if both := sorted(given.keys() & value.keys()):
            raise InputError(f"{path}: {section}.{both[0]} = {value[both[0]]!r}: does not belong here")
        value = {**value, **given}
    return checked(section, value, kind, path)


def checked(section: str, value: object, kind: type[T], path: Path | None = None) -> T:
    """What stands in a section, checked against its type; an InputError says what is wrong."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        problems = "; ".join(_explain(section, kind, detail) for detail in error.errors())
        raise InputError(f"{path or PARAMS_FILE}: {problems}") from error


def check_name(key: str, name: str, allowed: Iterable[str]) -> None:
    """An InputError for a name that is not allowed: it lists those that are, and guesses what was meant."""
    checked(key, name, Annotated[str, one_of(allowed)])  # type: ignore[arg-type]


def content(path: Path | None = None) -> Any:
    """The whole file, unchecked; an InputError if it cannot be read."""
    path = path or PARAMS_FILE
    try:
        return _parsed(path.read_text("utf-8"))
    except (OSError, ValueError, YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


@lru_cache(maxsize=1)  # a stage reads several sections
def _parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def _explain(section: str, kind: Any, detail: ErrorDetails) -> str:
    """One problem in words: the key, the value found, what is allowed."""
    key = ".".join([section, *map(str, detail["loc"])])
    if detail["type"] == "extra_forbidden":
        allowed = list(kind.model_fields)
        near = get_close_matches(str(detail["loc"][-1]), allowed, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        return f"{key} = {detail['input']!r}: unknown key; {guess}allowed are {', '.join(allowed)}"
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "value_error" and isinstance(detail["input"], dict):
        return f"{key}: {detail['msg'].removeprefix('Value error, ')}"  # of keys that do not go together
    return f"{key} = {detail['input']!r}: {detail['msg'].removeprefix('Value error, ')}"
