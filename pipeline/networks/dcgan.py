"""Convolutional networks after Radford et al. 2016 (arXiv:1511.06434): strided convolutions, no pooling,
leaky ReLU in D.

They are laid out for channels-last memory: features are flattened as (H, W, C), which is how they lie there.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 4  # two halvings between the image and the smallest map


def flatten_nhwc(h: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, H * W * C); free of copies when `h` is channels-last."""
    return h.permute(0, 2, 3, 1).flatten(1)


class Generator(nn.Module):
    """Linear to `2 * width` channels at a quarter of the size, then two transposed convolutions and tanh."""

    def __init__(
        self, num_latents: int, num_conditions: int, width: int, image_shape: tuple[int, int, int]
    ) -> None:
        super().__init__()
        channels, rows, columns = image_shape
        self.map_shape = (rows // STRIDE, columns // STRIDE, 2 * width)
        self.linear = nn.Linear(num_latents + num_conditions, math.prod(self.map_shape), bias=False)
        self.norm1 = nn.BatchNorm2d(2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.up2 = nn.ConvTranspose2d(width, channels, 4, 2, 1)
        self.apply(init_weights)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        h = self.linear(torch.cat([z, c], 1))
        h = h.unflatten(1, self.map_shape).permute(0, 3, 1, 2)  # (N, 2 width, H / 4, W / 4), channels-last
        h = F.relu(self.norm1(h))
        h = F.relu(self.norm2(self.up1(h)))
        return torch.tanh(self.up2(h))


class Discriminator(nn.Module):
    """Two strided convolutions; the condition enters by projection: D(x, c) = w f(x) + c V f(x) (Miyato and
    Koyama 2018, arXiv:1802.05637).

    Its batch normalisation uses the batch's own statistics always and stores none, so that a generator step
    cannot change D.
    """

    def __init__(self, num_conditions: int, width: int, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, rows, columns = image_shape
        num_features = 2 * width * (rows // STRIDE) * (columns // STRIDE)
        self.down1 = nn.Conv2d(channels, width, 4, 2, 1)
        self.down2 = nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(2 * width, track_running_stats=False)
        self.head = nn.Linear(num_features, 1)
        self.project = nn.Linear(num_features, num_conditions, bias=False) if num_conditions else None
        self.apply(init_weights)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = F.leaky_relu(self.down1(x), 0.2)
        h = F.leaky_relu(self.norm2(self.down2(h)), 0.2)
        h = flatten_nhwc(h)
        logits: Tensor = self.head(h).squeeze(1)
        if self.project is not None:
            logits = logits + (self.project(h) * c).sum(1)
        return logits


def init_weights(module: nn.Module) -> None:
    """Normal weights of standard deviation 0.02, as the paper has them."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
