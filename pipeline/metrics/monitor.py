"""How good a generator is while it trains: cheap figures on validation images, for curves, not for tables."""

from collections.abc import Callable

import torch
from torch import nn

from pipeline.data.digits import Pictures
from pipeline.metrics import frechet, modes
from pipeline.metrics.features import Reader
from pipeline.sampling import draw as sampling
from pipeline.tasks.conditions import Condition

Quality = Callable[[nn.Module], dict[str, float]]  # of a generator

NUM_SAMPLES = 2000  # few, so the FID is biased upwards: compare it only with others of the same number
SEED = 0  # the same latents each time


def fid(reader: Reader, held: Pictures, condition: Condition) -> Quality:
    """The FID between 2,000 samples, asked for the classes of the first validation images, and all those."""
    real = frechet.statistics(reader.features(held.pixels))
    c = condition.encode(held.labels[:NUM_SAMPLES])

    def measure(generator: nn.Module) -> dict[str, float]:
        features = reader.features(sampling.draw(generator, c, 1, SEED).squeeze(1))
        return {"fid": frechet.distance(frechet.statistics(features), real)}

    return measure


def num_modes(reader: Reader) -> Quality:
    """How many of the thousand modes of stacked digits 2,000 samples hit."""

    def measure(generator: nn.Module) -> dict[str, float]:
        pixels = sampling.draw(generator, torch.empty(NUM_SAMPLES, 0), 1, SEED).squeeze(1)
        return {"modes": float(modes.count(modes.readings(pixels, reader.read)))}

    return measure
