"""Parameters and operations, counted as by hand."""

import copy

import torch
from torch import nn

from pipeline.runtime import size


def test_sizes_of_a_linear_layer_frozen_or_not():
    layer = nn.Linear(3, 4)
    assert size.num_parameters(layer) == 16
    assert size.num_flops(lambda: layer(torch.zeros(1, 3))) == 2 * 3 * 4
    assert size.num_parameters(copy.deepcopy(layer).requires_grad_(False)) == 16


def test_grouped_convolutions_are_counted_by_group():
    layer = nn.Conv2d(4, 6, 3, padding=1, groups=2)
    assert size.num_flops(lambda: layer(torch.zeros(1, 4, 5, 5))) == 2 * 25 * 6 * (4 // 2) * 9
