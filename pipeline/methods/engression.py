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
from torch.optim import Adam

from pipeline.methods import ema, energy, regression
from pipeline.methods.method import Scalars, itself
from pipeline.methods.optimisation import descend, warmup_linear_decay
from pipeline.methods.regression import Regression
from pipeline.methods.schedule import OfImages, OfNumbers, OfWords
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute, distributed, randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Positive
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.task import Examples, Task

WEIGHTS, LATENTS = "weights", "latents"  # purposes of random numbers


class Settings(regression.Settings):
    """Defaults of digits, as regression's; a batch is of draws, so that it has 1 / P as many conditions."""

    num_latents: NotNegativeCount = 64  # Z
    num_draws: Count = 2  # P: of one condition
    exponent: Annotated[float, Field(gt=0, le=2)] = 1.0  # b
    repulsion: NotNegative = 1.0  # weight of the distance between draws; 1: the energy score
    patch_sizes: Annotated[list[NotNegativeCount], Field(min_length=1)] = [1, 4, 0]  # pixels; 0: the image

    @property
    def together(self) -> int:
        return self.num_draws

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
    learning_rate: Positive = 0.005
    ema_halflife: NotNegative = 50_000.0


SETTINGS = {
    "none": NoneSettings,
    "class": Settings,
    "image": ImageSettings,
    "words": WordSettings,
    "numbers": NumberSettings,
}


@dataclass
class Engression(Regression):
    """The state of an engression's training."""

    settings: Settings

    def step(self, examples: Examples) -> Scalars:
        """One step down the score of P draws of each condition."""
        settings, step, num = self.settings, self.steps_done, self.settings.batch_size
        chosen = randomness.batch_indices(len(examples), num // settings.num_draws, settings.seed, step)
        x, c = examples.batch(distributed.shard(chosen))
        z = randomness.normal(num, num_inputs(self.generator), settings.seed, LATENTS, step)
        z = distributed.shard(z).to(compute.device_of(self.generator))
        drawn = distributed.replica(self.generator)(z, c).float().unflatten(0, (-1, settings.num_draws))
        error, spread = energy.score(drawn, x, settings.exponent, settings.repulsion, settings.patch_sizes)
        loss = error - settings.repulsion / 2 * spread
        rate = settings.learning_rate * warmup_linear_decay(step, settings.num_steps)
        descend(self.optimizer, loss, rate)
        ema.update(self.ema, self.generator, settings.ema_halflife, num, step * num)
        return {"loss": loss.detach(), "error": error.detach(), "spread": spread.detach()}

    def sizes(self) -> dict[str, float]:
        z = torch.zeros(1, num_inputs(self.generator))
        return {
            "generator_parameters": num_parameters(self.generator),
            "generator_flops": num_flops(lambda: self.ema(z, self.blank)),
        }


def start(settings: Settings, task: Task) -> Engression:
    """The network with the weights that (seed, "weights") gives, and its optimizer."""
    spec = settings.spec("engression", task, num_latents=settings.num_latents)
    torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
    generator = spec.build().to(memory_format=torch.channels_last)
    optimizer = Adam(generator.parameters(), settings.learning_rate, fused=True)
    return Engression(settings, spec, generator, ema.copy_of(generator), optimizer, task.blank(1))


sampler = itself
