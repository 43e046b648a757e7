"""The first GAN (Goodfellow et al. 2014, arXiv:1406.2661), fully connected: ReLU against maxout, dropout."""

import math

import torch
from torch import Tensor, nn

from pipeline.networks.layers import MinibatchStddev, for_each
from pipeline.networks.network import DiscriminatorSpec, Network, Sampler, Spec

NUM_PIECES = 5  # linear pieces of a maxout unit (Goodfellow et al. 2013, arXiv:1302.4389)


class Generator(Sampler):
    """Two hidden ReLU layers of `4 * width` units, then tanh."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.image_shape = spec.image_shape
        self.layers = nn.Sequential(
            nn.Linear(spec.num_latents + spec.num_conditions, 4 * spec.width),
            nn.ReLU(),
            nn.Linear(4 * spec.width, 4 * spec.width),
            nn.ReLU(),
            nn.Linear(4 * spec.width, math.prod(spec.image_shape)),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.layers(torch.cat([z, for_each(c, z)], 1)).unflatten(1, self.image_shape)


class Maxout(nn.Module):
    """The largest of a few linear functions, for each unit."""

    def __init__(self, num_inputs: int, num_units: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_inputs, num_units * NUM_PIECES)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(1, (-1, NUM_PIECES)).amax(2)


class Discriminator(nn.Module):
    """Two maxout layers of `width` units with dropout, on the image and its condition."""

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.num_conditions = spec.num_conditions
        self.layers = nn.Sequential(
            Maxout(math.prod(spec.image_shape) + spec.num_conditions, spec.width),
            nn.Dropout(0.3),
            Maxout(spec.width, spec.width),
            nn.Dropout(0.3),
            *([MinibatchStddev()] if spec.minibatch_stddev else []),
        )
        self.head = nn.Linear(spec.width + spec.minibatch_stddev, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.layers(torch.cat([x.flatten(1), c[:, : self.num_conditions]], 1))
        return self.head(h).squeeze(1)


NETWORK = Network(("none", "class"), Generator, Discriminator)
