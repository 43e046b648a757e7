"""What keeps a duel in balance, each a switch: what D is shown, how it is built, and what its slope costs."""

from collections.abc import Mapping
from types import ModuleType
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from pipeline.methods import penalties
from pipeline.methods.augmentation import AUGMENTATIONS, augment
from pipeline.networks import NETWORKS, spectral
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, Section, Seed, one_of


class Remedies(Section):
    """Those of any duel."""

    batch_size: Count
    seed: Seed
    minibatch_stddev: bool  # D sees how much the images of a batch differ
    packing: Count  # images D judges together (PacGAN, Lin et al. 2018, arXiv:1712.04086); 1: one by one
    r1: NotNegative  # weight of |grad D|^2 / 2 at real images
    r2: NotNegative  # the same at fakes
    gradient_penalty: NotNegative  # weight of (|grad D| - 1)^2 between real and fake
    penalty_every: Count  # D steps; the penalty is then so many times as heavy (arXiv:1912.04958)
    orthogonal: NotNegative  # weight of the penalty on rows of G's weights that are not orthogonal

    @property
    def penalised(self) -> bool:
        return bool(self.r1 or self.r2 or self.gradient_penalty)

    @property
    def batch_norm(self) -> bool:
        return False

    @property
    def augmentations(self) -> list[str]:
        return []

    @model_validator(mode="after")
    def _packs_fill_the_batch(self) -> Self:
        if self.batch_size % self.packing:
            raise ValueError(f"batch_size = {self.batch_size} must be a multiple of packing = {self.packing}")
        return self


class PictureRemedies(Remedies):
    """And those that only pictures and their networks know."""

    networks: ClassVar[Mapping[str, ModuleType]] = NETWORKS  # of which `network` names one

    network: str
    discriminator_norm: Literal["none", "batch", "spectral"]  # of D's layers; not every network has batch
    augment: list[Annotated[str, one_of(AUGMENTATIONS)]]  # of all that D sees, in this order

    @property
    def batch_norm(self) -> bool:
        return self.discriminator_norm == "batch"

    @property
    def augmentations(self) -> list[str]:
        return self.augment

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.discriminator_norm == "batch" and not self.networks[self.network].BATCH_NORM:
            raise ValueError(
                f"discriminator_norm = 'batch': {self.network} has none; allowed are none, spectral"
            )
        if self.discriminator_norm == "batch" and self.penalised:
            raise ValueError(
                "discriminator_norm = 'batch' mixes the images of a batch, so r1, r2 and gradient_penalty,"
                " which are of single images, must be 0; allowed with them are none, spectral"
            )
        return self


def discriminator(
    params: PictureRemedies, num_conditions: int, width: int, image_shape: tuple[int, int, int], *more: int
) -> nn.Module:
    """D as the remedies want it: for packs of images, with the normalisation and the layers they name; `more`
    is what only some networks are told.
    """
    channels, *sides = image_shape
    network: nn.Module = params.networks[params.network].Discriminator(
        num_conditions * params.packing,
        width,
        (channels * params.packing, *sides),
        params.batch_norm,
        params.minibatch_stddev,
        *more,
    )
    if params.discriminator_norm == "spectral":
        spectral.normalise(network)
    return network


def shown(x: Tensor, params: Remedies, purpose: str, step: int) -> Tensor:
    """Images (N, C, H, W) as D sees them: augmented, then packed, (N / packing, C * packing, H, W)."""
    if params.augmentations:
        x = augment(x, params.augmentations, randomness.generator(params.seed, purpose, step))
    return packed(x, params)


def packed(rows: Tensor, params: Remedies) -> Tensor:
    """Neighbouring rows, of images or of conditions, side by side on the second axis."""
    if params.packing == 1:
        return rows
    return rows.unflatten(0, (-1, params.packing)).flatten(1, 2)


def logits(D: nn.Module, real: Tensor, fakes: Tensor, c: Tensor, params: Remedies) -> tuple[Tensor, Tensor]:
    """D's logits of real images and fakes, in one pass; in two where each must have its own statistics."""
    if params.batch_norm or params.minibatch_stddev:
        return D(real, c).float(), D(fakes, c).float()
    from_real, from_fakes = D(torch.cat([real, fakes]), torch.cat([c, c])).float().chunk(2)
    return from_real, from_fakes


def penalty(
    D: nn.Module, images: tuple[Tensor, Tensor], c: Tensor, share: Tensor, params: Remedies
) -> Tensor:
    """The weighted sum of the penalties on D's slope at real images and fakes; a weight of 0 costs nothing.

    Args:
        images: real ones and fakes, each (N, C, H, W).
        c: conditions, (N, K).
        share: of the fake in each point where `gradient_penalty` is taken, (N,), in [0, 1].
    """
    real, fakes = images
    total = torch.zeros(())
    if params.r1:
        total = total + params.r1 * penalties.zero_centred(D, real, c)
    if params.r2:
        total = total + params.r2 * penalties.zero_centred(D, fakes, c)
    if params.gradient_penalty:
        total = total + params.gradient_penalty * penalties.one_centred(D, real, fakes, c, share)
    return total * params.penalty_every
