"""Functions of images by which calibration is tested; `drawn` as in judged.py."""

from typing import Any

import torch
from torch import Tensor

from pipeline.metrics import uniformity
from pipeline.metrics.judged import CHUNK, Known, rows
from pipeline.runtime import randomness

REFERENCES = "references"  # purpose of random numbers
TARP = "TARP"  # the function by this name


def values_of(images: Tensor, reference: Tensor, known: Known) -> dict[str, Tensor]:
    """What calibration is tested by, by name, (n, K): brightness, principal components, brightness of the
    skin where it is known, 0 where there is none, distances to the expected image and to a reference (n, C H
    W); of images (n, K, C H W).
    """
    found = {"brightness": images.mean(2)}
    for k, values in enumerate((images @ known.components.T).unbind(2), 1):
        found[f"component {k}"] = values
    if known.skin is not None:
        inside = known.skin.flatten(1).float().repeat(1, images.shape[2] // known.skin[0].numel())
        found["brightness of the skin"] = (images @ inside[..., None])[..., 0] / inside.sum(1, True).clamp(
            min=1
        )
    found["distance to the expected image"] = torch.cdist(images, known.expected[:, None])[..., 0]
    return found | {TARP: torch.cdist(images, reference[:, None])[..., 0]}


def uniform(drawn: Tensor, known: Known, seed: int) -> dict[str, Any]:
    """Simulation-based calibration of all functions: `names`, their `deviation` and `band`, and `p_value`."""
    found = ranks(drawn, known, seed)
    tested = uniformity.uniformity(torch.stack(list(found.values()), 1), drawn.shape[1], known.bases, seed)
    curves = {"deviation": tested.deviation.tolist(), "band": tested.band.tolist()}
    return {"names": list(found), "num_draws": drawn.shape[1], "p_value": tested.p_value} | curves


def ranks(drawn: Tensor, known: Known, seed: int) -> dict[str, Tensor]:
    """The ranks of all functions, (N,), by name."""
    truth = known.truth.flatten(1).float() / 255
    residual = (truth - known.expected).square().mean().sqrt()
    noise = randomness.normal(len(truth), truth.shape[1], seed, REFERENCES)
    reference, found = known.expected + residual * noise, dict[str, list[Tensor]]()
    for k, g in enumerate(rows(drawn)):
        part = slice(k * CHUNK, k * CHUNK + len(g))
        some = known._replace(
            expected=known.expected[part], skin=None if known.skin is None else known.skin[part]
        )
        images = torch.cat([truth[part, None], g], 1)
        for name, values in values_of(images, reference[part], some).items():
            found.setdefault(name, []).append(values)
    values = torch.stack([torch.cat(parts) for parts in found.values()], 2)
    return dict(zip(found, uniformity.ranks(values[:, 0], values[:, 1:], seed).unbind(1), strict=True))
