"""Settings of adversarial training, with the defaults of each kind of condition."""

from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.reconstruction import Terms
from pipeline.methods.schedule import ModelSettings, NetworkName, OfImages, OfNumbers, OfPoints, OfWords
from pipeline.methods.stabilisers import Stabilisers
from pipeline.networks.layers import GROUP
from pipeline.runtime.params import (
    Count,
    Fraction,
    NotNegative,
    NotNegativeCount,
    Positive,
    PositiveFraction,
    one_of,
)


class Settings(ModelSettings, Stabilisers, Terms):
    """Defaults of an unconditional GAN of digits: DCGAN's networks with the non-saturating loss."""

    kind: ClassVar[str] = "none"

    network: NetworkName = "dcgan"
    num_latents: Count = 64  # Z
    layer_noise: bool = False  # a number of noise at each pixel of each level, too, of a U-Net's way up
    width: Count = 32
    clusters: NotNegativeCount = 0  # hidden groups in each class, by k-means, that condition both players
    discriminator_sees_condition: bool = True  # false: the ablation in which G may ignore its condition
    loss: Annotated[str, one_of(ADVERSARIAL_LOSSES)] = "nonsaturating"  # of both players; see losses.py
    discriminator_steps: Count = 1  # K: how often D steps for one step of G
    fresh_latents: bool = True  # of G's step; false: it learns from the fakes that D saw last, drawn once
    learning_rate: Positive = 0.001  # Adam's
    beta1: Fraction = 0.5  # Adam's first decay rate
    beta2: Fraction = 0.999  # and its second
    decay_from: PositiveFraction = 1.0  # share of the steps from which the learning rate falls to 0; 1: never
    ema_halflife: NotNegative = 10_000.0  # images; less at the start: a tenth of the images seen
    batch_size: Count = 64
    num_steps: Count = 1200
    save_every: Count = 400
    num_snapshots: Count = 8
    monitor_every: Count = 300

    @property
    def together(self) -> int:
        return self.packing * (GROUP if self.minibatch_stddev else 1) * self.num_draws

    @model_validator(mode="after")
    def _fakes_are_of_one_batch(self) -> Self:
        if not self.fresh_latents and (self.num_draws > 1 or not self.adversarial):
            need = "D sees one draw of each condition, so that num_draws must be 1, and adversarial above 0"
            raise ValueError(f"fresh_latents = False: {need}")
        return self

    @classmethod
    def only(cls) -> dict[str, tuple[str, ...]]:
        of_images = ("none", "class", "image", "words")
        conditional, single = ("class", "image", "words", "numbers"), (*of_images, "numbers")
        mixing = ("l1", "l2", "num_draws", "spread", "mode_seeking", "orthogonal")  # the members of points
        return super().only() | {
            "patch_size": ("image", "words"),
            "layer_noise": ("image",),
            "score": of_images,
            "clusters": ("none", "class"),
            "discriminator_sees_condition": conditional,
            **dict.fromkeys(("discriminator_norm", "augment"), of_images),
            **dict.fromkeys(("packing", "minibatch_stddev"), (*of_images, "points")),
            **dict.fromkeys(mixing, single),
        }


class ClassSettings(Settings):
    kind: ClassVar[str] = "class"


class ImageSettings(OfImages, Settings):
    """Defaults of image to image: a U-Net, and the energy score of two draws beside the adversarial loss."""

    num_latents: Count = 16
    score: NotNegative = 5.0
    num_draws: Count = 2
    r1: NotNegative = 0.3
    r2: NotNegative = 0.3
    penalty_every: Count = 4
    beta1: Fraction = 0.0
    beta2: Fraction = 0.99
    decay_from: PositiveFraction = 0.5


class WordSettings(OfWords, ImageSettings):
    """Defaults of caption to image."""


class NumberSettings(OfNumbers, Settings):
    """Defaults of a cGAN of single numbers."""

    num_latents: Count = 2
    r1: NotNegative = 0.1
    learning_rate: Positive = 0.005
    beta1: Fraction = 0.0
    beta2: Fraction = 0.99
    decay_from: PositiveFraction = 0.5
    ema_halflife: NotNegative = 100_000.0
    save_every: Count = 1000


class PointSettings(OfPoints, Settings):
    """Defaults of a GAN of points: latents as in arXiv:1611.02163, Adam as in DCGAN, arXiv:1511.06434."""

    num_latents: Count = 256
    learning_rate: Positive = 0.0002


SETTINGS = {
    "none": Settings,
    "class": ClassSettings,
    "image": ImageSettings,
    "words": WordSettings,
    "numbers": NumberSettings,
    "points": PointSettings,
}
