"""How smoothly do images change as a latent moves? Perceptual path length, in a classifier's features.

Karras et al. 2019, arXiv:1812.04948. A path leads from one random latent to another, its position a runs
from 0 to 1, and f(a) are the features of the image there, (N, D), one path a row. The images stay in [-1, 1]
in fp32: rounded to uint8, two that lie a small step apart would differ by the rounding alone.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.data.images import to_float
from pipeline.runtime import randomness
from pipeline.runtime.compute import device_of
from pipeline.sampling.draw import lerp, slerp

BATCH = 500  # images at once
POSITIONS, ENDS, NOISE = "path positions", "path ends", "path noise"  # purposes of random numbers

Features = Callable[[Tensor], Tensor]  # images (N, C, H, W) in [-1, 1] -> (N, D)
Path = Callable[[Tensor], Tensor]  # positions (N, 1) -> f, (N, D)
Way = Callable[[Tensor, Tensor, Tensor], Tensor]  # start, end and positions -> latents


WAYS: Mapping[str, Way] = {"lerp": lerp, "slerp": slerp}


@torch.inference_mode()
def smoothness(f: Path, num_paths: int, step: float, seed: int) -> dict[str, float]:
    """Two figures of the features f along N paths, from finite differences over a share eps = `step` of each,
    at positions uniform in [0, 1 - eps].

    Returns:
        length: the mean over paths of |f(a + eps) - f(a)|^2 / eps^2, the squared speed. unevenness: that over
            the mean of |f(1) - f(0)|^2; 1 for paths that run straight in feature space at constant speed, and
            more, never less but for chance, for those that stand still and jump or go a roundabout way; 0
            where no image changes at all.
    """
    a = torch.rand(num_paths, 1, generator=randomness.generator(seed, POSITIONS)) * (1 - step)
    ahead = a + step
    moved = ((f(ahead) - f(a)).double() / (ahead - a).double()).square().sum(1).mean()
    whole = (f(torch.ones_like(a)) - f(torch.zeros_like(a))).double().square().sum(1).mean()
    return {"length": moved.item(), "unevenness": (moved / whole.clamp(min=1e-30)).item()}


def of_generator(
    generator: nn.Module, features: Features, c: Tensor, step: float, seed: int
) -> dict[str, float]:
    """The figures of paths between latents z (N, Z + num_noise), one for each condition in c (N, K).

    Condition and per-layer noise are held along a path; latents, noise and positions are of the seed.

    Returns:
        path_length_lerp, path_length_slerp, path_unevenness_lerp, path_unevenness_slerp.
    """
    num_latents, num_noise = cast(int, generator.num_latents), cast(int, generator.num_noise)
    device = device_of(generator)
    start, end = randomness.normal(2 * len(c), num_latents, seed, ENDS).chunk(2)
    noise = randomness.normal(len(c), num_noise, seed, NOISE)

    def f(way: Way, a: Tensor) -> Tensor:
        z = torch.cat([way(start, end, a), noise], 1).to(device)
        pairs = zip(z.split(BATCH), c.to(device).split(BATCH), strict=True)
        return torch.cat([features(generator(*pair)).cpu() for pair in pairs])

    return named({name: smoothness(partial(f, way), len(c), step, seed) for name, way in WAYS.items()})


def of_cross_fades(pixels: Tensor, features: Features, step: float, seed: int) -> dict[str, float]:
    """The same figures, for comparison, of each image (N, C, H, W) uint8 fading pixelwise into the next one.

    A fade has no latents, so its figures stand under both ways' names.
    """
    start = to_float(pixels)
    end = start.roll(1, 0)

    def f(a: Tensor) -> Tensor:
        rows = zip(start.split(BATCH), end.split(BATCH), a[:, :, None, None].split(BATCH), strict=True)
        return torch.cat([features(lerp(*row)).cpu() for row in rows])

    return named(dict.fromkeys(WAYS, smoothness(f, len(pixels), step, seed)))


def named(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """{way: {figure: value}} -> {path_figure_way: value}."""
    return {
        f"path_{figure}_{way}": value for way, values in figures.items() for figure, value in values.items()
    }
