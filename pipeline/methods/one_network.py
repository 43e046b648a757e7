"""What all trainings of a single network share: their state, batches, and steps of optimizer and average."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from pipeline.methods import ema
from pipeline.methods.optimisation import descend, warmup_linear_decay
from pipeline.methods.schedule import Schedule
from pipeline.networks.network import Spec
from pipeline.runtime import randomness
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.examples import Batch, Examples

WEIGHTS = "weights"  # purpose of random numbers


@dataclass
class OneNetwork:
    """The state of such a training. The learning rate rises over the first fifth of it and falls to 0."""

    settings: Schedule
    spec: Spec
    network: nn.Module
    ema: nn.Module  # of the network: what is kept
    optimizer: Optimizer
    asked: tuple[Tensor, ...]  # with what the network is asked for `num` images
    num: int = 1
    steps_done: int = 0

    @classmethod
    def begin(
        cls, settings: Schedule, spec: Spec, *asked: Tensor, num: int = 1, weight_decay: float = 0.0
    ) -> Self:
        """The network with the weights that (seed, "weights") gives, and its optimizer."""
        torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
        network = spec.build().to(memory_format=torch.channels_last)
        optimizer = AdamW(network.parameters(), settings.learning_rate, weight_decay=weight_decay, fused=True)
        return cls(settings, spec, network, ema.copy_of(network), optimizer, asked, num)

    def take(self, examples: Examples, num: int) -> Batch:
        """This process's share of this step's batch of `num` examples."""
        return examples.take(num, self.settings.seed, self.steps_done)

    def descend(self, loss: Tensor) -> None:
        """A step of the optimizer, then of the moving average."""
        settings, step, num = self.settings, self.steps_done, self.settings.batch_size
        rate = settings.learning_rate * warmup_linear_decay(step, settings.num_steps)
        descend(self.optimizer, loss, rate)
        ema.update(self.ema, self.network, settings.ema_halflife, num, step * num)

    def sizes(self) -> dict[str, float]:
        """Of one member, for one image."""
        flops = num_flops(lambda: self.ema(*self.asked)) / self.num
        return {"parameters": num_parameters(self.network) / self.spec.num_members, "flops": flops}
