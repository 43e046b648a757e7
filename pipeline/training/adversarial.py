"""The duel: one step of a GAN, unconditional or conditional.

Goodfellow et al. 2014 (arXiv:1406.2661); with a condition, Mirza and Osindero 2014 (arXiv:1411.1784). K
times: real images, fresh latents, D steps; then once: fresh latents, G steps through a D whose weights stay.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline import randomness
from pipeline.conditions import UNCONDITIONAL, Condition
from pipeline.digits import Pictures
from pipeline.images import to_float
from pipeline.losses import ADVERSARIAL_LOSSES
from pipeline.networks import NETWORKS
from pipeline.params import Count, Fraction, PositiveFraction, one_of
from pipeline.training import ema
from pipeline.training.generators import GeneratorSchedule
from pipeline.training.loop import Scalars, descend, plateau, set_learning_rate


class Params(GeneratorSchedule):
    num_latents: Count  # Z
    loss: Annotated[str, one_of(ADVERSARIAL_LOSSES)]
    discriminator_steps: Count  # K: how often D steps for one step of G
    beta1: Fraction  # Adam's first decay rate
    decay_from: PositiveFraction  # share of the steps after which the learning rate falls to 0; 1: it stays

    def seen_by_discriminator(self, condition: Condition) -> Condition:
        return condition


class ConditionalParams(Params):
    discriminator_sees_condition: bool  # false: the ablation in which G may ignore what it is asked for

    def seen_by_discriminator(self, condition: Condition) -> Condition:
        return condition if self.discriminator_sees_condition else UNCONDITIONAL


@dataclass
class State:
    """What changes in training, and the condition the models are told."""

    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module  # of the generator: what is kept and sampled
    g_optimizer: Optimizer
    d_optimizer: Optimizer
    condition: Condition
    step: int = 0


def init_state(params: Params, condition: Condition, image_shape: tuple[int, int, int]) -> State:
    """Networks with the weights that (seed, "weights") gives, and their optimizers."""
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    network = NETWORKS[params.network]
    generator = network.Generator(params.num_latents, condition.width, params.width, image_shape)
    discriminator = network.Discriminator(
        params.seen_by_discriminator(condition).width, params.width, image_shape
    )
    for module in (generator, discriminator):
        module.to(memory_format=torch.channels_last)
    g_optimizer, d_optimizer = (
        Adam(module.parameters(), params.learning_rate, (params.beta1, 0.999), fused=True)
        for module in (generator, discriminator)
    )
    return State(generator, discriminator, ema.follower(generator), g_optimizer, d_optimizer, condition)


def train_step(state: State, pictures: Pictures, params: Params) -> Scalars:
    """Update D K times, then G once, then G's moving average."""
    torch.manual_seed(randomness.derive(params.seed, "dropout", state.step))
    learning_rate = params.learning_rate * plateau(state.step, params.num_steps, params.decay_from)
    for optimizer in (state.d_optimizer, state.g_optimizer):
        set_learning_rate(optimizer, learning_rate)
    for k in range(params.discriminator_steps):
        index = state.step * params.discriminator_steps + k
        chosen = randomness.batch_indices(len(pictures), params.batch_size, params.seed, index)
        c = state.condition.encode(pictures.labels[chosen])
        logged = discriminator_step(
            state, to_float(pictures.pixels[chosen]), c, latents(params, "D latents", index), params
        )
    logged |= generator_step(state, c, latents(params, "G latents", state.step), params)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.generator, params.batch_size, halflife)
    return logged


def latents(params: Params, purpose: str, step: int) -> Tensor:
    return randomness.normal(params.batch_size, params.num_latents, params.seed, purpose, step)


def discriminator_step(state: State, x: Tensor, c: Tensor, z: Tensor, params: Params) -> Scalars:
    """Teach D to tell x from G(z, c); G is not touched.

    Args:
        x: real images, (N, C, H, W), in [-1, 1].
        c: their conditions, (N, K).
        z: latents, (N, Z).
    """
    D = state.discriminator
    with torch.no_grad():
        fakes = state.generator(z, c)
    real_logits, fake_logits = D(x, c).float(), D(fakes, c).float()
    loss = ADVERSARIAL_LOSSES[params.loss].discriminator(real_logits, fake_logits)
    descend(state.d_optimizer, loss)
    logged = {"d_loss": loss, "real_logits": real_logits.mean(), "fake_logits": fake_logits.mean()}
    return {name: value.detach() for name, value in logged.items()}


def generator_step(state: State, c: Tensor, z: Tensor, params: Params) -> Scalars:
    """Teach G to be taken for real; gradients pass through D, which is not touched.

    Args:
        c: conditions, (N, K).
        z: latents, (N, Z).
    """
    D = state.discriminator.requires_grad_(False)
    fake_logits = D(state.generator(z, c), c).float()
    loss = ADVERSARIAL_LOSSES[params.loss].generator(fake_logits)
    descend(state.g_optimizer, loss)
    D.requires_grad_(True)
    return {"g_loss": loss.detach()}
