"""How good a model is while it trains: cheap metrics on that half of the validation split that may steer
choices, for curves, and samples.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.methods import method
from pipeline.methods.method import Training
from pipeline.metrics import features, frechet, modes, posterior
from pipeline.metrics.features import FeatureExtractor
from pipeline.metrics.frechet import Statistics
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute
from pipeline.sampling.draw import Conditions, draw
from pipeline.tasks.task import Task

NUM_SAMPLES = 2000  # at most; so few bias the FID upwards: compare it only with others of the same number
NUM_REPEATED, NUM_DRAWS = 128, 8  # conditions, images or words, that are asked several times, and how often
SEED = 0  # the same latents each time
MOST_BYTES = 2**26  # of the targets that samples are compared with
NUM_COLUMNS, NUM_ROWS = 10, 5  # of a snapshot: conditions, and draws of each


@dataclass(frozen=True)
class Monitor:
    """A `Monitor` of `training.trainer`, of a prepared task."""

    task: Task
    extractor: FeatureExtractor
    real: Statistics | None  # of these; None where only modes are counted
    numbers: Tensor  # of the validation examples, (N,)
    targets: Tensor  # (N, C, H, W) uint8

    def measure(self, training: Training) -> dict[str, float]:
        """FID of one sample for each of the first conditions; of those that are images or words
        also its squared error, and of several samples of some the average standard deviation and the gain;
        of stacked digits, modes hit.
        """
        sampler = method.load(training.spec.method).sampler(training.ema)
        drawn = draw(sampler, self.task.validation.conditions, self.numbers[:NUM_SAMPLES], 1, SEED)
        if self.real is None:
            found = modes.measure(drawn[:, 0], self.extractor, self.task.facts["num_modes"])
            return {"modes": found["modes"].value}
        statistics = frechet.statistics(self.extractor.features(drawn[:, 0]))
        values = {"fid": frechet.distance(statistics, self.real)}
        if self.task.kind in ("image", "words"):
            values["mse"] = posterior.errors(drawn, self.targets[: len(drawn)])["sample_mse"]
            if num_inputs(sampler):  # without latents all samples are one
                values |= self.of_several(sampler)
        return values

    def of_several(self, sampler: nn.Module) -> dict[str, float]:
        """How much the samples of a condition differ, and what the mean of eight gains over one, in dB."""
        num = len(self.numbers)
        some = torch.arange(min(NUM_REPEATED, num)) * num // min(NUM_REPEATED, num)
        drawn = draw(sampler, self.task.validation.conditions, self.numbers[some], NUM_DRAWS, SEED)
        gain = posterior.gains(drawn, self.targets[some])[NUM_DRAWS]
        return {"apsd": posterior.spread(drawn), f"gain_{NUM_DRAWS}": gain}

    def snapshot(self, training: Training) -> dict[str, Tensor]:
        """Five rows of draws for ten conditions: each class, or validation conditions evenly spread."""
        sampler = method.load(training.spec.method).sampler(training.ema)
        conditions: Conditions = self.task.validation.conditions
        numbers = self.numbers[torch.arange(NUM_COLUMNS) * len(self.numbers) // NUM_COLUMNS]
        if self.task.kind == "class":
            conditions = torch.eye(self.task.num_conditions).__getitem__
            numbers = torch.arange(NUM_COLUMNS) % self.task.num_conditions
        drawn = draw(sampler, conditions, numbers, NUM_ROWS, SEED)  # (10, 5, C, H, W)
        images = drawn.transpose(0, 1).flatten(0, 1)
        return {"images": self.task.shown(images) if images.shape[1] > 1 else images}


def of_task(task: Task, device: torch.device = compute.CPU) -> Monitor:
    """The monitor of a task, with the feature network that lies with it."""
    extractor, (numbers, _) = features.of_task(task, "own", device), task.halves()
    if "num_modes" in task.facts:
        return Monitor(task, extractor, None, numbers, torch.empty(0))
    numbers = numbers[: MOST_BYTES // math.prod(task.x_shape)]
    targets = task.validation.images(numbers)[0]
    return Monitor(task, extractor, frechet.statistics(extractor.features(targets)), numbers, targets)
