"""Known posteriors, of images of four pixels, and samplers, all but the first of which have a fault."""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.metrics.judged import Known

NUM_DRAWS, NUM_PIXELS = 39, 4
SPREAD = 20.0  # grey levels: the posterior's standard deviation, and that of what conditions say
FAULTS = ("perfect", "narrow", "biased", "prior", "white")
# too alike by a third; off by half a standard deviation; no heed paid to the condition; the posterior's mean
# and white noise of its variance

Problem = Callable[[str, int], tuple[Tensor, Known]]  # a sampler and a seed -> its samples, and the truth


def pixels(values: Tensor) -> Tensor:
    """Numbers (..., 4), of mean 0 and about 1, as images (..., 1, 2, 2) uint8."""
    return (128 + SPREAD * values).round().clamp(0, 255).byte().unflatten(-1, (1, 2, 2))


def known(truth: Tensor, y: Tensor, bases: Tensor) -> Known:
    """With half of what the condition says as the expected image: a rough one."""
    expected = (128 + SPREAD * y / 2) / 255
    return Known(pixels(truth), expected.float(), torch.eye(NUM_PIXELS)[:2], bases)


def correlated(e: Tensor) -> Tensor:
    """Standard normal numbers (..., 4 + 1) that have half of their variance in common, (..., 4)."""
    return (e[..., :-1] + e[..., -1:]) / 2**0.5


def gaussian(sampler: str, seed: int, num: int = 200) -> tuple[Tensor, Known]:
    """y is normal, and x normal about it, pixels with half of their variance in common."""
    source = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=source)

    y, truth_noise = normal(num, NUM_PIXELS), correlated(normal(num, NUM_PIXELS + 1))
    e, white = correlated(normal(num, NUM_DRAWS, NUM_PIXELS + 1)), normal(num, NUM_DRAWS, NUM_PIXELS)
    other = normal(num, NUM_DRAWS, NUM_PIXELS)  # conditions that were not asked
    drawn = {
        "perfect": y[:, None] + e,
        "narrow": y[:, None] + e * 2 / 3,
        "biased": y[:, None] + e + 0.5,
        "prior": other + e,
        "white": y[:, None] + white,
    }[sampler]
    return pixels(drawn), known(y + truth_noise, y, torch.arange(num))


def tones(sampler: str, seed: int, num: int = 40) -> tuple[Tensor, Known]:
    """A drawing in six tones, all of them in the test split: six answers of equal probability, as many truths
    of one base.
    """
    source = torch.Generator().manual_seed(seed)
    y, six = torch.randn(num, NUM_PIXELS, generator=source), torch.linspace(-1.5, 1.5, 6)
    share = 0.5 + torch.rand(num, NUM_PIXELS, generator=source)  # how much of it is skin
    atoms = y[:, None] + six[:, None] * share[:, None]  # (num, 6, 4)
    of_base, which = (
        torch.arange(num).repeat_interleave(6),
        torch.randint(6, (6 * num, NUM_DRAWS), generator=source),
    )
    answers, mean, wrong = (
        atoms[of_base[:, None], which],
        y[of_base, None],
        torch.randperm(num, generator=source),
    )
    spread = (atoms - y[:, None]).square().mean(1).sqrt()[of_base, None]
    drawn = {
        "perfect": answers,
        "narrow": mean + (answers - mean) * 2 / 3,
        "biased": answers + spread / 2,
        "prior": atoms[
            wrong[(of_base[:, None] + torch.randint(num, which.shape, generator=source)) % num], which
        ],
        "white": mean + spread * torch.randn(answers.shape, generator=source),
    }[sampler]
    return pixels(drawn), known(atoms.flatten(0, 1), y[of_base], of_base)
