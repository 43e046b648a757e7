"""Regression by mean-squared error: a generator whose latents have width 0, so that each condition has one
answer.

Its optimum is the conditional mean E[x | c] of the training images: the average of all plausible answers.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Adam, Optimizer

from pipeline.data.digits import Examples
from pipeline.methods import ema
from pipeline.methods.generators import GeneratorSchedule
from pipeline.methods.optimisation import descend, set_learning_rate, triangle
from pipeline.methods.schedule import Scalars
from pipeline.runtime import distributed as parallel
from pipeline.runtime import randomness
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.conditions import Condition


class Params(GeneratorSchedule):
    """`learning_rate` is the highest: it rises over the first fifth of the training and falls to 0."""


@dataclass
class State:
    generator: nn.Module
    average: nn.Module  # of the generator: what is kept
    optimizer: Optimizer
    condition: Condition
    step: int = 0


def init_state(params: GeneratorSchedule, condition: Condition, image_shape: tuple[int, int, int]) -> State:
    """The network with the weights that (seed, "weights") gives, and its optimizer."""
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    generator = params.networks[params.network].Generator(0, condition.width, params.width, image_shape)
    parallel.synchronised(generator).to(memory_format=torch.channels_last)
    optimizer = Adam(generator.parameters(), params.learning_rate, fused=True)
    return State(generator, ema.follower(generator), optimizer, condition)


def sizes(state: State, params: GeneratorSchedule, image_shape: tuple[int, int, int]) -> dict[str, float]:
    """Parameters of the network and what it computes for one image, for the record."""
    c = state.condition.blank(1)
    return {
        "generator_parameters": num_parameters(state.generator),
        "generator_flops": num_flops(lambda: state.average(c[:, :0], c)),
    }


def train_step(state: State, examples: Examples, params: GeneratorSchedule) -> Scalars:
    """One step down the squared error, averaged over pixels in [-1, 1] and images."""
    chosen = randomness.batch_indices(len(examples), params.batch_size, params.seed, state.step)
    x, labels = examples.batch(parallel.shard(chosen))
    c = state.condition.encode(labels)
    loss = F.mse_loss(parallel.replica(state.generator)(c[:, :0], c).float(), x)
    set_learning_rate(state.optimizer, params.learning_rate * triangle(state.step, params.num_steps))
    descend(state.optimizer, loss)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.generator, params.batch_size, halflife)
    return {"loss": loss.detach()}
