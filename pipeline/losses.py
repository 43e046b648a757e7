"""Adversarial losses: pairs of pure functions of logits, (N,), to a scalar.

Written with softplus, sp(l) = log(1 + exp(l)): -log sigmoid(l) = sp(-l), without the overflow.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class AdversarialLoss(NamedTuple):
    """What each player minimises."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # of (real_logits, fake_logits)
    generator: Callable[[Tensor], Tensor]  # of fake_logits


def d_cross_entropy(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """sp(-D(x)) + sp(D(G)): real is 1, fake is 0 (Goodfellow et al. 2014, arXiv:1406.2661)."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def g_saturating(fake_logits: Tensor) -> Tensor:
    """-sp(D(G)), the game's own value: its gradient vanishes where D is sure of a fake (arXiv:1406.2661)."""
    return -F.softplus(fake_logits).mean()


def g_nonsaturating(fake_logits: Tensor) -> Tensor:
    """sp(-D(G)): same fixed point, largest gradient where D is sure of a fake (arXiv:1406.2661)."""
    return F.softplus(-fake_logits).mean()


def d_least_squares(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """(D(x) - 1)^2 + D(G)^2 (Mao et al. 2017, arXiv:1611.04076)."""
    return (real_logits - 1).square().mean() + fake_logits.square().mean()


def g_least_squares(fake_logits: Tensor) -> Tensor:
    """(D(G) - 1)^2 (arXiv:1611.04076)."""
    return (fake_logits - 1).square().mean()


def d_hinge(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """relu(1 - D(x)) + relu(1 + D(G)) (Lim and Ye 2017, arXiv:1705.02894)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def g_hinge(fake_logits: Tensor) -> Tensor:
    """-D(G) (arXiv:1705.02894)."""
    return -fake_logits.mean()


ADVERSARIAL_LOSSES = {
    "saturating": AdversarialLoss(d_cross_entropy, g_saturating),
    "nonsaturating": AdversarialLoss(d_cross_entropy, g_nonsaturating),
    "least_squares": AdversarialLoss(d_least_squares, g_least_squares),
    "hinge": AdversarialLoss(d_hinge, g_hinge),
}
