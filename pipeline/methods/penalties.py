"""Penalties on the gradient norm of a discriminator, and on a network's weights.

Gradients of the logits are taken in fp32 whatever the precision around: in bf16 a squared norm over hundreds
of pixels would be off by percents, and its own gradient by more.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from pipeline.networks import gradients

Critic = Callable[[Tensor, Tensor], Tensor]  # (x, c) -> logits (N,)


def squared_gradient_norm(D: Critic, x: Tensor, c: Tensor) -> Tensor:
    """|grad_x D(x, c)|^2 of images x (N, C, H, W), each with its c, (N,), differentiable by D's weights.

    Images are leaves here: no gradient flows to what made them. Where a logit depends on other images of the
    batch, so does the gradient.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = x.detach().float().requires_grad_()
        with gradients.double_backward():
            logits = D(x, c.float())
        (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def zero_centred(D: Critic, x: Tensor, c: Tensor) -> Tensor:
    """Mean of |grad_x D(x)|^2 / 2: R1 on real images, R2 on fakes (Mescheder et al., arXiv:1801.04406)."""
    return squared_gradient_norm(D, x, c).mean() / 2


def one_centred(D: Critic, x: Tensor, fakes: Tensor, c: Tensor, share: Tensor) -> Tensor:
    """(|grad D| - 1)^2 between images and fakes, (N, C, H, W), averaged (Gulrajani et al., arXiv:1704.00028);
    `share`, (N,) in [0, 1], is that of the fake in each point.
    """
    between = torch.lerp(x.float(), fakes.float(), share.view(-1, *[1] * (x.ndim - 1)))
    return (squared_gradient_norm(D, between, c).add(1e-12).sqrt() - 1).square().mean()


def orthogonal(weights: Iterable[Tensor]) -> Tensor:
    """Sum of |W W' * (1 - I)|^2 over weights W, a row an output (Brock et al. 2019, arXiv:1809.11096)."""
    total = torch.zeros(())
    for weight in weights:
        rows = weight.flatten(1)
        product = rows @ rows.T
        total = total + product.square().sum() - product.diagonal().square().sum()
    return total
