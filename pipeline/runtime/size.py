"""How large a network is, and how much it computes."""

from collections.abc import Callable

import torch
from torch import nn


def num_parameters(module: nn.Module) -> int:
    """Trainable numbers."""
    return sum(parameter.numel() for parameter in module.parameters())


def num_flops(call: Callable[[], object]) -> int:
    """Floating-point operations of the convolutions and matrix products in a call, a multiply-add counting
    two; for one image, `num_flops(lambda: generator(z[:1], c[:1]))`, the generator in evaluation mode.
    """
    from torch.utils.flop_counter import FlopCounterMode

    # with gradients: without, the counter fails on a module that is handed a view of a parameter
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())
