"""The networks, by name. Each module has a `Generator` and a `Discriminator` of one signature:

    Generator(num_latents, num_conditions, width, image_shape)                           (z, c) -> x
    Discriminator(num_conditions, width, image_shape, batch_norm, minibatch_stddev)      (x, c) -> logits

with latents z (N, Z + `generator.num_noise`), condition c (N, K), images x (N, C, H, W) in [-1, 1], logits
(N,). Z = 0 makes the generator a regression network; made for K = 0, either is unconditional, and a
discriminator then ignores any c it is given.

A generator in evaluation mode is a pure function: `num_noise` numbers after the latents are the noise of its
layers, which it never draws itself. A discriminator judges each image alone, unless batch normalisation
(`BATCH_NORM` says which module has it; a ValueError elsewhere) or `minibatch_stddev` tells it of the batch.
"""

from types import ModuleType
from typing import cast

from torch import nn

from pipeline.networks import biggan as big
from pipeline.networks import dcgan, mlp
from pipeline.networks import r3gan as resnet
from pipeline.networks import stylegan2 as style

NETWORKS: dict[str, ModuleType] = {"mlp": mlp, "dcgan": dcgan, "resnet": resnet, "style": style, "big": big}

TRUNCATING = ("style", "big")  # their generators take a third argument, `truncation`: variety for quality


def num_inputs(generator: nn.Module) -> int:
    """How many numbers a row of z holds: latents and noise."""
    return cast(int, generator.num_latents) + cast(int, generator.num_noise)
