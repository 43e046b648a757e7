"""The fully connected networks of the first GAN (Goodfellow et al. 2014, arXiv:1406.2661): ReLU against
maxout and dropout.
"""

import math

import torch
from torch import Tensor, nn

from pipeline.networks.layers import append_stddev, for_each, reject_batch_norm
from pipeline.networks.network import Spec

CONDITIONS, BATCH_NORM, TRUNCATES = ("none", "class"), False, False
NUM_PIECES = 5  # linear pieces of a maxout unit (Goodfellow et al. 2013, arXiv:1302.4389)


def build(spec: Spec) -> nn.Module:
    return Generator(spec.num_latents, spec.num_conditions, spec.width, spec.shape)


class Generator(nn.Module):
    """Two hidden ReLU layers of `4 * width` units, then tanh."""

    num_noise = 0

    def __init__(
        self, num_latents: int, num_conditions: int, width: int, image_shape: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.num_latents = num_latents
        self.image_shape = image_shape
        self.layers = nn.Sequential(
            nn.Linear(num_latents + num_conditions, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, math.prod(image_shape)),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        x: Tensor = self.layers(torch.cat([z, for_each(c, z)], 1))
        return x.unflatten(1, self.image_shape)


class Maxout(nn.Module):
    """The largest of a few linear functions, for each unit."""

    def __init__(self, num_inputs: int, num_units: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_inputs, num_units * NUM_PIECES)

    def forward(self, x: Tensor) -> Tensor:
        pieces: Tensor = self.linear(x)
        return pieces.unflatten(1, (-1, NUM_PIECES)).amax(2)


class Discriminator(nn.Module):
    """Two maxout layers of `width` units with dropout, on the image and its condition."""

    def __init__(
        self,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, int, int],
        batch_norm: bool = False,
        minibatch_stddev: bool = False,
    ) -> None:
        reject_batch_norm("mlp", batch_norm)
        super().__init__()
        self.num_conditions = num_conditions
        self.minibatch_stddev = minibatch_stddev
        self.layers = nn.Sequential(
            Maxout(math.prod(image_shape) + num_conditions, width),
            nn.Dropout(0.3),
            Maxout(width, width),
            nn.Dropout(0.3),
        )
        self.head = nn.Linear(width + minibatch_stddev, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.layers(torch.cat([x.flatten(1), c[:, : self.num_conditions]], 1))
        logits: Tensor = self.head(append_stddev(h) if self.minibatch_stddev else h)
        return logits.squeeze(1)
