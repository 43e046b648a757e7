"""Why the loss of the theory is not the one in use: the gradients that reach G through D's logit l.

Saturating -sp(l) sends -sigmoid(l), which vanishes where D is sure of a fake (l far below 0); the practical
sp(-l) sends -(1 - sigmoid(l)), which is largest there (Goodfellow et al. 2014, arXiv:1406.2661, section 3).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.methods.losses import ADVERSARIAL_LOSSES, Loss

CLOSED_FORMS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {  # loss -> in words, as a function of l
    "saturating": ("-sigmoid(l)", lambda logits: -torch.sigmoid(logits)),
    "nonsaturating": ("-(1 - sigmoid(l))", lambda logits: -torch.sigmoid(-logits)),
}


def gradients(at: Tensor) -> dict[str, Tensor]:
    """d loss / d logit of the generator's two losses, by autograd on the functions that train it, (N,)."""
    return {name: gradient(ADVERSARIAL_LOSSES[name].generator, at) for name in CLOSED_FORMS}


def gradient(loss: Loss, at: Tensor) -> Tensor:
    """The derivative of a generator's loss at each fake logit by itself, (N,), without the mean's 1 / N."""
    fake_logits = at.clone().requires_grad_()
    (derivative,) = torch.autograd.grad(loss(torch.zeros_like(at), fake_logits), fake_logits)
    return derivative * len(at)


def deviation(name: str, found: Tensor, at: Tensor) -> float:
    """The largest absolute difference between a loss's gradient and its closed form."""
    return (found - CLOSED_FORMS[name][1](at)).abs().max().item()
