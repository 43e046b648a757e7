"""How good a network that draws pictures for conditions is while it trains: cheap figures on validation
pictures, for curves, not for tables.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pipeline.metrics import frechet, posterior
from pipeline.metrics.monitor import SEED, Quality
from pipeline.networks import num_inputs
from pipeline.sampling import draw as sampling
from pipeline.tasks.drawings import Pairs, visible

NUM_DRAWS = 2  # of a condition


def quality(extract: Callable[[Tensor], Tensor], held: Pairs) -> Quality:
    """The FID and the squared error of one draw for each validation condition, and the average standard
    deviation of two.
    """
    real = frechet.statistics(extract(visible(held.pictures)))
    every = torch.arange(len(held))

    def measure(generator: nn.Module) -> dict[str, float]:
        num_draws = NUM_DRAWS if num_inputs(generator) else 1  # without latents all are one
        drawn = sampling.draw_told(generator, held.told, every, num_draws, SEED)
        features = extract(visible(drawn[:, 0]))
        return {
            "fid": frechet.distance(frechet.statistics(features), real),
            "mse": posterior.errors(drawn[:, :1], held.pictures)["sample_mse"],
            "apsd": posterior.spread(drawn),
        }

    return measure
