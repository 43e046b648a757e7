"""The conditional GAN on the line: told a measurement x and latents z, G draws one plausible length y; D
judges pairs (x, y).

The same game as `pipeline.training.adversarial` plays with images, at the size where its answer can be
checked.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline.methods import ema, penalties
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.optimisation import descend, plateau, set_learning_rate
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, Fraction, NotNegative, Positive, PositiveFraction, Section, one_of
from pipeline.theory.bayes import Camera
from pipeline.theory.networks import mlp


class Params(Section):
    num_latents: Count  # Z
    width: Count  # units of the two hidden layers, of G and of D
    loss: Annotated[str, one_of(ADVERSARIAL_LOSSES)]
    r1: NotNegative  # weight of |grad D|^2 / 2 at real pairs
    r2: NotNegative  # the same at fakes
    learning_rate: Positive  # Adam's
    beta1: Fraction  # Adam's first decay rate
    decay_from: PositiveFraction  # share of the steps after which the learning rate falls to 0; 1: it stays
    ema_halflife: NotNegative  # pairs after which old weights count half; 0: no averaging
    batch_size: Count  # pairs, fresh at every step
    num_steps: Count


@dataclass
class State:
    generator: nn.Module  # (x, z), (N, 1 + Z) -> y, (N, 1), lengths standardised
    discriminator: nn.Module  # (x, y), (N, 2) -> logit, (N, 1)
    average: nn.Module  # of the generator: what is asked in the end
    g_optimizer: Optimizer
    d_optimizer: Optimizer
    step: int = 0


def init_state(params: Params, seed: int) -> State:
    """Networks with the weights that the seed gives, and their optimizers."""
    torch.manual_seed(randomness.derive(seed, "cgan: weights"))
    generator, discriminator = mlp(1 + params.num_latents, params.width), mlp(2, params.width)
    g_optimizer, d_optimizer = (
        Adam(network.parameters(), params.learning_rate, (params.beta1, 0.99), fused=True)
        for network in (generator, discriminator)
    )
    return State(generator, discriminator, ema.follower(generator), g_optimizer, d_optimizer)


def train(camera: Camera, params: Params, seed: int) -> nn.Module:
    """The averaged generator after the whole duel."""
    state = init_state(params, seed)
    while state.step < params.num_steps:
        train_step(state, camera, params, seed)
        state.step += 1
    return state.average


def train_step(state: State, camera: Camera, params: Params, seed: int) -> None:
    """Update D, then G, on the same fresh pairs, then G's moving average."""
    learning_rate = params.learning_rate * plateau(state.step, params.num_steps, params.decay_from)
    for optimizer in (state.d_optimizer, state.g_optimizer):
        set_learning_rate(optimizer, learning_rate)
    pairs = camera.pairs(params.batch_size, seed, "cgan: pairs", state.step)
    x, y = (camera.standardised(length)[:, None] for length in pairs)
    z = randomness.normal(2 * params.batch_size, params.num_latents, seed, "cgan: latents", state.step)
    for_d, for_g = z.chunk(2)
    discriminator_step(state, x, y, for_d, params)
    generator_step(state, x, y, for_g, params)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.generator, params.batch_size, halflife)


def discriminator_step(state: State, x: Tensor, y: Tensor, z: Tensor, params: Params) -> None:
    """Teach D to tell y from G(x, z), given x; G is not touched.

    Args:
        x: measurements, (N, 1), standardised.
        y: true lengths, (N, 1), standardised.
        z: latents, (N, Z).
    """
    with torch.no_grad():
        fakes = state.generator(torch.cat([x, z], 1))

    def D(judged: Tensor, given: Tensor) -> Tensor:
        logits: Tensor = state.discriminator(torch.cat([given, judged], 1))
        return logits.squeeze(1)

    loss = ADVERSARIAL_LOSSES[params.loss].discriminator(D(y, x), D(fakes, x))
    for weight, lengths in ((params.r1, y), (params.r2, fakes)):
        if weight:
            loss = loss + weight * penalties.zero_centred(D, lengths, x)
    descend(state.d_optimizer, loss)


def generator_step(state: State, x: Tensor, y: Tensor, z: Tensor, params: Params) -> None:
    """Teach G to be taken for real; gradients pass through D, which is not touched. Arguments as above."""
    D = state.discriminator.requires_grad_(False)
    fakes = state.generator(torch.cat([x, z], 1))
    real_logits, fake_logits = (D(torch.cat([x, lengths], 1)).squeeze(1) for lengths in (y, fakes))
    descend(state.g_optimizer, ADVERSARIAL_LOSSES[params.loss].generator(real_logits, fake_logits))
    D.requires_grad_(True)


@torch.no_grad()
def draw(generator: nn.Module, camera: Camera, x: np.ndarray, z: Tensor) -> np.ndarray:
    """Lengths that the generator finds plausible, in mm, (N, M).

    Args:
        generator: what `train` gives.
        camera: for its units.
        x: measurements, (N,), in mm.
        z: latents, (N * M, Z).
    """
    num = len(z) // len(x)
    given = camera.standardised(torch.as_tensor(x, dtype=torch.float32)).repeat_interleave(num)
    y = generator(torch.cat([given[:, None], z], 1))[:, 0]
    return camera.in_mm(y).double().numpy().reshape(len(x), num)
