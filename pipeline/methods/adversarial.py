"""Adversarial training: one step of a GAN, unconditional, class-conditional or pix2pix.

Goodfellow et al. 2014 (arXiv:1406.2661); with a condition, Mirza and Osindero 2014 (arXiv:1411.1784); with an
image as its condition, Isola et al. 2017 (arXiv:1611.07004). K times: real images, fresh latents, D steps;
then once: fresh latents, G steps through a D whose weights stay. G minimises

    adversarial * its adversarial loss + score * e + l1 |x - m| + l2 (x - m)^2 - l1 * spread * w_P * s
    + mode_seeking * r

with e the energy score of P draws of one condition, m their mean, s their standard deviation, w_P and r as in
reconstruction.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline.methods import ema, penalties, reconstruction, stabilisers
from pipeline.methods.adversarial_settings import SETTINGS, Settings
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.method import Scalars, itself
from pipeline.methods.optimisation import constant_then_linear, descend
from pipeline.networks import spectral
from pipeline.networks.mixture import Mixture
from pipeline.networks.network import Spec, num_inputs
from pipeline.runtime import compute, distributed, randomness
from pipeline.runtime.size import num_flops, num_parameters
from pipeline.tasks import clusters
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

__all__ = ["SETTINGS", "Settings", "sampler", "start"]

# purposes of random numbers
WEIGHTS, D_LATENTS, G_LATENTS = "weights", "D latents", "G latents"
D_FAKES, D_REAL, G_FAKES, G_REAL = "D sees fakes", "D sees real", "G's fakes are seen", "G's rivals are seen"
BETWEEN = "between real and fake"


@dataclass
class Adversarial:
    """The state of an adversarial training."""

    settings: Settings
    spec: Spec
    generator: nn.Module
    discriminator: nn.Module
    ema: nn.Module  # of the generator: what is kept and sampled
    g_optimizer: Optimizer
    d_optimizer: Optimizer
    blank: Tensor  # a condition that says nothing, as G and D take it, (1, ...)
    groups: clusters.Groups | None = None  # hidden ones, of the training examples
    steps_done: int = 0

    def step(self, examples: Examples) -> Scalars:
        """Update D K times, then G once, then G's moving average."""
        settings, step = self.settings, self.steps_done
        distributed.seed_dropout(settings.seed, step)
        logged: Scalars = {}
        num_steps, fakes = settings.discriminator_steps if settings.adversarial else 0, None
        for k in range(num_steps):
            index = step * num_steps + k
            x, c = self.batch(examples, settings.batch_size, index)
            z = self.latents(D_LATENTS, index)
            if not settings.fresh_latents and k == num_steps - 1:
                fakes = distributed.replica(self.generator)(z, c)
            logged = discriminator_step(self, x, c, z, index, fakes)
        if settings.num_draws > 1 or not settings.adversarial:  # else G has the conditions D had last
            x, c = self.batch(examples, settings.batch_size // settings.num_draws, step)
        if fakes is None:
            z = self.latents(G_LATENTS, step)
        logged |= generator_step(self, x, c, z, fakes)
        num = settings.batch_size
        ema.update(self.ema, self.generator, settings.ema_halflife, num, step * num)
        return logged

    @property
    def learning_rate(self) -> float:
        """Of both players, at this step."""
        settings = self.settings
        factor = constant_then_linear(self.steps_done, settings.num_steps, settings.decay_from)
        return settings.learning_rate * factor

    def batch(self, examples: Examples, size: int, index: int) -> tuple[Tensor, Tensor]:
        """This process's share of batch number `index`: x, and c with the hidden groups, if there are any."""
        chosen, x, c = examples.take(size, self.settings.seed, index)
        if self.groups is not None:
            c = self.groups.beside(c, chosen)
        return x, c

    def latents(self, purpose: str, step: int) -> Tensor:
        num, seed = self.settings.batch_size, self.settings.seed
        z = randomness.normal(num, num_inputs(self.generator), seed, purpose, step)
        return distributed.shard(z).to(compute.device_of(self.generator))

    def sizes(self) -> dict[str, float]:
        """Of one member, for one image; of a D that judges packs, for one pack."""
        members, num = self.spec.num_members, self.spec.num_members * self.settings.packing
        z = torch.zeros(num, num_inputs(self.generator))
        c, x = self.blank.repeat(num, *[1] * (self.blank.ndim - 1)), torch.zeros(num, *self.spec.image_shape)
        x, seen = (stabilisers.packed(rows, self.settings) for rows in (x, c))
        return {
            "generator_parameters": num_parameters(self.generator) / members,
            "generator_flops": num_flops(lambda: self.ema(z, c)) / num,
            "discriminator_parameters": num_parameters(self.discriminator) / members,
            "discriminator_flops": num_flops(lambda: self.discriminator(x, seen)) / members,
        }


def start(settings: Settings, task: Task) -> Adversarial:
    """Networks with the weights that (seed, "weights") gives, and their optimizers."""
    chosen = {"num_latents": settings.num_latents, "layer_noise": settings.layer_noise}
    chosen |= {"clusters": settings.clusters, "turn": settings.packing}
    spec = settings.spec("adversarial", task, **chosen)
    groups = clusters.of_task(task, settings.clusters, settings.seed)
    num_groups = groups.shares.numel() if groups is not None else 0
    torch.manual_seed(randomness.derive(settings.seed, WEIGHTS))
    generator = spec.build()
    if isinstance(generator, Mixture) and groups is not None:
        generator.set_shares(groups.shares)
    seen = task.num_conditions + num_groups if settings.discriminator_sees_condition else 0
    discriminator = stabilisers.discriminator(settings, seen, task.x_shape, settings.num_members)
    blank = torch.zeros(1, num_groups + task.num_conditions) if num_groups else task.blank(1)
    for module in (generator, discriminator):
        module.to(memory_format=torch.channels_last)
    g_optimizer, d_optimizer = (
        Adam(module.parameters(), settings.learning_rate, (settings.beta1, settings.beta2), fused=True)
        for module in (generator, discriminator)
    )
    average = ema.copy_of(generator)
    players = generator, discriminator, average, g_optimizer, d_optimizer
    return Adversarial(settings, spec, *players, blank, groups)


def discriminator_step(
    training: Adversarial, x: Tensor, c: Tensor, z: Tensor, index: int, fakes: Tensor | None = None
) -> Scalars:
    """Teach D, in its step number `index`, to tell real images x, (N, C, H, W) in [-1, 1], from G(z, c), with
    conditions c (N, ...) and latents z (N, Z), where these `fakes` are not there yet; G is not touched.
    """
    settings, D = training.settings, distributed.replica(training.discriminator)
    with torch.no_grad():
        fakes = training.generator(z, c) if fakes is None else fakes.detach()
        fakes = stabilisers.shown(fakes, settings, D_FAKES, index)
        real, c = stabilisers.shown(x, settings, D_REAL, index), stabilisers.packed(c, settings)
    with spectral.iterating(training.discriminator):
        real_logits, fake_logits = stabilisers.logits(D, real, fakes, c, settings)
        loss = ADVERSARIAL_LOSSES[settings.loss].discriminator(real_logits, fake_logits)
        logged = {"d_loss": loss, "real_logits": real_logits.mean(), "fake_logits": fake_logits.mean()}
        if settings.penalised:
            logged["penalty"] = loss.new_zeros(())
            if index % settings.penalty_every == 0:
                num = len(real) * distributed.world()
                share = distributed.shard(randomness.uniform(num, settings.seed, BETWEEN, index))
                images, share = (real, fakes), share.to(real.device)
                logged["penalty"] = stabilisers.penalty(training.discriminator, images, c, share, settings)
            loss = loss + logged["penalty"]
        descend(training.d_optimizer, loss, training.learning_rate)
    return {name: value.detach() for name, value in logged.items()}


def generator_step(
    training: Adversarial, x: Tensor, c: Tensor, z: Tensor, fakes: Tensor | None = None
) -> Scalars:
    """Teach G to draw, P times for each condition c (N / P, ...), from latents z (N, Z), what D takes for
    real images x, (N / P, C, H, W) in [-1, 1], and what is near them on average; D is not touched. `fakes`
    are G(z, c), where they are there already.
    """
    settings, G = training.settings, distributed.replica(training.generator)
    fakes = G(z, c) if fakes is None else fakes
    loss, logged = torch.zeros(()), {}
    if settings.adversarial:
        training.discriminator.requires_grad_(False)
        loss = adversarial_loss(training, x, c, fakes)
        logged["g_loss"] = loss.detach()
        loss = settings.adversarial * loss
    loss = loss + reconstruction.loss(fakes, x, z, settings, logged)
    if settings.orthogonal:
        loss = loss + settings.orthogonal * penalties.orthogonal(matrices(training.generator))
    descend(training.g_optimizer, loss, training.learning_rate)
    training.discriminator.requires_grad_(True)
    return logged | {"g_gradient": gradient_norm(training.generator)}


def adversarial_loss(training: Adversarial, x: Tensor, c: Tensor, fakes: Tensor) -> Tensor:
    """G's loss: how D takes its fakes, (N, C, H, W), beside the real images of their conditions."""
    settings, D, step = training.settings, training.discriminator, training.steps_done
    pair, num_draws = ADVERSARIAL_LOSSES[settings.loss], settings.num_draws
    seen = stabilisers.packed(c.repeat_interleave(num_draws, 0), settings)
    fake_logits = D(stabilisers.shown(fakes, settings, G_FAKES, step), seen).float()
    real_logits = fake_logits.detach()
    if pair.paired:
        with torch.no_grad():
            real = stabilisers.shown(x, settings, G_REAL, step)
            real_logits = D(real, stabilisers.packed(c, settings)).float().repeat_interleave(num_draws, 0)
    return pair.generator(real_logits, fake_logits)


def matrices(network: nn.Module) -> list[Tensor]:
    """The weights of all linear and convolution layers."""
    return [parameter for parameter in network.parameters() if parameter.ndim > 1]


def gradient_norm(network: nn.Module) -> Tensor:
    """The length of the gradient that the last step went down."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


sampler = itself
