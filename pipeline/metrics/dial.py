"""The dial: what a flow's samples are like after so many steps, from the average (one step) to one plausible
answer (many). Euler's steps without guidance, whatever the model samples with otherwise.
"""

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.metrics import frechet, posterior, sharpness
from pipeline.metrics.reference import Reference
from pipeline.networks.flow import flow_of, sampling_with
from pipeline.sampling.draw import draw

STEPS = (1, 2, 4, 8, 16, 32)
NUM_DRAWS = 2  # of each condition
NUM_SHOWN = 3  # conditions


def measure(sampler: nn.Module, real: Reference) -> tuple[list[dict[str, float]], dict[str, np.ndarray]]:
    """Error and energy score of a sample, its FID and sharpness, by number of steps; and pictures.

    Of the first conditions of the test split, as many as the settings say, with two samples each.

    Returns:
        A row for each of STEPS; `dial` (STEPS, NUM_SHOWN, 3, H, W) uint8, from the same noise for all numbers
        of steps, of conditions evenly spread, with `dial_truth` and, where they are images, `dial_condition`.
    """
    task, settings, flow = real.task, real.settings, flow_of(sampler)
    assert flow is not None
    numbers = torch.arange(min(settings.num_dial_samples, len(real.pixels)))
    truth, rows, shown = real.pixels[: len(numbers)], list[dict[str, float]](), list[Tensor]()
    chosen = torch.arange(NUM_SHOWN) * len(numbers) // NUM_SHOWN
    for num_steps in STEPS:
        with sampling_with(flow, "euler", num_steps, guidance=1.0):
            drawn = draw(sampler, task.test.conditions, numbers, NUM_DRAWS, settings.seed)
        rows.append({
            "steps": num_steps,
            "sample_mse": posterior.errors(drawn, truth)["sample_mse"],
            "energy_score": posterior.energy_score(drawn, truth),
            "fid": frechet.fid(real.extractor.features(drawn[:, 0]), real.features),
            "gradient_energy": sharpness.relative(drawn[:, 0], truth),
            "apsd": posterior.spread(drawn),
        })  # fmt: skip
        shown.append(task.shown(drawn[chosen, 0]))
    found = {"dial": torch.stack(shown), "dial_truth": task.shown(truth[chosen])}
    if (c := task.test.images(chosen)[1]).ndim == 4:
        found["dial_condition"] = task.shown_conditions(c)
    return rows, {name: images.numpy() for name, images in found.items()}
