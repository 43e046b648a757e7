"""Adversarial training of several members at once on points in the plane: same data, same numbers, other
weights and other noise. Each member is what one seed would be in a training of its own.
"""

from typing import Annotated, ClassVar, Self

import torch
from pydantic import model_validator

from pipeline.methods import adversarial, adversarial_settings, stabilisers
from pipeline.methods.adversarial import WEIGHTS, Adversarial
from pipeline.methods.method import itself
from pipeline.methods.schedule import NetworkName
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, Positive, one_of
from pipeline.tasks.points import TARGETS
from pipeline.tasks.task import Task


class Settings(adversarial_settings.Settings):
    """Defaults of the ring: latents as in arXiv:1611.02163, Adam as in DCGAN, arXiv:1511.06434."""

    kind: ClassVar[str] = "points"

    target: Annotated[str, one_of(TARGETS)] = "ring"  # of pipeline/tasks/points.py
    num_members: Count = 5  # S: as many seeds, trained side by side
    network: NetworkName = "points"
    num_latents: Count = 256
    width: Count = 64
    learning_rate: Positive = 0.0002
    ema_halflife: NotNegative = 20_000.0  # points, of all members together
    batch_size: Count = 320  # points, of all members together
    num_steps: Count = 4000
    save_every: Count = 1000
    num_snapshots: Count = 6  # clouds of samples kept, evenly spread
    monitor_every: Count = 100

    @model_validator(mode="after")
    def _members_share_the_batch(self) -> Self:
        num = self.num_members * self.packing
        if self.batch_size % num:
            found = f"batch_size = {self.batch_size}"
            raise ValueError(f"{found} must be a multiple of num_members * packing = {num}")
        return self


SETTINGS = {"points": Settings}


def start(settings: Settings, task: Task) -> Adversarial:
    """Networks with the weights that (seed, "weights") gives, and their optimizers."""
    chosen = {name: getattr(settings, name) for name in ("num_latents", "num_members", "packing")}
    spec = settings.spec("points", task, **chosen)
    torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
    discriminator = stabilisers.discriminator(settings, 0, task.x_shape, settings.num_members)
    return adversarial.begin(settings, spec, spec.build(), discriminator, task.blank(1))


sampler = itself
