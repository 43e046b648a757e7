"""Regression by mean-squared error: a generator whose latents have width 0, so that each condition has one
answer.

Its optimum is the conditional mean E[x | c] of the training images: the average of all plausible answers.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.methods.method import Scalars, itself
from pipeline.methods.one_network import OneNetwork
from pipeline.methods.schedule import ModelSettings, NetworkName, OfImages, OfNumbers, OfWords
from pipeline.runtime import distributed
from pipeline.runtime.params import Count, NotNegative, Positive
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task


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


class Regression(OneNetwork):
    def step(self, examples: Examples) -> Scalars:
        """One step down the squared error, averaged over pixels in [-1, 1] and images."""
        _, x, c = self.take(examples, self.settings.batch_size)
        loss = F.mse_loss(distributed.replica(self.network)(no_latents(c), c).float(), x)
        self.descend(loss)
        return {"loss": loss.detach()}


def no_latents(c: Tensor) -> Tensor:
    """Latents of width 0 for these conditions, (N, 0)."""
    return torch.empty(len(c), 0, device=c.device)


def start(settings: Settings, task: Task) -> Regression:
    blank = task.blank(1)
    return Regression.begin(settings, settings.spec("regression", task), no_latents(blank), blank)


sampler = itself
