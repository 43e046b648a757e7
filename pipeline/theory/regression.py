"""The network that answers a measurement with one length, by squared error: its optimum is E[y | x]."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Adam

from pipeline.methods import ema
from pipeline.methods.optimisation import descend, set_learning_rate, triangle
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, Positive, Section
from pipeline.theory.bayes import Camera
from pipeline.theory.networks import mlp


class Params(Section):
    width: Count  # units of the two hidden layers
    learning_rate: Positive  # Adam's highest; rises for a fifth of the training, then falls to 0
    ema_halflife: NotNegative  # pairs after which old weights count half; 0: no averaging
    batch_size: Count  # pairs, fresh at every step
    num_steps: Count


def train(camera: Camera, params: Params, seed: int) -> nn.Module:
    """The averaged network: standardised x, (N, 1) -> standardised y, (N, 1)."""
    torch.manual_seed(randomness.derive(seed, "regression: weights"))
    network = mlp(1, params.width)
    average = ema.follower(network)
    optimizer = Adam(network.parameters(), params.learning_rate, fused=True)
    for step in range(params.num_steps):
        pairs = camera.pairs(params.batch_size, seed, "regression: pairs", step)
        x, y = (camera.standardised(length)[:, None] for length in pairs)
        set_learning_rate(optimizer, params.learning_rate * triangle(step, params.num_steps))
        descend(optimizer, F.mse_loss(network(x), y))
        halflife = ema.ramped(params.ema_halflife, step * params.batch_size)
        ema.follow(average, network, params.batch_size, halflife)
    return average


@torch.no_grad()
def answers(network: nn.Module, camera: Camera, x: np.ndarray) -> np.ndarray:
    """The network's answer to each x, in mm: (N,) -> (N,)."""
    given = camera.standardised(torch.as_tensor(x, dtype=torch.float32))[:, None]
    return camera.in_mm(network(given)[:, 0]).double().numpy()
