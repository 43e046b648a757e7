"""A small discriminator, trained on samples of two known densities: how near does it come to the best one?"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.optimisation import descend, set_learning_rate, triangle
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, Positive, Section, Seed
from pipeline.theory.networks import mlp
from pipeline.theory.normals import Normals


class Params(Section):
    width: Count  # units of the two hidden layers
    learning_rate: Positive  # Adam's highest; rises for a fifth of the training, then falls to 0
    batch_size: Count  # draws of each density, fresh at every step
    num_steps: Count
    seed: Seed


def train(p: Normals, q: Normals, params: Params) -> nn.Module:
    """D, (N, 1) -> (N, 1), after `num_steps` steps of the duel's own loss against a G that draws from q and
    never moves.
    """
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    D = mlp(1, params.width)
    optimizer = Adam(D.parameters(), params.learning_rate, fused=True)
    loss = ADVERSARIAL_LOSSES["nonsaturating"].discriminator
    for step in range(params.num_steps):
        real = p.draw(params.batch_size, params.seed, "real", step)[:, None]
        fake = q.draw(params.batch_size, params.seed, "fake", step)[:, None]
        set_learning_rate(optimizer, params.learning_rate * triangle(step, params.num_steps))
        descend(optimizer, loss(D(real).squeeze(1), D(fake).squeeze(1)))
    return D


@torch.no_grad()
def logits(D: nn.Module, x: np.ndarray) -> np.ndarray:
    """D at each point, (N,) -> (N,)."""
    found: Tensor = D(torch.as_tensor(x, dtype=torch.float32)[:, None]).squeeze(1)
    return found.double().numpy()
