"""The truncation trick: less variety for better single images, where a network knows how (Brock et al. 2019,
arXiv:1809.11096; Karras et al. 2019, arXiv:1812.04948).
"""

from typing import cast

from torch import Tensor, nn


class Truncated(nn.Module):
    """A generator of a network that truncates, always asked with one `truncation`; 1: none, 0: no variety."""

    def __init__(self, generator: nn.Module, truncation: float) -> None:
        super().__init__()
        self.generator, self.truncation = generator, truncation
        self.num_latents = cast(int, generator.num_latents)
        self.num_noise = cast(int, generator.num_noise)
        self.num_evaluations = cast(int, generator.num_evaluations)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.generator(z, c, self.truncation)
