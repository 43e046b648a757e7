"""Answers to one question: samples, their mean and spread, the way between two, and the truth where it is
known.

Shape letters: M samples, T truths, C H W image. All M are one batch, on one thread, here and in
`stages.sample`: with another batch pixels would differ by rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.metrics import tones
from pipeline.networks.flow import flow_of, sampling_with
from pipeline.play.asked import Asked
from pipeline.runtime.errors import InputError
from pipeline.sampling.draw import LATENTS, draw, generate, latents, slerp
from pipeline.tasks.task import Task

NUM_SAMPLES = 16
NUM_FRAMES = 17  # of a walk
NUM_REAL = 6  # examples of a class
WHITE = 0.25  # the standard deviation, of values in [0, 1], that is shown white


class Truth(NamedTuple):
    images: Tensor  # (T, C, H, W) uint8; T = 0: unknown
    skin: Tensor | None  # (H, W) bool, where these are all right answers, told apart by the colour there


@contextmanager
def stepping(sampler: nn.Module, num_steps: int | None) -> Iterator[None]:
    """A flow in so many of Euler's steps without guidance, as the report's dial; None: as it was trained."""
    flow = flow_of(sampler)
    if num_steps is None:
        yield
    elif flow is None:
        raise InputError("num_steps: only a flow takes steps")
    else:
        with sampling_with(flow, "euler", num_steps, guidance=1.0):
            yield


def samples(sampler: nn.Module, c: Tensor, num: int, seed: int, num_steps: int | None) -> Tensor:
    """(M, C, H, W) uint8, for an encoded condition (1, ...)."""
    with stepping(sampler, num_steps):
        return draw(sampler, lambda _: c, torch.zeros(1, dtype=torch.long), num, seed)[0]


def walk(sampler: nn.Module, c: Tensor, seed: int, towards: int, num_steps: int | None) -> Tensor:
    """The arc between the latents of two seeds, (NUM_FRAMES, C, H, W) uint8; the noise of layers that have
    some stays that of the first.
    """
    num = int(sampler.num_latents)  # type: ignore[arg-type]
    if not num:
        raise InputError("towards: a regression network has no latents to walk between")
    start, end = (latents(sampler, 1, each, LATENTS) for each in (seed, towards))
    a = torch.linspace(0, 1, NUM_FRAMES)[:, None]
    arc = slerp(start[:, :num].expand(NUM_FRAMES, -1), end[:, :num].expand(NUM_FRAMES, -1), a)
    with stepping(sampler, num_steps):
        return generate(sampler, torch.cat([arc, start[:, num:].expand(NUM_FRAMES, -1)], 1), c)


def mean(images: Tensor) -> Tensor:
    """The mean of (M, C, H, W) uint8, (1, C, H, W) uint8."""
    return images.float().mean(0, keepdim=True).round().to(torch.uint8)


def deviation(images: Tensor) -> tuple[Tensor, float]:
    """The samples' standard deviation at each pixel, the root mean square over channels: as a grey image
    (1, 1, H, W) uint8, and over all pixels, of values in [0, 1].
    """
    variance = (images.double() / 255).var(0, correction=0).mean(0)
    shown = (variance.sqrt() / WHITE).clamp(max=1).mul(255).round().to(torch.uint8)
    return shown[None, None], variance.mean().sqrt().item()


def truth(asked: Asked, task: Task) -> Truth:
    """All right answers, where the task knows them; else the one that was, or a few images of the class."""
    arrays, chosen, skin = task.test.arrays, torch.empty(0, dtype=torch.long), None
    if asked.condition is not None:
        chosen = torch.tensor([asked.condition])
        variants = arrays.get("variants", torch.empty(0, 6))
        for base in (variants == asked.condition).any(1).nonzero()[:, 0]:
            chosen, skin = variants[base], arrays["skin"][base].bool()
    elif asked.label is not None:
        chosen = (arrays["labels"] == asked.label).nonzero()[:NUM_REAL, 0]
    if not len(chosen):
        return Truth(torch.empty(0, *task.x_shape, dtype=torch.uint8), None)
    return Truth(task.test.images(chosen)[0], skin)


def hits(images: Tensor, known: Truth) -> list[int] | None:
    """Which of all right answers each sample hits, -1 for none; None where they are not known."""
    if known.skin is None:
        return None
    colours = [tones.skin_colours(each[None], known.skin[None]) for each in (images, known.images)]
    return [int(each) for each in tones.hits(*colours)[0]]
