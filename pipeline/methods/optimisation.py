"""Steps of an optimizer, and the learning rate over a training."""

import torch
from torch import Tensor


def descend(optimizer: torch.optim.Optimizer, loss: Tensor, learning_rate: float) -> None:
    """One step down the gradient of `loss`."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def warmup_linear_decay(step: int, num_steps: int, warmup: float = 0.2) -> float:
    """A factor for the learning rate: up from 0 to 1 over the first part of training, then down to 0."""
    progress = (step + 1) / (num_steps + 1)
    return min(progress / warmup, (1 - progress) / (1 - warmup))


def constant_then_linear(step: int, num_steps: int, decay_from: float) -> float:
    """A factor for the learning rate: 1, then from the share `decay_from` of the steps on in a line to 0."""
    if decay_from == 1:
        return 1.0
    return min(1.0, (1 - step / num_steps) / (1 - decay_from))
