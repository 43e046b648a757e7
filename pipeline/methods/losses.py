"""Adversarial losses: pairs of pure functions of logits, (N,), to a scalar.

Written with softplus, sp(l) = log(1 + exp(l)): -log sigmoid(l) = sp(-l), without the overflow. All functions
take the logits of real images and those of fakes, so that any pair fits any step.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]  # of (real_logits, fake_logits)


class AdversarialLoss(NamedTuple):
    """What each network minimises."""

    discriminator: Loss
    generator: Loss
    paired: bool = False  # the generator's loss depends on real_logits, and N of both is the same


def d_cross_entropy(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """sp(-D(x)) + sp(D(G)): real is 1, fake is 0 (Goodfellow et al. 2014, arXiv:1406.2661)."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def g_saturating(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-sp(D(G)), the game's own value: its gradient vanishes where D is sure of a fake (arXiv:1406.2661)."""
    return -F.softplus(fake_logits).mean()


def g_nonsaturating(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """sp(-D(G)): same fixed point, largest gradient where D is sure of a fake (arXiv:1406.2661)."""
    return F.softplus(-fake_logits).mean()


def d_least_squares(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """(D(x) - 1)^2 + D(G)^2 (Mao et al. 2017, arXiv:1611.04076)."""
    return (real_logits - 1).square().mean() + fake_logits.square().mean()


def g_least_squares(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """(D(G) - 1)^2 (arXiv:1611.04076)."""
    return (fake_logits - 1).square().mean()


def d_hinge(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """relu(1 - D(x)) + relu(1 + D(G)) (Lim and Ye 2017, arXiv:1705.02894)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def d_wasserstein(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """D(G) - D(x), for a D whose gradient norm a penalty bounds (Gulrajani et al. 2017, arXiv:1704.00028)."""
    return fake_logits.mean() - real_logits.mean()


def g_critic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-D(G), of hinge (arXiv:1705.02894) and Wasserstein (arXiv:1704.00028)."""
    return -fake_logits.mean()


def d_relativistic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """sp(-(D(x) - D(G))): a real image should outscore its fake partner (Huang et al., arXiv:2501.05441)."""
    return F.softplus(fake_logits - real_logits).mean()


def g_relativistic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """sp(-(D(G) - D(x))): the same with the parts exchanged (arXiv:2501.05441)."""
    return F.softplus(real_logits - fake_logits).mean()


ADVERSARIAL_LOSSES = {
    "saturating": AdversarialLoss(d_cross_entropy, g_saturating),
    "nonsaturating": AdversarialLoss(d_cross_entropy, g_nonsaturating),
    "least_squares": AdversarialLoss(d_least_squares, g_least_squares),
    "hinge": AdversarialLoss(d_hinge, g_critic),
    "wasserstein": AdversarialLoss(d_wasserstein, g_critic),
    "relativistic": AdversarialLoss(d_relativistic, g_relativistic, paired=True),
}
