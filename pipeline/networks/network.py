"""The contract of this room, and its modules by name.

A module that generates has a `Generator` and, for adversarial training, a `Discriminator`,

    Generator(num_latents, num_conditions, width, shape)                                (z, c) -> x
    Discriminator(num_conditions, width, shape, batch_norm, minibatch_stddev)           (x, c) -> logits

with latents z (N, Z + `generator.num_noise`), condition c (N, K) or an image (N, K, H, W) or words (N, L),
images x (N, C, H, W) in [-1, 1], logits (N,) or a map of them. Of P draws of a condition z has P rows, one
after the other, and c one. Z = 0 makes the generator a regression network; made for K = 0, either is
unconditional, and a discriminator then ignores any c it is given. Those for images and words take one option
more each, see unet.py.

A generator in evaluation mode is a pure function: `num_noise` numbers after the latents are the noise of its
layers, which it never draws itself. A discriminator judges each image alone, unless batch normalisation or
`minibatch_stddev` tells it of the batch.

A module whose features are compared has a `FeatureNetwork`. All have `build(spec)`.
"""

from typing import Protocol, cast

import torch
from torch import nn

from pipeline.networks.mixture import Mixture
from pipeline.runtime import modules
from pipeline.runtime.params import Section


class Spec(Section):
    """All that is needed to build a network again, and to know what it answers; kept with its weights."""

    method: str  # a module of pipeline/methods
    task: str = ""  # its name; "" for feature networks
    network: str  # a module of this room
    width: int
    image_shape: list[int]  # C, H, W
    num_latents: int = 0  # Z; 0: regression
    num_conditions: int = 0  # K; of a classifier, its classes
    clusters: int = 0  # hidden groups in each class; 0: none
    latents_at_every_level: bool = True
    num_members: int = 1  # networks side by side, of points
    packing: int = 1  # rows of a member that follow one another, of points

    @property
    def shape(self) -> tuple[int, int, int]:
        channels, height, width = self.image_shape
        return channels, height, width

    def build(self) -> nn.Module:
        """The network, untrained; with hidden groups, one that picks a group by itself."""
        module = load(self.network)
        if not self.clusters:
            return module.build(self)
        num_classes = max(self.num_conditions, 1)
        num_inputs = self.num_conditions + num_classes * self.clusters
        grouped = module.build(self.model_copy(update={"num_conditions": num_inputs, "clusters": 0}))
        return Mixture(grouped, self.num_conditions, torch.zeros(num_classes, self.clusters))


class Network(Protocol):
    """A module of this room."""

    CONDITIONS: tuple[str, ...]  # kinds of condition (tasks.task.KINDS) that it takes
    BATCH_NORM: bool  # whether its discriminator has batch normalisation; a ValueError elsewhere
    TRUNCATES: bool  # whether its generator takes a third argument, `truncation`: variety for quality

    def build(self, spec: Spec) -> nn.Module: ...

    def Discriminator(
        self,
        num_conditions: int,
        width: int,
        image_shape: tuple[int, int, int],
        batch_norm: bool,
        minibatch_stddev: bool,
        *patch_size: int,
    ) -> nn.Module: ...


def load(name: str) -> Network:
    """The network of this name; an InputError where there is none."""
    return cast(Network, modules.load("networks", "build", "network", name))


def available() -> list[str]:
    return modules.available("networks", "build")


def num_inputs(generator: nn.Module) -> int:
    """How many numbers a row of z holds: latents and noise."""
    return cast(int, generator.num_latents) + cast(int, generator.num_noise)
