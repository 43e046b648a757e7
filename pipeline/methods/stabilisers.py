"""GAN stabilisers, all off by default: what D sees, its normalisation, and penalties on its gradient norm."""

from typing import Annotated, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from pipeline.methods import penalties
from pipeline.methods.augmentation import AUGMENTATIONS, augment
from pipeline.networks import network, spectral
from pipeline.networks.network import DiscriminatorSpec
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Section, Seed, one_of


class Stabilisers(Section):
    network: str
    width: Count
    batch_size: Count
    seed: Seed
    discriminator_norm: Literal["none", "batch", "spectral"] = "none"  # of D's layers; not all have batch
    minibatch_stddev: bool = False  # D sees how much the images of a batch differ
    packing: Count = 1  # images D judges together (PacGAN, arXiv:1712.04086); 1: one by one
    augment: list[Annotated[str, one_of(AUGMENTATIONS)]] = []  # DiffAugment of all that D sees, in this order
    patch_size: NotNegativeCount = 0  # pixels that a logit judges: 1, 4, 10, 22 ...; 0: the whole image
    r1: NotNegative = 0.0  # weight of |grad D|^2 / 2 at real images
    r2: NotNegative = 0.0  # the same at fakes
    gradient_penalty: NotNegative = 0.0  # weight of (|grad D| - 1)^2 between real and fake
    penalty_every: Count = 1  # D steps; the penalty is then so many times as heavy (arXiv:1912.04958)
    orthogonal: NotNegative = 0.0  # weight of the penalty on rows of G's weights that are not orthogonal

    @property
    def penalised(self) -> bool:
        return bool(self.r1 or self.r2 or self.gradient_penalty)

    @property
    def batch_norm(self) -> bool:
        return self.discriminator_norm == "batch"

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        self.check_multiple("batch_size", of="packing")
        if self.batch_norm and not network.load(self.network).batch_norm:
            lacks = f"{self.network} has none; allowed are none, spectral"
            raise ValueError(f"discriminator_norm = 'batch': {lacks}")
        if self.batch_norm and self.penalised:
            raise ValueError(
                "discriminator_norm = 'batch' mixes the images of a batch, so r1, r2 and gradient_penalty,"
                " which are of single images, must be 0; allowed with them are none, spectral"
            )
        return self


def discriminator(
    settings: Stabilisers, num_conditions: int, shape: tuple[int, ...], num_members: int = 1
) -> nn.Module:
    """D as the stabilisers want it: for packs of images, with the normalisation and the layers they name."""
    spec = DiscriminatorSpec(
        width=settings.width,
        image_shape=(shape[0] * settings.packing, *shape[1:]),
        num_conditions=num_conditions * settings.packing,
        batch_norm=settings.batch_norm,
        minibatch_stddev=settings.minibatch_stddev,
        patch_size=settings.patch_size,
        num_members=num_members,
    )
    build = network.load(settings.network).discriminator
    assert build is not None  # networks that take a condition have one
    built = build(spec)
    if settings.discriminator_norm == "spectral":
        spectral.normalise(built)
    return built


def shown(x: Tensor, settings: Stabilisers, purpose: str, step: int) -> Tensor:
    """Images (N, C, H, W) as D sees them: augmented, then packed, (N / packing, C * packing, H, W)."""
    if settings.augment:
        x = augment(x, settings.augment, randomness.generator(settings.seed, purpose, step))
    return packed(x, settings)


def packed(rows: Tensor, settings: Stabilisers) -> Tensor:
    """Neighbouring rows, of images or of conditions, side by side on the second axis."""
    if settings.packing == 1:
        return rows
    return rows.unflatten(0, (-1, settings.packing)).flatten(1, 2)


def logits(
    D: nn.Module, real: Tensor, fakes: Tensor, c: Tensor, settings: Stabilisers
) -> tuple[Tensor, Tensor]:
    """D's logits of real images and fakes, in one pass; in two where each must have its own statistics."""
    if settings.batch_norm or settings.minibatch_stddev:
        return D(real, c).float(), D(fakes, c).float()
    from_real, from_fakes = D(torch.cat([real, fakes]), torch.cat([c, c])).float().chunk(2)
    return from_real, from_fakes


def penalty(
    D: nn.Module, images: tuple[Tensor, Tensor], c: Tensor, share: Tensor, settings: Stabilisers
) -> Tensor:
    """The weighted sum of the penalties on D's gradient norm at real images and fakes, each (N, C, H, W), and
    conditions c (N, K); `share`, (N,) in [0, 1], is that of the fake where `gradient_penalty` is taken.
    """
    real, fakes = images
    total = torch.zeros(())
    if settings.r1:
        total = total + settings.r1 * penalties.zero_centred(D, real, c)
    if settings.r2:
        total = total + settings.r2 * penalties.zero_centred(D, fakes, c)
    if settings.gradient_penalty:
        total = total + settings.gradient_penalty * penalties.one_centred(D, real, fakes, c, share)
    return total * settings.penalty_every
