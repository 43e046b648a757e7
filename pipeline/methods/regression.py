"""Regression by mean-squared error: a generator whose latents have width 0, so that each condition has one
answer.

Its optimum is the conditional mean E[x | c] of the training images: the average of all plausible answers.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline.methods import ema
from pipeline.methods.method import Scalars, itself
from pipeline.methods.optimisation import descend, warmup_linear_decay
from pipeline.methods.schedule import ModelSettings, NetworkName, OfImages, OfNumbers, OfWords
from pipeline.networks.network import Spec
from pipeline.runtime import distributed, randomness
from pipeline.runtime.params import Count, NotNegative, Positive
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.task import Examples, Task

WEIGHTS = "weights"  # purpose of random numbers


class Settings(ModelSettings):
    """Defaults of class to digit. `learning_rate` is the highest: it rises over the first fifth of the
    training and falls to 0.
    """

    kind: ClassVar[str] = "class"

    network: NetworkName = "dcgan"
    width: Count = 32
    learning_rate: Positive = 0.002
    ema_halflife: NotNegative = 10_000.0
    batch_size: Count = 64
    num_steps: Count = 1500
    save_every: Count = 500
    num_snapshots: Count = 8
    monitor_every: Count = 300


class ImageSettings(OfImages, Settings):
    pass


class WordSettings(OfWords, ImageSettings):
    pass


class NumberSettings(OfNumbers, Settings):
    learning_rate: Positive = 0.01
    ema_halflife: NotNegative = 50_000.0


SETTINGS = {"class": Settings, "image": ImageSettings, "words": WordSettings, "numbers": NumberSettings}


@dataclass
class Regression:
    """The state of a regression's training."""

    settings: ModelSettings
    spec: Spec
    generator: nn.Module
    ema: nn.Module  # of the generator: what is kept
    optimizer: Optimizer
    blank: Tensor  # a condition that says nothing, (1, ...)
    steps_done: int = 0

    def step(self, examples: Examples) -> Scalars:
        """One step down the squared error, averaged over pixels in [-1, 1] and images."""
        settings, step, num = self.settings, self.steps_done, self.settings.batch_size
        chosen = randomness.batch_indices(len(examples), num, settings.seed, step)
        x, c = examples.batch(distributed.shard(chosen))
        loss = F.mse_loss(distributed.replica(self.generator)(no_latents(c), c).float(), x)
        rate = settings.learning_rate * warmup_linear_decay(step, settings.num_steps)
        descend(self.optimizer, loss, rate)
        ema.update(self.ema, self.generator, settings.ema_halflife, num, step * num)
        return {"loss": loss.detach()}

    def sizes(self) -> dict[str, float]:
        return {
            "generator_parameters": num_parameters(self.generator),
            "generator_flops": num_flops(lambda: self.ema(no_latents(self.blank), self.blank)),
        }


def no_latents(c: Tensor) -> Tensor:
    """Latents of width 0 for these conditions, (N, 0)."""
    return torch.empty(len(c), 0, device=c.device)


def start(settings: ModelSettings, task: Task) -> Regression:
    """The network with the weights that (seed, "weights") gives, and its optimizer."""
    spec = settings.spec("regression", task)
    torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
    generator = spec.build().to(memory_format=torch.channels_last)
    optimizer = Adam(generator.parameters(), settings.learning_rate, fused=True)
    return Regression(settings, spec, generator, ema.copy_of(generator), optimizer, task.blank(1))


sampler = itself
