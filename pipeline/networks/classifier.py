"""A small classifier, in whose features FID and KID are taken.

It has no batch normalisation: with it on the feature layer, the features of sharp and blurred digits lie
close together, and an FID in them hardly sees blur, which is what this project is about.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.layers import flatten_nhwc
from pipeline.networks.network import Network, Spec

NUM_FEATURES = 128


class FeatureNetwork(nn.Module):
    """Three convolutions and two linear layers."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        channels, height, width = spec.image_shape
        widths = [channels, spec.width, 2 * spec.width, 2 * spec.width]
        layers: list[nn.Module] = []
        for num_inputs, num_outputs in pairwise(widths):
            layers += [nn.Conv2d(num_inputs, num_outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers[:-1])
        self.linear = nn.Linear(widths[-1] * (height // 4) * (width // 4), NUM_FEATURES)
        self.head = nn.Linear(NUM_FEATURES, spec.num_conditions)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: (N, C, H, W) in [-1, 1] -> (N, 128), none negative."""
        return F.relu(self.linear(flatten_nhwc(self.convolutions(x))))

    def logits(self, features: Tensor) -> Tensor:
        """(N, 128) -> (N, num_classes)."""
        return self.head(features)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits, (N, num_classes)."""
        return self.logits(self.features(x))


NETWORK = Network((), FeatureNetwork)
