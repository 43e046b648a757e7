"""Samples, and a flow's x-hat, against a posterior that is known exactly: finitely many images, those of the
test split that share a condition.

Errors are mean squares over pixels and channels in [0, 1], distances their roots.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.data.images import to_float
from pipeline.metrics import denoisers, posterior
from pipeline.metrics.reference import Reference
from pipeline.networks.flow import Flow, flow_of
from pipeline.runtime import compute, randomness
from pipeline.tasks.stored import Stored
from pipeline.tasks.task import Task

TIMES = (0.0, 0.25, 0.5, 0.75)  # at which x-hat is compared
NOISE = "noise of known answers"  # purpose of random numbers


def evaluate(sampler: nn.Module, drawn: Tensor, real: Reference) -> dict[str, object]:
    """What is known of the posteriors of all test conditions, and how far samples (N, M, C, H, W) uint8 and
    x-hat are from it.

    Returns:
        num_conditions, num_answers: how many are different, in all.
        variance: V, the least error of one answer; energy_score_least.
        denoiser: of a flow, rows of t and the squared distance to the exact x-hat, over V, of the network's
            x-hat, of the constant mean, and of the exact x-hat for answers in the training drawings' colours.
    """
    test, size = real.task.test, real.pixels[0].numel()
    groups = sharing(test)
    variance = energy = 0.0
    for rows in groups:
        points = real.pixels[rows].flatten(1).double() / 255
        v, least = denoisers.least_scores(points, torch.full((len(rows),), 1 / len(rows)).double())
        variance += v * len(rows) / size
        energy += least * len(rows) / math.sqrt(size)
    num = sum(map(len, groups))
    found: dict[str, object] = {
        "num_conditions": len(groups),
        "num_answers": len(torch.unique(real.pixels.flatten(1), dim=0)),
        "variance": variance / num,
        "energy_score_least": energy / num,
        "energy_score": posterior.energy_score(drawn, real.pixels),
    }
    if flow := flow_of(sampler):
        found["denoiser"] = of_denoiser(flow, groups, variance / num, real)
    return found


def sharing(examples: Stored) -> list[Tensor]:
    """The numbers of examples that share a condition, for each condition."""
    c = examples.images(torch.arange(len(examples)))[1].flatten(1).numpy()
    which = np.unique(c, axis=0, return_inverse=True)[1].ravel()
    return [torch.from_numpy(np.flatnonzero(which == k)) for k in range(which.max() + 1)]


@torch.inference_mode()
def of_denoiser(
    flow: Flow, groups: Sequence[Tensor], variance: float, real: Reference
) -> list[dict[str, float]]:
    """How far x-hat of x_t, made of each test image and its own noise, is from the exact one, by t."""
    test, device = real.task.test, compute.device_of(flow)
    colours, rows = tone_colours(real.task), []
    for t in TIMES:
        totals = dict.fromkeys(("network", "mean", "training_colours"), 0.0)
        for k, numbers in enumerate(groups):
            x, c = test.batch(numbers)
            noise = randomness.normal(len(x), x[0].numel(), real.settings.seed, NOISE, k)
            x_t = (1 - t) * noise + t * x.flatten(1)
            exact = denoisers.mixture(x_t, t, x.flatten(1))
            times = torch.full((len(x),), t, device=device)
            answers = {
                "network": flow.denoise(x_t.view_as(x).to(device), times, c.to(device)).cpu().flatten(1),
                "mean": x.flatten(1).mean(0).expand_as(exact),
                "training_colours": denoisers.mixture(x_t, t, painted(c[0], colours).flatten(1)),
            }
            for name, answer in answers.items():
                totals[name] += (answer - exact).double().square().sum().item() / 4  # of [0, 1]
        size = sum(map(len, groups)) * real.pixels[0].numel() * variance
        rows.append({"t": t} | {name: total / size for name, total in totals.items()})
    return rows


def tone_colours(task: Task) -> Tensor:
    """The mean colour of each tone where the training drawings' tones differ, (T, 3), in [-1, 1]."""
    train, tones = task.splits["train"], task.about("train", "tones")
    assert tones is not None
    x = to_float(train.arrays["images"])
    inside = train.arrays["differ"].bool()
    chosen = [torch.from_numpy(tones == tone) for tone in np.unique(tones)]
    return torch.stack([x[rows].permute(0, 2, 3, 1)[inside[rows]].mean(0) for rows in chosen])


def painted(c: Tensor, colours: Tensor) -> Tensor:
    """What is given of a condition (4, H, W), the rest in each of the colours (T, 3), (T, 3, H, W)."""
    return torch.where(c[3] > 0, colours[:, :, None, None], c[:3])
