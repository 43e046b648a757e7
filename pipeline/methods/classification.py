"""The judge's training: cross-entropy on the classes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from pipeline.data.digits import NUM_CLASSES, Pictures
from pipeline.data.images import to_float
from pipeline.methods import ema
from pipeline.methods.optimisation import descend, set_learning_rate, triangle
from pipeline.methods.schedule import Scalars, Schedule
from pipeline.networks.classifier import Judge
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Positive
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.conditions import Condition


class Params(Schedule):
    width: Count  # channels of the first convolution
    learning_rate: Positive  # the highest; it rises over the first fifth and falls to 0
    weight_decay: NotNegative
    max_shift: NotNegativeCount  # pixels, up and across, by which a batch is moved at random
    ema_halflife: NotNegative  # images; 0: no averaging


@dataclass
class State:
    classifier: nn.Module
    average: nn.Module  # of the classifier: what is kept
    optimizer: Optimizer
    step: int = 0


def init_state(params: Params, condition: Condition, image_shape: tuple[int, int, int]) -> State:
    """The judge with the weights that (seed, "weights") gives, and its optimizer; it has no condition."""
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    classifier = Judge(params.width, NUM_CLASSES).to(memory_format=torch.channels_last)
    optimizer = AdamW(
        classifier.parameters(), params.learning_rate, weight_decay=params.weight_decay, fused=True
    )
    return State(classifier, ema.follower(classifier), optimizer)


def sizes(state: State, params: Params, image_shape: tuple[int, int, int]) -> dict[str, float]:
    """Parameters of the judge and what it computes for one image, for the record."""
    return {
        "parameters": num_parameters(state.classifier),
        "flops": num_flops(lambda: state.average(torch.zeros(1, *image_shape))),
    }


def train_step(state: State, pictures: Pictures, params: Params) -> Scalars:
    """One step down the cross-entropy."""
    chosen = randomness.batch_indices(len(pictures), params.batch_size, params.seed, state.step)
    pixels, labels = pictures.picked(chosen)
    x = to_float(shifted(pixels, params, state.step))
    logits = state.classifier(x).float()
    loss = F.cross_entropy(logits, labels)
    set_learning_rate(state.optimizer, params.learning_rate * triangle(state.step, params.num_steps))
    descend(state.optimizer, loss)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.classifier, params.batch_size, halflife)
    return {"loss": loss.detach(), "accuracy": (logits.detach().argmax(1) == labels).float().mean()}


def shifted(pixels: Tensor, params: Params, step: int) -> Tensor:
    """The batch moved by a random number of pixels along each axis; what leaves on one side is empty margin
    and enters on the other.
    """
    source = randomness.generator(params.seed, "shift", step)
    down, right = torch.randint(-params.max_shift, params.max_shift + 1, (2,), generator=source).tolist()
    return pixels.roll((down, right), (2, 3))
