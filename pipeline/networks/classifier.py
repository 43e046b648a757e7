"""A small classifier of digits, in whose features FID and KID are taken.

It has no batch normalisation: with it on the feature layer, the features of sharp and blurred digits lie
close together, and an FID in them hardly sees blur, which is what this project is about.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.networks.network import Spec

NUM_FEATURES = 128

CONDITIONS, BATCH_NORM, TRUNCATES = (), False, False


class FeatureNetwork(nn.Module):
    """Three convolutions and two linear layers on 28x28 grey images."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *block(1, width),
            nn.MaxPool2d(2),
            *block(width, 2 * width),
            nn.MaxPool2d(2),
            *block(2 * width, 2 * width),
        )
        self.linear = nn.Linear(2 * width * 7 * 7, NUM_FEATURES)
        self.head = nn.Linear(NUM_FEATURES, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: (N, 1, 28, 28) in [-1, 1] -> (N, 128), none negative."""
        h = self.convolutions(x).permute(0, 2, 3, 1).flatten(1)
        return F.relu(self.linear(h))

    def logits(self, features: Tensor) -> Tensor:
        """(N, 128) -> (N, num_classes)."""
        result: Tensor = self.head(features)
        return result

    def forward(self, x: Tensor) -> Tensor:
        """Class logits, (N, num_classes)."""
        return self.logits(self.features(x))


def block(num_inputs: int, num_outputs: int) -> list[nn.Module]:
    """Convolution and ReLU."""
    return [nn.Conv2d(num_inputs, num_outputs, 3, padding=1), nn.ReLU()]


def build(spec: Spec) -> FeatureNetwork:
    return FeatureNetwork(spec.width, spec.num_conditions)
