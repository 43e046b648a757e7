"""The observer's training: two views of a picture should lie together, those of different pictures apart
(SimCLR, Chen et al. 2020, arXiv:2002.05709). Views differ in place, size, side and sometimes in colour; never
in sharpness, which the observer is to see.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from pipeline.methods import ema
from pipeline.methods.optimisation import descend, set_learning_rate, triangle
from pipeline.methods.schedule import Scalars, Schedule
from pipeline.networks.simclr import Observer
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, Positive
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.conditions import Condition
from pipeline.tasks.drawings import Pairs

SMALLEST = 0.6  # of a picture's side, that a view shows
GREY_SHARE = 0.03  # of views without colour


class Params(Schedule):
    width: Count  # channels of the first convolution
    learning_rate: Positive  # the highest; it rises over the first fifth and falls to 0
    weight_decay: NotNegative
    temperature: Positive  # of the loss
    ema_halflife: NotNegative  # images; 0: no averaging


@dataclass
class State:
    observer: nn.Module
    average: nn.Module  # of the observer: what is kept
    optimizer: Optimizer
    step: int = 0


def init_state(params: Params, condition: Condition, image_shape: tuple[int, int, int]) -> State:
    """The observer with the weights that (seed, "weights") gives, and its optimizer; it has no condition."""
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    observer = Observer(params.width, image_shape).to(memory_format=torch.channels_last)
    optimizer = AdamW(
        observer.parameters(), params.learning_rate, weight_decay=params.weight_decay, fused=True
    )
    return State(observer, ema.follower(observer), optimizer)


def sizes(state: State, params: Params, image_shape: tuple[int, int, int]) -> dict[str, float]:
    """Parameters of the observer and what it computes for one picture, for the record."""
    return {
        "parameters": num_parameters(state.observer),
        "flops": num_flops(lambda: state.average(torch.zeros(1, *image_shape))),
    }


def train_step(state: State, pairs: Pairs, params: Params) -> Scalars:
    """One step down the contrastive loss."""
    x, _ = pairs.batch(randomness.batch_indices(len(pairs), params.batch_size, params.seed, state.step))
    source = randomness.generator(params.seed, "views", state.step)
    points = state.observer(torch.cat([view(x, source), view(x, source)]))
    loss, accuracy = contrast(points, params.temperature)
    set_learning_rate(state.optimizer, params.learning_rate * triangle(state.step, params.num_steps))
    descend(state.optimizer, loss)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.observer, params.batch_size, halflife)
    return {"loss": loss.detach(), "accuracy": accuracy}


def contrast(points: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """NT-Xent, the cross-entropy of finding a view's partner among all others (arXiv:2002.05709, equation 1),
    and how often it is the nearest.

    Args:
        points: on the unit sphere, (2 N, D): one view of each picture, then another.
        temperature: of the similarities.
    """
    num = len(points) // 2
    similar = points @ points.T / temperature
    similar = similar.masked_fill(torch.eye(2 * num, dtype=torch.bool, device=points.device), -torch.inf)
    partner = torch.arange(2 * num, device=points.device).roll(num)
    accuracy = (similar.detach().argmax(1) == partner).float().mean()
    return F.cross_entropy(similar, partner), accuracy


def view(x: Tensor, source: torch.Generator) -> Tensor:
    """The pictures (N, C, H, W) seen otherwise: a part of each, perhaps from behind, perhaps grey."""
    num = len(x)
    u = torch.rand(5, num, generator=source).to(x.device)
    scale = SMALLEST + (1 - SMALLEST) * u[0]
    side = torch.where(u[1] < 0.5, scale, -scale)
    right, down = (2 * u[2:4] - 1) * (1 - scale)
    zero = torch.zeros_like(scale)
    affine = torch.stack([torch.stack([side, zero, right], 1), torch.stack([zero, scale, down], 1)], 1)
    grid = F.affine_grid(affine, list(x.shape), align_corners=False)
    seen = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    grey = (u[4] < GREY_SHARE).view(-1, 1, 1, 1)
    return torch.where(grey, seen.mean(1, keepdim=True), seen)
