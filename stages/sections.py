"""All of params.yaml: which class each section is read with, and which models its entries are.

Classes are found by their module's name, so that a stage's code is what its own entry needs and no more.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from pipeline.data.sets import kind
from pipeline.methods import method
from pipeline.methods.schedule import Budget, ModelSettings, Schedule
from pipeline.metrics.settings import Settings as Evaluation
from pipeline.runtime import own_files, params
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Section, Seed
from pipeline.tasks import question
from pipeline.tasks.claimed import Settings as Claim

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
SINGLE = {  # section -> the module whose Settings it is read with
    "compute": "pipeline.runtime.compute",
    "launch": "pipeline.runtime.distributed",
    "evaluate": "pipeline.metrics.settings",
    "claim": "pipeline.tasks.claimed",
    "theory": "pipeline.theory.game",
    "bayes": "pipeline.theory.learned",
}
FEATURE_NETWORKS = {"classification": "classifier", "contrastive": "simclr"}  # of methods that are learners
Seeds = Annotated[list[Seed], Field(min_length=1)]


class Family(NamedTuple):
    """A section whose entries are models."""

    stage: str  # of train_<stage>@<entry>-<seed>, and the first word of a model's folder
    method: str = ""  # "" where an entry names it
    task: str = ""  # of all entries; "" where an entry is called as its task


FAMILIES = {  # in the report's order
    "regressions": Family("regression", "regression"),
    "engressions": Family("engression", "engression"),
    "cgans": Family("cgan", "adversarial"),
    "flows": Family("flow", "flow"),
    "gans": Family("gan", "adversarial", "digits"),
    "stacked": Family("stacked", "adversarial", "stacked"),
    "ablations": Family("ablation", "ablation", "sketch"),
    "variants": Family("variant"),  # whose entries name method and task
}
CLAIMED = ("regressions", "engressions", "cgans", "flows")  # of whose models the claim's page is
SECTIONS = (*SINGLE, *FAMILIES, "budget", "datasets", "seeds", "tasks", "toys")


class Model(NamedTuple):
    """An entry of a family."""

    method: str
    task: str
    settings: ModelSettings


def single(section: str) -> Section:
    """The settings of a section that has no entries."""
    cls: type[Section] = import_module(SINGLE[section]).Settings
    return params.read(section, cls)


def entries(section: str) -> dict[str, Any]:
    """A section's entries, by name, unchecked; an InputError if a name cannot be that of stages and files."""
    found = params.read(section, dict[Any, Any])
    for name in found:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            allowed = "letters, digits, '_' and '-', the first a letter or digit"
            raise InputError(f"{params.PARAMS_FILE}: {section} has an entry {name!r}: allowed are {allowed}")
    return found


def task_of(section: str, name: str) -> str:
    """The task of a family's entry; an InputError where there is no such task."""
    own = params.read(f"variants.{name}.task", str) if section == "variants" else ""
    found, known = own or FAMILIES[section].task or name, entries("tasks")
    if found not in known:
        has = ", ".join(known)
        raise InputError(f"{params.PARAMS_FILE}: {section}.{name}: no task {found!r}; tasks has: {has}")
    return found


def task_settings(name: str) -> question.Settings:
    """An entry of tasks, its question and data set known."""
    found, key = params.read(f"tasks.{name}", question.Settings), f"tasks.{name}.condition"
    params.check_name(f"tasks.{name}.data", found.data, entries("datasets"))
    params.check_name(key, found.condition, question.available())
    fields = kind.of(found.data)[0].FIELDS
    if missing := [field for field in question.load(found.module).needs if field not in fields]:
        lacks = f"{found.data} has no {missing[0]}, which it is made of"
        raise InputError(f"{params.PARAMS_FILE}: {key} = {found.condition!r}: {lacks}")
    return found


def learner(data: str) -> tuple[str, str, Schedule]:
    """The method and the question of a data set's feature network, and its settings."""
    found, settings = kind.of(data)
    chosen, condition = found.LEARNER
    cls = method.settings_class(chosen, question.load(condition).kind)
    return chosen, condition, params.checked(f"datasets.{data}.features", settings.features, cls)


def entry(section: str, name: str) -> Model:
    """The model of a family's entry, of whatever seed."""
    key, asked = f"{section}.{name}", task_of(section, name)
    chosen, given = FAMILIES[section].method, {"seed": 0}  # `seeds` has those of all but variants
    if section == "variants":
        chosen, given = params.read(f"{key}.method", str), {}
        check_sampled(f"{key}.method", chosen)
    asks = question.load(task_settings(asked).module).kind
    return Model(chosen, asked, method.read(chosen, key, asks, **given))


def toy(name: str) -> tuple[str, ModelSettings]:
    """The method of an entry of toys, and its settings."""
    chosen = params.read(f"toys.{name}.method", str)
    check_sampled(f"toys.{name}.method", chosen)
    return chosen, method.read(chosen, f"toys.{name}", "points")


def check_sampled(key: str, name: str) -> None:
    """An InputError if this is no method, or one that answers nothing."""
    params.check_name(
        key, name, [each for each in method.available() if hasattr(method.load(each), "sampler")]
    )


def models() -> Iterator[tuple[str, str, Model]]:
    """All models of params.yaml, each entry once: section, name, model."""
    for section in FAMILIES:
        for name in entries(section):
            yield section, name, entry(section, name)


def keys() -> list[str]:
    """The sections without entries, and the entries of the others."""
    several = ("datasets", "tasks", "toys", *FAMILIES)
    return [*SINGLE, *(f"{section}.{name}" for section in several for name in entries(section))]


def settings(key: str) -> Section:
    """What one of `keys` comes to."""
    section, _, name = key.partition(".")
    if section in SINGLE:
        return single(section)
    if section == "datasets":
        learner(name)
        return kind.of(name)[1]
    if section == "tasks":
        return task_settings(name)
    if section == "toys":
        return toy(name)[1]
    return entry(section, name).settings


def check() -> None:
    """Read everything; a mistake anywhere is an InputError with the key, the value and what is allowed."""
    for key in params.content() or {}:
        params.check_name("section", str(key), SECTIONS)
    params.read("seeds", Seeds)
    params.read("budget", Budget)
    for key in keys():
        settings(key)
    evaluation = params.read("evaluate", Evaluation)
    for key in ("num_draws_on", "dial_on"):
        for name in getattr(evaluation, key):
            params.check_name(f"evaluate.{key}", name, entries("tasks"))
    check_claim()


def check_claim() -> None:
    """An InputError if the claim's page is of tasks without classes, or without a model that it shows."""
    found = params.read("claim", Claim)
    by_class = [
        task
        for task in entries("tasks")
        if question.load(task_settings(task).module).kind == "class"
        and all(task in entries(section) for section in CLAIMED)
    ]
    for key, name in (("task", found.task), ("whole", found.whole)):
        if name not in by_class:
            none = f"tasks by class with entries in {', '.join(CLAIMED)}; there are none"
            allowed = ", ".join(by_class) or none
            raise InputError(f"{params.PARAMS_FILE}: claim.{key} = {name!r}: allowed are {allowed}")


def check_folders() -> None:
    """An InputError if a folder of the user's is one that DVC would overwrite, or cannot read."""
    for key in ["bayes.folder", *(f"datasets.{name}.folder" for name in entries("datasets"))]:
        own_files.check_folder(key, params.read(key, str))


def check_names() -> None:
    """An InputError for a name that DVC would stumble over, or take for something else."""
    for section in ("datasets", "tasks", "toys", *FAMILIES):
        entries(section)
