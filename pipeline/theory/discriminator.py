"""A small discriminator, trained on samples of two known densities: how near does it come to the best one?"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.optimisation import descend, warmup_linear_decay
from pipeline.networks.line import mlp
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, Positive, Section, Seed
from pipeline.theory.normals import Normals

WEIGHTS, REAL, FAKE = "weights", "real", "fake"  # purposes of random numbers


class Settings(Section):
    width: Count = 32  # units of the two hidden layers
    learning_rate: Positive = 0.01  # Adam's highest; rises for a fifth of the training, then falls to 0
    batch_size: Count = 512  # draws of each density, fresh at every step
    num_steps: Count = 1500  # of its training
    seed: Seed = 0  # of weights and draws


def train(p: Normals, q: Normals, settings: Settings) -> nn.Module:
    """D, (N, 1) -> (N, 1), trained by the GAN's own loss against a fixed G that draws from q."""
    torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
    D = mlp(1, settings.width)
    optimizer = Adam(D.parameters(), settings.learning_rate, fused=True)
    loss = ADVERSARIAL_LOSSES["nonsaturating"].discriminator
    for step in range(settings.num_steps):
        real = p.draw(settings.batch_size, settings.seed, REAL, step)[:, None]
        fake = q.draw(settings.batch_size, settings.seed, FAKE, step)[:, None]
        rate = settings.learning_rate * warmup_linear_decay(step, settings.num_steps)
        descend(optimizer, loss(D(real).squeeze(1), D(fake).squeeze(1)), rate)
    return D


@torch.no_grad()
def logits(D: nn.Module, x: np.ndarray) -> np.ndarray:
    """D at each point, (N,) -> (N,)."""
    found: Tensor = D(torch.as_tensor(x, dtype=torch.float32)[:, None]).squeeze(1)
    return found.double().numpy()
