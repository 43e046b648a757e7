"""Variety against quality: how much of either a network has, the more its latents are truncated (Brock et al.
2019, arXiv:1809.11096).
"""

import torch
from torch import nn

from pipeline.metrics import classes, frechet, prdc
from pipeline.metrics.reference import Reference
from pipeline.networks.truncation import Truncated
from pipeline.sampling.draw import draw

SHARES = (1.0, 0.9, 0.8, 0.6, 0.4, 0.2)  # 1: none


def of_truncation(generator: nn.Module, real: Reference) -> list[dict[str, float]]:
    """FID, precision and recall of samples, by how far latents are truncated, and of classes how many are
    read as the one asked for.

    Of the first conditions of the test split, one sample each, against all of its images: so few samples make
    an FID larger, and a recall smaller, than those of as many as there are images.

    Args:
        generator: of a network that truncates: (z, c, truncation) -> x.

    Returns:
        A row for each of SHARES.
    """
    task, settings, rows = real.task, real.settings, []
    numbers = torch.arange(min(settings.num_dial_samples, len(real.pixels)))
    for share in SHARES:
        pixels = draw(Truncated(generator, share), task.test.conditions, numbers, 1, settings.seed)[:, 0]
        features, predicted = real.extractor.describe(pixels)
        found = prdc.prdc(features, real.features, settings.num_neighbours, real.arrays["radii"])
        row = {"truncation": share, "fid": frechet.fid(features, real.features)}
        row |= {name: found[name] for name in ("precision", "recall")}
        if task.kind == "class" and real.labels is not None and predicted is not None:
            row["conditional_accuracy"] = classes.accuracy(predicted, real.labels[numbers])
        rows.append(row)
    return rows
