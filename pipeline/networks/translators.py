"""The networks that turn a condition into a picture, by name. Each module has

    Generator(num_latents, num_conditions, width, image_shape, every_level)
    Discriminator(num_conditions, width, image_shape, batch_norm, minibatch_stddev, patch_size)

with generators (z, c) -> x and discriminators (x, c) -> logits. `unet` is told pictures, c (N, K, H, W) with
K channels; `caption` is told rows of word numbers, c (N, L), K of them in all. Z = 0 makes the generator a
regression network; a discriminator made for K = 0 ignores c.
"""

from types import ModuleType

from torch import nn

from pipeline.networks import caption, unet
from pipeline.runtime.params import Section

TRANSLATORS: dict[str, ModuleType] = {"unet": unet, "caption": caption}


class TranslatorSpec(Section):
    """All that is needed to build a generator again, and to ask it for something."""

    network: str
    num_latents: int  # Z; 0: a regression network
    num_conditions: int  # K
    task: str
    width: int
    image_shape: list[int]  # C, H, W
    latents_at_every_level: bool

    def build(self) -> nn.Module:
        channels, height, width = self.image_shape
        shape = (channels, height, width)
        make = TRANSLATORS[self.network].Generator
        generator: nn.Module = make(
            self.num_latents, self.num_conditions, self.width, shape, self.latents_at_every_level
        )
        return generator
