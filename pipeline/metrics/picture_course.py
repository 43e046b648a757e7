"""How good a network that draws pictures for conditions is while it trains: cheap figures on validation
pictures, for curves, not for tables.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pipeline import sampling
from pipeline.metrics import frechet, posterior
from pipeline.metrics.course import SEED, Quality
from pipeline.tasks import Pairs, visible

NUM_DRAWS = 2  # of a condition


def quality(extract: Callable[[Tensor], Tensor], held: Pairs) -> Quality:
    """The FID and the squared error of one draw for each validation condition, and the average standard
    deviation of two.
    """
    real = frechet.statistics(extract(visible(held.pictures)))
    told = held.told(torch.arange(len(held)))

    def measure(generator: nn.Module) -> dict[str, float]:
        drawn = sampling.draw(generator, told, NUM_DRAWS, SEED)
        features = extract(visible(drawn[:, 0]))
        return {
            "fid": frechet.distance(frechet.statistics(features), real),
            "mse": posterior.errors(drawn[:, :1], held.pictures)["sample_mse"],
            "apsd": posterior.spread(drawn),
        }

    return measure
