"""Points in the plane, trained while one looks: one member of an entry of `toys:`, a few steps at a time."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pipeline.methods import method as methods
from pipeline.methods.adversarial import Adversarial
from pipeline.methods.method import Training
from pipeline.methods.schedule import OfPoints
from pipeline.metrics import points as metrics
from pipeline.play.laboratory import Unknown
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.tasks import points as tasks
from pipeline.tasks.examples import Examples
from pipeline.tasks.points import TARGETS, Target

MOST = 4  # trainings at once; the oldest gives way
SECONDS = 0.25  # of steps at once, at most
NUM_SHOWN = 1000  # points
SIDE = 48  # places along a discriminator's surface
SEED = 0  # of the latents of what is shown
PENALISED = ("r1", "r2", "gradient_penalty")

Entries = Mapping[str, tuple[str, Any]]  # of `toys:`, a method and its settings each


@dataclass
class Toy:
    training: Training
    examples: Examples
    target: Target

    @property
    def done(self) -> bool:
        return self.training.steps_done >= self.training.settings.num_steps


@dataclass
class Toys:
    """Trainings under way, by number."""

    entries: Entries
    trainings: OrderedDict[int, Toy] = field(default_factory=OrderedDict)
    num_started: int = 0

    def start(self, name: str, changes: Mapping[str, Any], seed: int) -> int:
        """The number of a new training of an entry of this name, with changed settings."""
        if name not in self.entries:
            raise Unknown(f"toy {name!r}: allowed are {', '.join(self.entries)}")
        method, settings = self.entries[name]
        if method != "adversarial" and changes:
            raise InputError(f"{next(iter(changes))}: {name} is trained by {method}, which has none")
        found = alone(f"toys.{name}", settings, {**changes, "seed": seed})
        task = tasks.task(found.target, seed)
        training = methods.load(method).start(found, task)
        self.num_started += 1
        self.trainings[self.num_started] = Toy(training, task.train, TARGETS[found.target])
        if len(self.trainings) > MOST:
            self.trainings.popitem(last=False)
        return self.num_started

    def find(self, number: int) -> Toy:
        if number not in self.trainings:
            raise Unknown(f"no training has the number {number} any more; start another")
        return self.trainings[number]


def alone(key: str, settings: OfPoints, changes: Mapping[str, Any]) -> Any:
    """The settings of one of an entry's members; without its penalties if one is among the changes."""
    num = settings.num_members
    found = settings.model_dump() | {
        "num_members": 1,
        "batch_size": settings.batch_size // num,
        "ema_halflife": settings.ema_halflife / num,
    }
    if any(name in changes for name in PENALISED):
        found |= dict.fromkeys(PENALISED, 0.0)
    return params.checked(key, {**found, **changes}, type(settings))


def advance(toy: Toy, num_steps: int) -> dict[str, float]:
    """Up to so many steps, as many as there is time for; what the last of them reported."""
    logged: dict[str, Tensor] = {}
    end = time.monotonic() + SECONDS
    for _ in range(num_steps):
        if toy.done or time.monotonic() > end:
            break
        logged = toy.training.step(toy.examples)
        toy.training.steps_done += 1
    found = {name: value.item() for name, value in logged.items()}
    if not all(map(torch.isfinite, map(torch.tensor, found.values()))):
        raise InputError(f"training diverged at step {toy.training.steps_done}; start it again")
    return found


def look(toy: Toy) -> dict[str, Any]:
    """What is to be seen of a training: points, how many modes they hit, the discriminator's surface."""
    clouds = metrics.clouds(toy.training.ema, metrics.NUM_SAMPLES, SEED)
    if not clouds.isfinite().all():
        raise InputError(f"training diverged at step {toy.training.steps_done}; start it again")
    figures = metrics.measure(clouds, toy.target)[0]
    found = {
        "steps": toy.training.steps_done,
        "num_steps": toy.training.settings.num_steps,
        "done": toy.done,
        "extent": toy.target.extent,
        "centres": toy.target.centres.tolist(),
        "points": rounded(clouds[0, :NUM_SHOWN]),
        "modes": int(figures["modes"]),
        "num_modes": len(toy.target.centres),
        "good_share": figures["good_share"],
    }
    if isinstance(toy.training, Adversarial):
        surface = metrics.landscapes(toy.training.discriminator, toy.target, SIDE)[0]
        found |= {"low": surface.min().item(), "high": surface.max().item()}
        spread = (surface - surface.min()) / (surface.max() - surface.min()).clamp(min=1e-6)
        found["surface"] = spread.mul(255).round().to(torch.uint8).tolist()
    return found


def rounded(points: Tensor) -> list[list[float]]:
    return [[round(x, 3), round(y, 3)] for x, y in points.tolist()]
