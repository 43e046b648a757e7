"""Engression: regression with latents, trained by a proper score in place of squared error (Shen and
Meinshausen 2023, arXiv:2307.00835; of weather fields Pacchiardi et al. 2021, arXiv:2112.08217). One network,
one evaluation a sample, no discriminator.

P draws of each condition minimise  mean |x - g|^b - repulsion / 2 mean |g - g'|^b. Without the second term,
with one draw, no latents, single pixels and b = 2, that is squared error: regression.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import torch
from pydantic import Field, model_validator

from pipeline.methods import energy, regression
from pipeline.methods.method import Scalars, itself
from pipeline.methods.one_network import OneNetwork
from pipeline.methods.schedule import OfImages, OfNumbers, OfPoints, OfWords
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute, distributed, randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Positive
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

PatchSizes = Annotated[list[NotNegativeCount], Field(min_length=1)]

LATENTS = "latents"  # purpose of random numbers


class Settings(regression.Settings):
    """Defaults of digits, as regression's; a batch is of draws, so that it has 1 / P as many conditions."""

    num_latents: NotNegativeCount = 64  # Z
    layer_noise: bool = False  # a number of noise at each pixel of each level, too, of a U-Net's way up
    num_draws: Count = 2  # P: of one condition
    exponent: Annotated[float, Field(gt=0, le=2)] = energy.EXPONENT  # b
    repulsion: NotNegative = 1.0  # weight of the distance between draws; 1: the energy score
    patch_sizes: PatchSizes = list(energy.PATCH_SIZES)  # pixels a side; 0: the whole image

    @property
    def together(self) -> int:
        return self.num_draws

    @classmethod
    def only(cls) -> dict[str, tuple[str, ...]]:
        return super().only() | {"layer_noise": ("image",)}

    @model_validator(mode="after")
    def _draws_differ(self) -> Self:
        self.check_multiple("batch_size", of="num_draws")
        if self.repulsion and (self.num_draws == 1 or not self.num_latents or self.exponent == 2):
            need = "num_draws of 2 or more, num_latents of 1 or more and an exponent below 2"
            raise ValueError(f"repulsion = {self.repulsion}: draws repel each other with {need}")
        return self


class NoneSettings(Settings):
    kind: ClassVar[str] = "none"


class ImageSettings(OfImages, Settings):
    num_latents: NotNegativeCount = 16


class WordSettings(OfWords, ImageSettings):
    pass


class NumberSettings(OfNumbers, Settings):
    num_latents: NotNegativeCount = 2
    patch_sizes: PatchSizes = [0]
    learning_rate: Positive = 0.005
    ema_halflife: NotNegative = 50_000.0


class PointSettings(OfPoints, Settings):
    num_draws: Count = 64
    patch_sizes: PatchSizes = [0]
    learning_rate: Positive = 0.005


SETTINGS = {
    "none": NoneSettings,
    "class": Settings,
    "image": ImageSettings,
    "words": WordSettings,
    "numbers": NumberSettings,
    "points": PointSettings,
}


@dataclass
class Engression(OneNetwork):
    settings: Settings

    def step(self, examples: Examples) -> Scalars:
        """One step down the score of P draws of each condition; where there are no conditions, P draws are
        compared with P examples.
        """
        settings, num = self.settings, self.settings.batch_size
        num_truths = settings.num_draws if settings.kind in ("none", "points") else 1
        _, x, c = self.take(examples, num * num_truths // settings.num_draws)
        x = x.unflatten(0, (-1, num_truths))
        z = randomness.normal(num, num_inputs(self.network), settings.seed, LATENTS, self.steps_done)
        z = distributed.shard(z).to(compute.device_of(self.network))
        drawn = distributed.replica(self.network)(z, c).float().unflatten(0, (-1, settings.num_draws))
        error, spread = energy.score(drawn, x, settings.exponent, settings.repulsion, settings.patch_sizes)
        loss = error - settings.repulsion / 2 * spread
        self.descend(loss)
        return {"loss": loss.detach(), "error": error.detach(), "spread": spread.detach()}


def start(settings: Settings, task: Task) -> Engression:
    chosen = {"num_latents": settings.num_latents, "layer_noise": settings.layer_noise}
    spec = settings.spec("engression", task, turn=settings.num_draws, **chosen)
    num = settings.num_members * settings.num_draws  # fewer rows make no turn of points
    z = torch.zeros(num, num_inputs(spec.build()))
    return Engression.begin(settings, spec, z, task.blank(1), num=num)


sampler = itself
