"""All metrics of pictures that were drawn for a condition each, with the number of pictures each was taken
from.
"""

from typing import Any

import torch
from torch import Tensor

from pipeline.data.drawings import Drawings
from pipeline.data.openmoji import KINDS
from pipeline.metrics import conditional, frechet, posterior, sharpness, tones
from pipeline.metrics import consistency as agreement
from pipeline.metrics.entries import Entry, entries
from pipeline.metrics.image_features import Watcher
from pipeline.runtime.params import Count, Section, Seed
from pipeline.tasks.drawings import Pairs, visible

NUM_BINS = 10  # of predicted standard deviations
SKIN = KINDS.index("skin")


class Params(Section):
    num_draws: Count  # M: of each condition
    num_tone_draws: Count  # of each drawing whose six tones are known
    kid_subsets: Count
    kid_subset_size: Count
    seed: Seed


def measure(
    drawn: Tensor, pairs: Pairs, drawings: Drawings, task: str, watcher: Watcher, params: Params
) -> dict[str, Entry]:
    """The metrics of samples against the truth, by name.

    Args:
        drawn: (N, M, C, H, W) uint8, for each of the pairs.
        pairs: conditions and true pictures of the task.
        drawings: what the pairs were made of.
        task: its name.
        watcher: in whose features distributions are compared.
        params: settings.
    """
    truth, num_draws = pairs.pictures, drawn.shape[1]
    first = drawn[:, 0]
    values = posterior.errors(drawn, truth)
    if num_draws > 1:
        values |= {f"gain_{num}": gain for num, gain in posterior.gains(drawn, truth).items()}
        values["rank_distance"] = posterior.rank_distance(posterior.ranks(drawn, truth, params.seed))
        values["calibration"] = posterior.calibration(drawn, truth)
    values["apsd"] = posterior.spread(drawn)
    values["sample_distance"] = posterior.pair_distance(drawn)
    values["gradient_energy"] = sharpness.gradient_energy(first) / sharpness.gradient_energy(truth)
    if task == "segment":
        values["pixel_accuracy"] = (first.argmax(1) == truth.argmax(1)).double().mean().item()
    else:
        values |= agreement.disagreement(task, pairs.conditions, first)
    values |= of_features(first, pairs, drawings, watcher, params)
    return entries(values, len(drawn), len(truth))


def of_features(
    first: Tensor, pairs: Pairs, drawings: Drawings, watcher: Watcher, params: Params
) -> dict[str, float]:
    """What is taken in the observer's features, from one sample (N, C, H, W) of each condition."""
    seen, real = watcher.features(visible(first)), watcher.features(visible(pairs.pictures))
    values = distances(seen, real, params)
    if pairs.conditions.ndim == 4 and len(real) > real.shape[1] + 1:
        values["cfid"] = conditional.cfid(seen, real, watcher.features(visible(pairs.conditions)))
    values["recognition"] = agreement.recognition(seen, real, drawings.bases[pairs.rows])
    return values


def distances(drawn: Tensor, real: Tensor, params: Params) -> dict[str, float]:
    """FID and KID of features (N, D)."""
    size = min(params.kid_subset_size, len(drawn), len(real))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)  # KID draws its subsets from torch's global source
        kid = frechet.kid(drawn, real, params.kid_subsets, size)
    return {"fid": frechet.fid(drawn, real), "kid": kid}


def of_tones(drawn: Tensor, six: Tensor, mask: Tensor) -> dict[str, Entry]:
    """The metrics of drawings whose six right answers are known.

    Args:
        drawn: samples (B, k, 3, H, W) uint8.
        six: the drawing in its tones, (B, 6, 3, H, W) uint8.
        mask: where its skin is, (B, H, W) bool.
    """
    values = tones.score(drawn, six, mask)
    values["z_sensitivity"] = posterior.pair_distance(drawn) / posterior.pair_distance(six)
    return entries(values, drawn.shape[0] * drawn.shape[1], six.shape[0] * six.shape[1])


def calibration_curve(drawn: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """By tenths of the pixels, in the order of the standard deviation that samples predict: its root mean
    square, and that of the actual error of their mean; both (NUM_BINS,) float64.
    """
    predicted = posterior.spread_maps(drawn).double().flatten()
    error = posterior.squared_errors(drawn, truth).flatten()
    order = predicted.argsort()
    bins = [order[part] for part in torch.arange(len(order)).tensor_split(NUM_BINS)]
    return {
        "predicted_sd": torch.stack([predicted[part].square().mean().sqrt() for part in bins]),
        "actual_error": torch.stack([error[part].mean().sqrt() for part in bins]),
    }


def context(model: str, task: str, params: Params, watcher: Watcher) -> dict[str, Any]:
    """What a metrics file says beside its metrics."""
    return {
        "model": model,
        "task": task,
        "split": "test",
        "seed": params.seed,
        "extractor": watcher.identity,
    }
