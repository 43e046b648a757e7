"""A small SimCLR encoder (Chen et al. 2020, arXiv:2002.05709), in whose features drawings have FID, KID."""

import math
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import flatten_nhwc
from pipeline.networks.network import Network, Spec

NUM_FEATURES = 64
NUM_PROJECTED = 64
NUM_HALVINGS = 3


class FeatureNetwork(nn.Module):
    """Pairs of convolutions that halve the size; no normalisation, for the reason given in classifier.py."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        channels, *sides = spec.image_shape
        counts = [channels] + [spec.width * 2**i for i in range(NUM_HALVINGS)]
        layers: list[nn.Module] = []
        for num_inputs, num_outputs in pairwise(counts):
            layers += [nn.Conv2d(num_inputs, num_outputs, 3, padding=1), nn.ReLU()]
            layers += [nn.Conv2d(num_outputs, num_outputs, 4, 2, 1), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers)
        num_pixels = math.prod(side // 2**NUM_HALVINGS for side in sides)
        self.linear = nn.Linear(counts[-1] * num_pixels, NUM_FEATURES)
        self.project = nn.Linear(NUM_FEATURES, NUM_PROJECTED)

    def features(self, x: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> (N, 64), none negative."""
        return F.relu(self.linear(flatten_nhwc(self.convolutions(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Points on the unit sphere, (N, 64), where views of one image lie together."""
        return F.normalize(self.project(self.features(x)).float())


NETWORK = Network((), FeatureNetwork)
