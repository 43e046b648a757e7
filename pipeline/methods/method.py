"""The contract of this room, and its modules by name: how a network learns to answer.

A method is a module with

    SETTINGS                        by kind of condition, the settings class with that kind's defaults
    start(settings, task)           a Training at its first step
    sampler(network)                the trained network as (z, c) -> x, whatever happens within

Those that train the networks in whose features images are compared have no sampler.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from torch import Tensor, nn

from pipeline.methods.schedule import Budget, ModelSettings, Schedule
from pipeline.networks.network import Spec
from pipeline.runtime import modules, params
from pipeline.runtime.errors import InputError
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

CHOOSING, CHOSEN = ("variants.", "toys."), ("method", "task")  # sections whose entries have these keys

Scalars = dict[str, Tensor]  # what a step reports: names and scalars, detached


class Training(Protocol):
    """One model under training; a dataclass whose networks and optimizers a checkpoint holds."""

    steps_done: int

    @property
    def settings(self) -> Schedule: ...

    @property
    def ema(self) -> nn.Module:
        """The moving average of the network that is kept."""

    def step(self, examples: Examples) -> Scalars:
        """One step of all players; does not count itself."""

    @property
    def spec(self) -> Spec: ...

    def sizes(self) -> dict[str, float]:
        """Parameters, and operations for one image, by network."""


class Method(Protocol):
    """A module of this room; see above."""

    SETTINGS: Mapping[str, type[Schedule]]

    def start(self, settings: Schedule, task: Task) -> Training: ...
    def sampler(self, network: nn.Module) -> nn.Module: ...


def itself(network: nn.Module) -> nn.Module:
    """The sampler of a method whose network is (z, c) -> x."""
    return network


def load(name: str) -> Method:
    """The method of this name; an InputError where there is none."""
    return cast(Method, modules.load("methods", "start", "method", name))


def available() -> list[str]:
    return modules.available("methods", "start")


def read(name: str, key: str, kind: str, **given: object) -> ModelSettings:
    """The settings of an entry of params.yaml, such as "cgans.sketch", for a method and a kind of condition,
    its steps as many times as `budget` says;
    `given` is its seed, but for a variant or a toy, whose entry has it and also names its method.
    """
    cls = settings_class(name, kind)
    if key.startswith(CHOOSING):
        entry = params.read(key, dict[str, Any])
        found = params.checked(key, {each: entry[each] for each in entry if each not in CHOSEN}, cls)
    else:
        found = params.read(key, cls, None, **given)
    assert isinstance(found, ModelSettings)
    return found.scaled(params.read("budget", Budget))


def settings_class(name: str, kind: str) -> type[Schedule]:
    """The settings of a method for conditions of this kind; an InputError if it has none for them."""
    classes = load(name).SETTINGS
    if kind not in classes:
        allowed = ", ".join(classes)
        raise InputError(f"method {name!r} takes no conditions of kind {kind!r}; allowed are {allowed}")
    return classes[kind]
