"""Is it the posterior? What M samples of each test condition say for and against.

`drawn` and what is known of the images are as in judged.py.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.metrics import bases as of_bases
from pipeline.metrics import conformal, functions, judged, posterior, proper_scores, spread, two_samples
from pipeline.metrics.features import FeatureExtractor
from pipeline.metrics.reference import Reference
from pipeline.runtime import randomness
from pipeline.sampling.draw import draw

NUM_TOLD, FEWEST_TOLD = 7, 8  # samples of a condition that are told from its truth; bases it takes
HELD = "held drawings"  # purpose of random numbers
NUM_HELD, NUM_HELD_DRAWS = 100, 8  # base drawings by which intervals are calibrated, and samples of each


class Calibration(NamedTuple):
    """Samples of conditions of the validation split that steered nothing, as `drawn` and `truth`."""

    drawn: Tensor
    truth: Tensor
    bases: Tensor


class Evidence(NamedTuple):
    values: dict[str, float]  # metrics
    about: dict[str, Any]  # curves, intervals and p-values, as JSON has them
    shown: dict[str, np.ndarray]  # for comparisons of models: each proper score by condition, and `bases`


def evaluate(sampler: nn.Module, drawn: Tensor, real: Reference) -> Evidence:
    """All tests of a sampler, of which these are samples (T, M, C, H, W) of the judged conditions; those of
    spread and of ranks where there is more than one.
    """
    facts, seed, about = judged.known(real), real.settings.seed, dict[str, Any]()
    by_condition = proper_scores.by_condition(drawn, facts.truth, seed)
    values = {name: found.mean().item() for name, found in by_condition.items()}
    if drawn.shape[1] > 1:
        about["gains"] = spread.gains(drawn, facts, seed)
        about["spread"] = spread.ratio(drawn, facts, seed)
        about["uniformity"] = functions.uniform(drawn, facts, seed)
        counts = posterior.rank_counts(drawn, facts.truth, seed)
        about["coverage"] = spread.coverage(counts[:, 0], facts.bases, seed)
        about["coverage_where_any_vary"] = spread.coverage(counts[:, 1], facts.bases, seed)
    about["told"] = of_two_samples(drawn, facts, real.extractor, seed)
    about["intervals"] = of_intervals(drawn, facts, held(sampler, real, drawn.shape[1]), seed)
    values |= {f"interval_{key}": about["intervals"][key] for key in ("coverage", "width")}
    shown = {name: found.numpy() for name, found in by_condition.items()} | {"bases": facts.bases.numpy()}
    return Evidence(values, about, shown)


def excess(about: Mapping[str, Any]) -> dict[str, list[float]]:
    """How many ranks of each function are below k = 1 .. L beyond what should be, in units of the band."""
    found = about["uniformity"]
    rows = zip(found["names"], found["deviation"], found["band"], strict=True)
    return {name: [y / most for y, most in zip(values, band, strict=True)] for name, values, band in rows}


def curves(about: Mapping[str, Any]) -> dict[str, list[tuple[int, float]]]:
    """What the report shows of several samples, as pairs: `excess` of each function over the rank, `coverage`
    over the level in percent, `gain` over P.
    """
    if "uniformity" not in about:
        return {}
    found = {f"excess {name}": list(enumerate(values, 1)) for name, values in excess(about).items()}
    found["coverage"] = [(round(100 * row["level"]), row["share"]) for row in about["coverage"]]
    return found | {"gain": [(row["num_draws"], row["gain"]) for row in about["gains"]]}


def held(sampler: nn.Module, real: Reference, num_draws: int) -> Calibration:
    """Samples of one picture of each base drawing, both chosen at random, in the half of the validation split
    that steers nothing.
    """
    task, seed, numbers = real.task, real.settings.seed, real.task.halves()[1]
    bases = task.about("validation", "bases")
    mixed = numbers[randomness.permutation(len(numbers), seed, HELD)].numpy()
    firsts = np.sort(np.unique(mixed if bases is None else bases[mixed], return_index=True)[1])
    chosen = torch.from_numpy(mixed[firsts[:NUM_HELD]])
    drawn = draw(sampler, task.validation.conditions, chosen, min(num_draws, NUM_HELD_DRAWS), seed)
    return Calibration(drawn, task.validation.images(chosen)[0], torch.arange(len(chosen)))


def of_two_samples(
    drawn: Tensor, known: judged.Known, extractor: FeatureExtractor, seed: int
) -> dict[str, Any]:
    """Both tests of two samples, of pixels and in features, with the expected image as what is known of the
    condition: `p_value` of the energy distance, and `share` told with its 95 % interval and `p_value`. None
    if there are too few bases.
    """
    if len(known.bases.unique()) < FEWEST_TOLD:
        return {}
    some = drawn[:, :NUM_TOLD]
    some = some if some.shape[1] % 2 else some[:, 1:]
    features = extractor.features(torch.cat([known.truth[:, None], some], 1).flatten(0, 1))
    features = features.unflatten(0, (-1, some.shape[1] + 1)).double()
    pixels = [each.double() / 255 for each in (known.truth.flatten(1), some.flatten(2))]
    spaces = {"pixels": pixels, "features": [features[:, 0], features[:, 1:]]}
    c, found = known.expected.double(), dict[str, Any]()
    for name, (x, g) in spaces.items():
        distance = two_samples.energy_distance(c, x, g, known.bases, seed)
        told = two_samples.classified(c, x, g, known.bases, seed)
        found[name] = {"energy_distance": distance[0], "p_value": distance[1], "classifier": told._asdict()}
    return found


def of_intervals(drawn: Tensor, known: judged.Known, held: Calibration, seed: int) -> dict[str, Any]:
    """Intervals that hold: `coverage` of the test images' pixels with its 95 % interval, mean `width`, their
    `multiple` of sd + c, and from how many bases that is. The `standard_error` of the coverage is over both:
    the test bases, and those that calibrated.
    """
    num_draws = held.drawn.shape[1]
    truths = [x.flatten(1).float() / 255 for x in (held.truth, known.truth)]
    of_held, of_test = (
        conformal.Intervals(
            *map(torch.cat, zip(*map(conformal.intervals, judged.rows(samples)), strict=True))
        )
        for samples in (held.drawn, drawn[:, :num_draws])
    )
    multiple = conformal.calibrated(of_held, truths[0], held.bases)
    inside = of_bases.means(1 - conformal.missed(of_test, truths[1], multiple), known.bases)  # of each base
    errors = [squared_error(each) for each in (inside, conformal.missed(of_held, truths[0], multiple))]
    resampled = of_bases.resampled_means(inside, torch.arange(len(inside)), seed)
    return {
        "coverage": inside.mean().item(),
        "interval": of_bases.interval(resampled),
        "standard_error": sum(errors) ** 0.5,
        "width": 2 * multiple * of_test.half.double().mean().item(),
        "multiple": multiple,
        "num_bases": len(held.bases),
        "num_draws": num_draws,
    }


def squared_error(values: Tensor) -> float:
    """The squared standard error of the mean of values (N,); 0 of one, as of none."""
    return (values.var() / len(values)).item() if len(values) > 1 else 0.0
