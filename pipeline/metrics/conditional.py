"""Are samples of a condition, an image or words, those of its posterior? Metrics and what a report shows."""

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.metrics import cfid, consistency, evidence, exact, posterior, reference, sharpness, tones
from pipeline.metrics.distribution import distances
from pipeline.metrics.entries import Entries, entries
from pipeline.metrics.reference import Reference
from pipeline.networks.network import num_inputs
from pipeline.sampling.draw import draw

NUM_BINS = 10  # of predicted standard deviations
NUM_SHOWN, DRAWS_SHOWN = 8, 4


def evaluate(sampler: nn.Module, real: Reference) -> tuple[Entries, dict[str, np.ndarray], dict[str, object]]:
    """The metrics of several samples of each test condition, what the report shows, and their number."""
    settings, task, numbers = real.settings, real.task, torch.arange(len(real.pixels))
    num_draws = (
        reference.num_draws(task, settings) if num_inputs(sampler) else 1
    )  # without latents all are one
    drawn = draw(sampler, task.test.conditions, numbers, num_draws, settings.seed)
    found, shown = measure(drawn, real), show(drawn, real)
    more: dict[str, object] = {"num_draws": num_draws}
    judged = evidence.evaluate(sampler, drawn, real)
    found |= entries(judged.values, drawn.shape[:2].numel(), len(drawn))
    shown, more = shown | judged.shown, more | {"evidence": judged.about}
    if "variants" in task.test.arrays:
        of_six, shown_six = of_tones(sampler, real)
        found, shown = found | of_six, shown | shown_six
    if task.facts.get("exact"):
        more["exact"] = exact.evaluate(sampler, drawn, real)
    return found, shown, more


def floors(pixels: Tensor, real: Reference) -> Entries:
    """FID and KID of real images in the place of samples."""
    values = distances(real.extractor.features(pixels), real.features, real.settings)
    return entries(values, len(pixels), len(real.pixels))


def measure(drawn: Tensor, real: Reference) -> Entries:
    """The metrics of samples (N, M, C, H, W) uint8 against the truth, by name."""
    truth, task, num_draws, first = real.pixels, real.task, drawn.shape[1], drawn[:, 0]
    c = task.test.images(torch.arange(len(truth)))[1]
    values = posterior.errors(drawn, truth)
    if num_draws > 1:
        values |= {f"gain_{num}": gain for num, gain in posterior.gains(drawn, truth).items()}
        values["rank_distance"] = posterior.rank_distance(posterior.ranks(drawn, truth, real.settings.seed))
        values["calibration"] = posterior.calibration(drawn, truth)
    values["apsd"] = posterior.spread(drawn)
    values["sample_distance"] = posterior.pair_distance(drawn)
    values["gradient_energy"] = sharpness.relative(first, truth)
    if "target_colours" in task.facts:
        values["pixel_accuracy"] = (first.argmax(1) == truth.argmax(1)).double().mean().item()
    else:
        values |= consistency.condition_error(task.condition, c, first)
    values |= of_features(first, c, real)
    return entries(values, len(drawn), len(truth))


def of_features(first: Tensor, c: Tensor, real: Reference) -> dict[str, float]:
    """What is taken in features, from one sample (N, C, H, W) of each condition."""
    features = real.extractor.features(first)
    values = distances(features, real.features, real.settings)
    if c.ndim == 4 and len(features) > features.shape[1] + 1:
        conditions = real.extractor.of_shown(real.task.shown_conditions(c))
        values["cfid"] = cfid.cfid(features, real.features, conditions)
    if (bases := real.task.about("test", "bases")) is not None:
        accuracy = consistency.matching_accuracy(features, real.features, torch.from_numpy(bases))
        values["matching_accuracy"] = accuracy
    return values


def of_tones(sampler: nn.Module, real: Reference) -> tuple[Entries, dict[str, np.ndarray]]:
    """The metrics of conditions whose six right answers are known, and what the report shows of one."""
    examples, settings = real.task.test, real.settings
    variants, skin = examples.arrays["variants"], examples.arrays["skin"].bool()  # (B, 6), (B, H, W)
    truth = real.pixels[variants]
    num_draws = settings.num_tone_draws if num_inputs(sampler) else 1
    drawn = draw(sampler, examples.conditions, variants[:, 0], num_draws, settings.seed)
    values = tones.score(drawn, truth, skin)
    values["z_sensitivity"] = posterior.pair_distance(drawn) / posterior.pair_distance(truth)
    i = int(skin.flatten(1).sum(1).argmax())  # the one with most skin
    shown = {
        "tone_condition": real.task.shown_conditions(examples.images(variants[i, :1])[1])[0],
        "tone_truth": truth[i],
        "tone_samples": drawn[i],
        "tone_colours": tones.skin_colours(drawn, skin)[i],
        "tone_true_colours": tones.skin_colours(truth, skin)[i],
    }
    found = entries(values, drawn.shape[:2].numel(), variants.numel())
    return found, {name: value.numpy() for name, value in shown.items()}


def show(drawn: Tensor, real: Reference) -> dict[str, np.ndarray]:
    """What the report shows of some conditions, evenly spread, and the curves of all."""
    num = min(NUM_SHOWN, len(drawn))
    chosen = torch.arange(num) * len(drawn) // num
    some, truth, c = drawn[chosen], real.pixels[chosen], real.task.test.images(chosen)[1]
    flat = real.task.shown(some[:, :DRAWS_SHOWN].flatten(0, 1))
    found = {
        "truth": real.task.shown(truth),
        "samples": flat.unflatten(0, (num, -1)),
        "sheet": flat,
        "sd": posterior.spread_maps(some),
        "ranks": posterior.ranks(drawn, real.pixels, real.settings.seed),
        **calibration_curve(drawn, real.pixels),
    }
    if c.ndim == 4:
        found["condition"] = real.task.shown_conditions(c)
    arrays = {name: value.numpy() for name, value in found.items()}
    captions = real.task.about("test", "captions")
    return arrays if captions is None else arrays | {"captions": captions[chosen.numpy()]}


def calibration_curve(drawn: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Root mean squares of predicted standard deviation and actual error of the samples' mean, (NUM_BINS,)
    float64, by tenths of the pixels in the order of the first.
    """
    predicted = posterior.spread_maps(drawn).double().flatten()
    error = posterior.squared_errors(drawn, truth).flatten()
    bins = predicted.argsort().tensor_split(NUM_BINS)
    return {
        "predicted_sd": torch.stack([predicted[part].square().mean().sqrt() for part in bins]),
        "actual_error": torch.stack([error[part].mean().sqrt() for part in bins]),
    }
