"""Training of a classifier, in whose features images are compared: cross-entropy on the classes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from pipeline.methods import ema
from pipeline.methods.method import Scalars
from pipeline.methods.optimisation import descend, warmup_linear_decay
from pipeline.methods.schedule import Schedule
from pipeline.networks.network import Spec
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Positive
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.task import Examples, Task

WEIGHTS, SHIFT = "weights", "shift"  # purposes of random numbers


class FeatureSettings(Schedule):
    """What the learners of feature networks share."""

    width: Count = 16  # channels of the first convolution
    learning_rate: Positive  # the highest; it rises over the first fifth and falls to 0
    weight_decay: NotNegative = 0.0
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
class FeatureTraining:
    """The state of a feature network's training."""

    settings: FeatureSettings
    spec: Spec
    network: nn.Module
    ema: nn.Module  # of the network: what is kept
    optimizer: Optimizer
    steps_done: int = 0

    def descend(self, loss: Tensor) -> None:
        """A step of the optimizer, then of the moving average."""
        settings, step, num = self.settings, self.steps_done, self.settings.batch_size
        rate = settings.learning_rate * warmup_linear_decay(step, settings.num_steps)
        descend(self.optimizer, loss, rate)
        ema.update(self.ema, self.network, settings.ema_halflife, num, step * num)

    def chosen(self, examples: Examples) -> Tensor:
        """Which examples this step is of, (N,)."""
        settings = self.settings
        return randomness.batch_indices(len(examples), settings.batch_size, settings.seed, self.steps_done)

    def sizes(self) -> dict[str, float]:
        images = torch.zeros(1, *self.spec.image_shape)
        return {"parameters": num_parameters(self.network), "flops": num_flops(lambda: self.ema(images))}


@dataclass
class Classification(FeatureTraining):
    settings: Settings

    def step(self, examples: Examples) -> Scalars:
        """One step down the cross-entropy."""
        x, c = examples.batch(self.chosen(examples))
        labels = c.argmax(1)
        logits = self.network(shifted(x, self.settings, self.steps_done)).float()
        loss = F.cross_entropy(logits, labels)
        self.descend(loss)
        return {"loss": loss.detach(), "accuracy": (logits.detach().argmax(1) == labels).float().mean()}


def start(settings: Settings, task: Task) -> Classification:
    """The classifier with the weights that (seed, "weights") gives, and its optimizer."""
    return Classification(settings, *begin("classification", "classifier", settings, task))


def begin(
    method: str, network: str, settings: FeatureSettings, task: Task
) -> tuple[Spec, nn.Module, nn.Module, Optimizer]:
    """A feature network's spec, itself, its moving average and its optimizer."""
    shape, num_classes = list(task.x_shape), task.num_conditions
    spec = Spec(
        method=method, network=network, width=settings.width, image_shape=shape, num_conditions=num_classes
    )
    torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
    built = spec.build().to(memory_format=torch.channels_last)
    rate, decay = settings.learning_rate, settings.weight_decay
    optimizer = AdamW(built.parameters(), rate, weight_decay=decay, fused=True)
    return spec, built, ema.copy_of(built), optimizer


def shifted(x: Tensor, settings: Settings, step: int) -> Tensor:
    """The batch rolled by a random number of pixels along each axis; the margin is empty."""
    source, most = randomness.generator(settings.seed, SHIFT, step), settings.max_shift
    down, right = torch.randint(-most, most + 1, (2,), generator=source).tolist()
    return x.roll((down, right), (2, 3))
