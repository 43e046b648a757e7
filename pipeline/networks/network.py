"""The contract of this room, and its modules by name.

Each module has a `NETWORK`: what conditions it takes, and what it builds. Of a `Spec` that is a generator, or
a network in whose features images are compared; of a `DiscriminatorSpec`, the generator's opponent.

    Generator(spec)         (z, c) -> x
    Discriminator(spec)     (x, c) -> logits
    Denoiser(spec)          (x_t, t, c) -> x-hat, of a flow, of which it is made; t (N,) in [0, 1)

with latents z (N, Z + `generator.num_noise`), condition c (N, K) or an image (N, K, H, W) or words (N, L),
images x (N, C, H, W) in [-1, 1], logits (N,) or a map of them. Of P draws of a condition z has P rows, one
after the other, and c one. Z = 0 makes the generator a regression network; made for K = 0, either is
unconditional, and a discriminator then ignores any c it is given.

A generator in evaluation mode is a pure function: `num_noise` numbers after the latents are the noise of its
layers, which it never draws itself. A discriminator judges each image alone, unless batch normalisation or
`minibatch_stddev` tells it of the batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import nn

from pipeline.networks.flow import Flow
from pipeline.networks.mixture import Mixture
from pipeline.runtime import modules
from pipeline.runtime.params import Section


class Spec(Section):
    """All that is needed to build a network again, and to know what it answers; kept with its weights."""

    method: str  # a module of pipeline/methods
    task: str = ""  # its name; "" for feature networks
    kind: str = ""  # of its conditions
    network: str  # a module of this room
    width: int
    image_shape: list[int]  # C, H, W
    num_latents: int = 0  # Z; 0: regression
    num_conditions: int = 0  # K; of a classifier, its classes
    clusters: int = 0  # hidden groups in each class; 0: none
    latents_at_every_level: bool = True
    layer_noise: bool = False  # of a U-Net of images
    num_members: int = 1  # networks side by side, of points
    turn: int = 1  # rows of a member that follow one another, of points
    solver: str = "euler"  # of a flow
    solver_steps: int = 1
    prediction: str = "data"  # what the denoiser's output is
    guidance: float = 1.0  # 1: none
    spacing: float = 1.0  # of the solver's steps; 1: even
    dropout: float = 0.0  # of a denoiser of images, in training

    def build(self) -> nn.Module:
        """The network, untrained; with hidden groups, one that picks a group by itself."""
        if self.clusters:
            num_classes = max(self.num_conditions, 1)
            num_inputs = self.num_conditions + num_classes * self.clusters
            grouped = self.model_copy(update={"num_conditions": num_inputs, "clusters": 0, "kind": "class"})
            return Mixture(grouped.build(), self.num_conditions, torch.zeros(num_classes, self.clusters))
        network = load(self.network)
        built = network.build(self)
        if not network.denoises:
            return built
        chosen = self.solver, self.solver_steps, self.prediction, self.guidance, self.spacing
        return Flow(built, self.image_shape, *chosen)


@dataclass(frozen=True)
class DiscriminatorSpec:
    """All that is needed to build a discriminator; with packing, for whole packs."""

    width: int
    image_shape: Sequence[int]  # C, H, W
    num_conditions: int = 0  # K
    batch_norm: bool = False  # where its network has that
    minibatch_stddev: bool = False  # it sees how much the images of a batch differ
    patch_size: int = 0  # pixels that a logit judges, of images and words; 0: the whole image
    num_members: int = 1  # networks side by side, of points


class Network(NamedTuple):
    """What a module of this room offers."""

    conditions: tuple[str, ...]  # kinds of condition that it takes
    build: Callable[[Spec], nn.Module]
    discriminator: Callable[[DiscriminatorSpec], nn.Module] | None = None
    batch_norm: bool = False  # whether its discriminator has batch normalisation, if asked for it
    truncates: bool = False  # whether its generator takes a third argument, `truncation`: variety for quality
    denoises: bool = False  # whether it builds a flow's denoiser, no generator


class Sampler(nn.Module):
    """A generator: (z, c) -> x."""

    num_noise = 0  # numbers after the latents
    num_evaluations = 1  # of its layers, for one sample

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.num_latents = spec.num_latents


def load(name: str) -> Network:
    """The network of this name; an InputError where there is none."""
    return cast(Network, modules.load("networks", "NETWORK", "network", name).NETWORK)


def available() -> list[str]:
    return modules.available("networks", "NETWORK")


def num_inputs(generator: nn.Module) -> int:
    """How many numbers a row of z holds: latents and noise."""
    return cast(int, generator.num_latents) + cast(int, generator.num_noise)
