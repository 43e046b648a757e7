"""The duel for conditions of which each picture has one of its own: pix2pix (Isola et al. 2017,
arXiv:1611.07004), with what keeps a generator from ignoring its latents; and regression by the same network.

G minimises  adversarial * its adversarial loss  +  l1 |x - m|  +  l2 (x - m)^2  -  l1 * spread * w_P * s  +
mode_seeking * r, with m the mean of P draws of one condition, s their standard deviation, w_P and r as in
pipeline/reconstruction.py. With adversarial = 0 there is no D.
"""

from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor

from pipeline.methods import adversarial, ema, reconstruction
from pipeline.methods import stabilisers as remedies
from pipeline.methods.adversarial import State, sizes
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.optimisation import descend, plateau, set_learning_rate
from pipeline.methods.schedule import Scalars
from pipeline.methods.translators import TranslatorSchedule
from pipeline.runtime import distributed as parallel
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount
from pipeline.tasks.conditions import UNCONDITIONAL, Condition
from pipeline.tasks.drawings import Pairs

__all__ = ["Params", "init_state", "sizes", "train_step"]


class Params(TranslatorSchedule, remedies.PictureRemedies, adversarial.Duel):
    discriminator_sees_condition: bool  # false: the ablation in which G may ignore what it is given
    patch_size: NotNegativeCount  # pixels that a logit judges: 1, 4, 10, 22 ...; 0: the whole picture
    latents_at_every_level: bool  # of the way up; false: at the smallest map alone
    adversarial: NotNegative  # weight of the adversarial loss; 0: no discriminator
    l1: NotNegative  # weight of |x - mean of draws|
    l2: NotNegative  # weight of (x - mean of draws)^2
    num_draws: Count  # P: of one condition, in a step of G, which then has 1 / P as many conditions
    spread: NotNegative  # reward of draws that differ, beside l1; 1: rcGAN's weight
    mode_seeking: NotNegative  # weight of the mode-seeking term

    @property
    def together(self) -> int:
        return super().together * self.num_draws

    @model_validator(mode="after")
    def _draws_fill_the_batch(self) -> Self:
        if self.batch_size % self.num_draws:
            raise ValueError(
                f"batch_size = {self.batch_size} must be a multiple of num_draws = {self.num_draws}"
            )
        if self.num_draws > 1 and self.packing > 1:
            raise ValueError(
                "num_draws and packing: draws of one condition must not fill a pack; one of them must be 1"
            )
        if self.num_draws == 1 and (self.spread or self.mode_seeking):
            raise ValueError(
                "num_draws = 1: spread and mode_seeking compare draws; with them it must be 2 or more"
            )
        return self


def init_state(params: Params, condition: Condition, image_shape: tuple[int, int, int]) -> State:
    """Networks with the weights that (seed, "weights") gives, and their optimizers."""
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    network = params.networks[params.network]
    generator = network.Generator(
        params.num_latents, condition.width, params.width, image_shape, params.latents_at_every_level
    )
    seen = condition if params.discriminator_sees_condition else UNCONDITIONAL
    discriminator = remedies.discriminator(params, seen.width, params.width, image_shape, params.patch_size)
    return adversarial.new_state(params, condition, generator, discriminator)


def train_step(state: State, pairs: Pairs, params: Params) -> Scalars:
    """Update D K times, then G once, then G's moving average."""
    learning_rate = params.learning_rate * plateau(state.step, params.num_steps, params.decay_from)
    for optimizer in (state.d_optimizer, state.g_optimizer):
        set_learning_rate(optimizer, learning_rate)
    logged: Scalars = {}
    for k in range(params.discriminator_steps if params.adversarial else 0):
        index = state.step * params.discriminator_steps + k
        chosen = randomness.batch_indices(len(pairs), params.batch_size, params.seed, index)
        x, c = pairs.batch(parallel.shard(chosen))
        z = adversarial.latents(state.generator, params, "D latents", index)
        logged = adversarial.discriminator_step(state, x, c, z, params, index)
    num_conditions = params.batch_size // params.num_draws
    chosen = randomness.batch_indices(len(pairs), num_conditions, params.seed, state.step)
    x, c = pairs.batch(parallel.shard(chosen))
    z = adversarial.latents(state.generator, params, "G latents", state.step)
    logged |= generator_step(state, x, c, z, params)
    halflife = ema.ramped(params.ema_halflife, state.step * params.batch_size)
    ema.follow(state.average, state.generator, params.batch_size, halflife)
    return logged


def generator_step(state: State, x: Tensor, c: Tensor, z: Tensor, params: Params) -> Scalars:
    """Teach G to draw, P times for each condition, what D takes for x, and what is near x on average.

    Args:
        x: real pictures, (N / P, C, H, W), in [-1, 1].
        c: their conditions, (N / P, K, H, W) or (N / P, L).
        z: latents, (N, Z).
    """
    G, D, num_draws = parallel.replica(state.generator), state.discriminator, params.num_draws
    seen = remedies.packed(c.repeat_interleave(num_draws, 0), params)
    fakes = G(z, c)
    drawn = fakes.float().unflatten(0, (-1, num_draws))  # (N / P, P, C, H, W)
    loss, logged = torch.zeros(()), {}
    if params.adversarial:
        D.requires_grad_(False)
        pair = ADVERSARIAL_LOSSES[params.loss]
        fake_logits = D(remedies.shown(fakes, params, "G's fakes are seen", state.step), seen).float()
        real_logits = fake_logits.detach()
        if pair.paired:
            with torch.no_grad():
                real = remedies.shown(x, params, "G's rivals are seen", state.step)
                real_logits = D(real, remedies.packed(c, params)).float().repeat_interleave(num_draws, 0)
        loss = pair.generator(real_logits, fake_logits)
        logged = {"g_loss": loss.detach()}
        loss = params.adversarial * loss
    if params.l1:
        error = reconstruction.l1(drawn, x)
        logged["l1"] = error.detach()
        loss = loss + params.l1 * error
    if params.l2:
        error = reconstruction.l2(drawn, x)
        logged["l2"] = error.detach()
        loss = loss + params.l2 * error
    if num_draws > 1:
        spread = reconstruction.spread(drawn)
        logged["spread"] = spread.detach()
        loss = loss - params.l1 * params.spread * reconstruction.spread_weight(num_draws) * spread
    if params.mode_seeking:
        loss = loss + params.mode_seeking * reconstruction.mode_seeking(
            drawn, z.unflatten(0, (-1, num_draws))
        )
    descend(state.g_optimizer, loss)
    D.requires_grad_(True)
    return logged
