"""The duel: one step of a GAN, unconditional or conditional.

Goodfellow et al. 2014 (arXiv:1406.2661); with a condition, Mirza and Osindero 2014 (arXiv:1411.1784). K
times: real images, fresh latents, D steps; then once: fresh latents, G steps through a D whose weights stay.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline.data.digits import Examples
from pipeline.methods import ema, penalties
from pipeline.methods import stabilisers as remedies
from pipeline.methods.generators import GeneratorSchedule
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.optimisation import descend, plateau, set_learning_rate
from pipeline.methods.schedule import Scalars, Schedule
from pipeline.networks import NETWORKS, num_inputs, spectral
from pipeline.networks.layers import GROUP
from pipeline.networks.mixture import Mixture
from pipeline.runtime import compute, randomness
from pipeline.runtime import distributed as parallel
from pipeline.runtime.params import (
    Count,
    Fraction,
    NotNegative,
    NotNegativeCount,
    Positive,
    PositiveFraction,
    one_of,
)
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks.conditions import UNCONDITIONAL, Condition


class Duel(Schedule, remedies.Remedies):
    """Of whatever is drawn."""

    num_latents: Count  # Z
    loss: Annotated[str, one_of(ADVERSARIAL_LOSSES)]
    discriminator_steps: Count  # K: how often D steps for one step of G
    learning_rate: Positive  # Adam's
    beta1: Fraction  # Adam's first decay rate
    beta2: Fraction  # and its second
    decay_from: PositiveFraction  # share of the steps after which the learning rate falls to 0; 1: it stays
    ema_halflife: NotNegative  # images after which old weights count half in G's moving average; 0: none

    @property
    def together(self) -> int:
        return self.packing * (GROUP if self.minibatch_stddev else 1)


class Params(GeneratorSchedule, remedies.PictureRemedies, Duel):
    clusters: NotNegativeCount  # hidden groups of images, in each class, that both players are told; 0: none

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
    if condition.shares is not None:
        generator = Mixture(generator, condition.width - condition.shares.numel(), condition.shares)
    num_conditions = params.seen_by_discriminator(condition).width
    discriminator = remedies.discriminator(params, num_conditions, params.width, image_shape)
    return new_state(params, condition, generator, discriminator)


def new_state(params: Duel, condition: Condition, generator: nn.Module, discriminator: nn.Module) -> State:
    """The state in which the training of these networks begins."""
    for module in (generator, discriminator):
        parallel.synchronised(module).to(memory_format=torch.channels_last)
    g_optimizer, d_optimizer = (
        Adam(module.parameters(), params.learning_rate, (params.beta1, params.beta2), fused=True)
        for module in (generator, discriminator)
    )
    return State(generator, discriminator, ema.follower(generator), g_optimizer, d_optimizer, condition)


def train_step(state: State, examples: Examples, params: Duel) -> Scalars:
    """Update D K times, then G once, then G's moving average."""
    turn = state.step * parallel.world() + parallel.rank()
    torch.manual_seed(randomness.derive(params.seed, "dropout", turn))
    learning_rate = params.learning_rate * plateau(state.step, params.num_steps, params.decay_from)
    for optimizer in (state.d_optimizer, state.g_optimizer):
        set_learning_rate(optimizer, learning_rate)
    for k in range(params.discriminator_steps):
        index = state.step * params.discriminator_steps + k
        chosen = randomness.batch_indices(len(examples), params.batch_size, params.seed, index)
        x, labels = examples.batch(parallel.shard(chosen))
        c = state.condition.encode(labels)
        z = latents(state.generator, params, "D latents", index)
        logged = discriminator_step(state, x, c, z, params, index)
    z = latents(state.generator, params, "G latents", state.step)
    logged |= generator_step(state, x, c, z, params)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.generator, params.batch_size, halflife)
    return logged


def latents(generator: nn.Module, params: Duel, purpose: str, step: int) -> Tensor:
    z = randomness.normal(params.batch_size, num_inputs(generator), params.seed, purpose, step)
    return parallel.shard(z).to(compute.device_of(generator))


def discriminator_step(state: State, x: Tensor, c: Tensor, z: Tensor, params: Duel, index: int) -> Scalars:
    """Teach D to tell x from G(z, c); G is not touched.

    Args:
        x: real images, (N, C, H, W), in [-1, 1].
        c: their conditions, (N, K).
        z: latents, (N, Z).
        index: how many steps D has made.
    """
    D = parallel.replica(state.discriminator)
    with torch.no_grad():
        fakes = remedies.shown(state.generator(z, c), params, "D sees fakes", index)
        real, c = remedies.shown(x, params, "D sees real", index), remedies.packed(c, params)
    with spectral.iterating(state.discriminator):
        real_logits, fake_logits = remedies.logits(D, real, fakes, c, params)
        loss = ADVERSARIAL_LOSSES[params.loss].discriminator(real_logits, fake_logits)
        logged = {"d_loss": loss, "real_logits": real_logits.mean(), "fake_logits": fake_logits.mean()}
        if params.penalised:
            logged["penalty"] = loss.new_zeros(())
            if index % params.penalty_every == 0:
                num = len(real) * parallel.world()
                share = parallel.shard(randomness.uniform(num, params.seed, "between real and fake", index))
                share = share.to(real.device)
                logged["penalty"] = remedies.penalty(state.discriminator, (real, fakes), c, share, params)
            loss = loss + logged["penalty"]
        descend(state.d_optimizer, loss)
    return {name: value.detach() for name, value in logged.items()}


def generator_step(state: State, x: Tensor, c: Tensor, z: Tensor, params: Duel) -> Scalars:
    """Teach G to be taken for real; gradients pass through D, which is not touched.

    Args:
        x: real images, (N, C, H, W): a relativistic loss compares with them.
        c: conditions, (N, K).
        z: latents, (N, Z).
    """
    G, D = parallel.replica(state.generator), state.discriminator.requires_grad_(False)
    adversarial = ADVERSARIAL_LOSSES[params.loss]
    fakes = remedies.shown(G(z, c), params, "G's fakes are seen", state.step)
    seen_c = remedies.packed(c, params)
    fake_logits = D(fakes, seen_c).float()
    real_logits = fake_logits.detach()
    if adversarial.paired:
        with torch.no_grad():
            real = remedies.shown(x, params, "G's rivals are seen", state.step)
            real_logits = D(real, seen_c).float()
    loss = adversarial.generator(real_logits, fake_logits)
    logged = {"g_loss": loss.detach()}
    if params.orthogonal:
        loss = loss + params.orthogonal * penalties.orthogonal(matrices(state.generator))
    descend(state.g_optimizer, loss)
    D.requires_grad_(True)
    return logged | {"g_gradient": gradient_norm(state.generator)}


def sizes(state: State, params: Duel, image_shape: tuple[int, int, int]) -> dict[str, float]:
    """Parameters of both players and what they compute for one image (one pack, D), for the record."""
    image = torch.zeros(params.packing, *image_shape)
    z, c = torch.zeros(1, num_inputs(state.generator)), state.condition.blank(params.packing)
    D = state.discriminator
    return {
        "generator_parameters": num_parameters(state.generator),
        "generator_flops": num_flops(lambda: state.average(z, c[:1])),
        "discriminator_parameters": num_parameters(D),
        "discriminator_flops": num_flops(
            lambda: D(remedies.packed(image, params), remedies.packed(c, params))
        ),
    }


def matrices(network: nn.Module) -> list[Tensor]:
    """The weights of all linear and convolution layers."""
    return [parameter for parameter in network.parameters() if parameter.ndim > 1]


def gradient_norm(network: nn.Module) -> Tensor:
    """The length of the gradient that the last step went down."""
    return torch.nn.utils.get_total_norm(
        [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    )
