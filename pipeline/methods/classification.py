"""Training of a classifier, in whose features images are compared: cross-entropy on the classes."""

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.methods.method import Scalars
from pipeline.methods.one_network import OneNetwork
from pipeline.methods.schedule import Schedule
from pipeline.networks.network import Spec
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Positive
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

SHIFT = "shift"  # purpose of random numbers

T = TypeVar("T", bound=OneNetwork)


class FeatureSettings(Schedule):
    """What the learners of feature networks share."""

    width: Count = 16  # channels of the first convolution
    weight_decay: NotNegative = 0.0  # AdamW's
    ema_halflife: NotNegative = 20_000.0  # images; 0: no averaging


class Settings(FeatureSettings):
    learning_rate: Positive = 0.003
    max_shift: NotNegativeCount = 1  # pixels, up and across, by which a batch is moved at random
    batch_size: Count = 64
    num_steps: Count = 4600
    log_every: Count = 100
    save_every: Count = 500


SETTINGS = {"class": Settings}


@dataclass
class Classification(OneNetwork):
    settings: Settings

    def step(self, examples: Examples) -> Scalars:
        """One step down the cross-entropy."""
        _, x, c = self.take(examples, self.settings.batch_size)
        labels = c.argmax(1)
        logits = self.network(shifted(x, self.settings, self.steps_done)).float()
        loss = F.cross_entropy(logits, labels)
        self.descend(loss)
        return {"loss": loss.detach(), "accuracy": (logits.detach().argmax(1) == labels).float().mean()}


def start(settings: Settings, task: Task) -> Classification:
    return begin(Classification, "classification", "classifier", settings, task)


def begin(cls: type[T], method: str, network: str, settings: FeatureSettings, task: Task) -> T:
    """The training of a feature network at its first step."""
    shape, num_classes = list(task.x_shape), task.num_conditions
    spec = Spec(
        method=method, network=network, width=settings.width, image_shape=shape, num_conditions=num_classes
    )
    return cls.begin(settings, spec, torch.zeros(1, *shape), weight_decay=settings.weight_decay)


def shifted(x: Tensor, settings: Settings, step: int) -> Tensor:
    """The batch rolled by a random number of pixels along each axis; the margin is empty."""
    source, most = randomness.generator(settings.seed, SHIFT, step), settings.max_shift
    down, right = torch.randint(-most, most + 1, (2,), generator=source).tolist()
    return x.roll((down, right), (2, 3))
