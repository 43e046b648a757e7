"""Is it the posterior? What M samples of each test condition say for and against.

`drawn` is (N, M, C, H, W) uint8, `truth` (N, C, H, W) uint8; `bases` (N,) are equal where pictures are of one
base drawing. Errors and scores are of pixels scaled to [0, 1].
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.metrics import bases as of_bases
from pipeline.metrics import conformal, posterior, scores, two_samples, uniformity
from pipeline.metrics.features import FeatureExtractor
from pipeline.metrics.reference import Reference
from pipeline.runtime import randomness
from pipeline.sampling.draw import draw

LEVELS = (0.5, 0.8, 0.9, 0.95)  # of intervals from one sample to another
NUM_PAIRS = 1000  # of pixels, for the variogram score
NUM_TOLD, FEWEST_TOLD = 7, 8  # samples of a condition that are told from its truth; bases it takes
PATCH = 4  # pixels a side
PAIRS, REFERENCES, HELD = "pairs of pixels", "references", "held drawings"  # purposes of random numbers
CHUNK = 16  # conditions at once
TARP = "TARP"  # the function by this name
NUM_HELD, NUM_HELD_DRAWS = 100, 8  # base drawings by which intervals are calibrated, and samples of each


class Known(NamedTuple):
    """What is known of the test images without any model."""

    truth: Tensor
    expected: Tensor  # (N, C H W) float32 in [0, 1], see expected.py
    components: Tensor  # (F, C H W)
    bases: Tensor
    skin: Tensor | None = None  # (N, H, W) bool, of drawings in six tones


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
    facts, seed, about = known(real), real.settings.seed, dict[str, Any]()
    by_condition = of_scores(drawn, facts.truth, seed)
    values = {name: found.mean().item() for name, found in by_condition.items()}
    if drawn.shape[1] > 1:
        about["gains"] = of_gains(drawn, facts, seed)
        about["spread"] = of_spread(drawn, facts, seed)
        about["uniformity"] = of_functions(drawn, facts, seed)
        counts = posterior.rank_counts(drawn, facts.truth, seed)
        about["coverage"] = of_coverage(counts[:, 0], facts.bases, seed)
        about["coverage_where_any_vary"] = of_coverage(counts[:, 1], facts.bases, seed)
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


def known(real: Reference) -> Known:
    """The judged test images."""
    chosen, bases = real.judged[:, 0], real.task.about("test", "bases")
    numbers = chosen if bases is None else torch.from_numpy(bases)[chosen]
    skin, arrays = None, real.task.test.arrays
    if "variants" in arrays:
        skin = torch.zeros(len(chosen), *real.pixels.shape[2:], dtype=torch.bool)
        skin[arrays["variants"]] = arrays["skin"].bool()[:, None]
    return Known(real.pixels[chosen], real.arrays["expected"], real.arrays["components"], numbers, skin)


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


def rows(drawn: Tensor) -> Iterator[Tensor]:
    """A few conditions' samples at a time, (CHUNK, M, C H W) float32 in [0, 1]."""
    for part in drawn.split(CHUNK):
        yield part.flatten(2).float() / 255


def of_scores(drawn: Tensor, truth: Tensor, seed: int) -> dict[str, Tensor]:
    """Each proper score by condition, (N,) float64; the energy score of whole images and of patches."""
    size = truth[0].numel()
    pairs = torch.randint(size, (NUM_PAIRS, 2), generator=randomness.generator(seed, PAIRS))
    found: dict[str, list[Tensor]] = {}
    for g, x in zip(drawn.split(CHUNK), truth.split(CHUNK), strict=True):
        g, x = g.float() / 255, x.float() / 255
        of_patches = scores.energy(patches(g), patches(x[:, None])[:, 0])
        for name, part in {
            "crps": scores.crps(g.flatten(2), x.flatten(1)),
            "energy_score": scores.energy(g.flatten(2), x.flatten(1)),
            "patch_energy_score": of_patches.view(len(x), -1).mean(1),
            "variogram_score": scores.variogram(g.flatten(2), x.flatten(1), pairs),
        }.items():
            found.setdefault(name, []).append(part.double())
    return {name: torch.cat(parts) for name, parts in found.items()}


def patches(images: Tensor) -> Tensor:
    """Images (n, M, C, H, W) in squares of PATCH pixels a side, (n squares, M, C PATCH PATCH)."""
    squares = images.unfold(3, PATCH, PATCH).unfold(4, PATCH, PATCH)  # (n, M, C, rows, columns, PATCH, PATCH)
    return squares.permute(0, 3, 4, 1, 2, 5, 6).flatten(4).flatten(0, 2)


def of_gains(drawn: Tensor, known: Known, seed: int) -> list[dict[str, Any]]:
    """What the mean of P samples gains in PSNR over one, in dB, with its 95 % interval: rows by P."""
    counts = [num for num in (1, *posterior.NUM_DRAWS) if num <= drawn.shape[1]]
    errors = torch.stack([posterior.errors_of_means(drawn, known.truth, num) for num in counts], 1)
    gains, resampled = (
        10 * (means[..., :1] / means).log10()
        for means in (errors.mean(0), of_bases.resampled_means(errors, known.bases, seed))
    )
    return [
        {"num_draws": num, "gain": gains[i].item(), "interval": of_bases.interval(resampled[:, i])}
        for i, num in enumerate(counts)
        if i
    ]


def of_spread(drawn: Tensor, known: Known, seed: int) -> dict[str, Any]:
    """The samples' standard deviation over that which the errors of their mean say, `ratio`, with its 95 %
    interval: 1 for samples of the posterior, 2/3 for samples too alike by a third.
    """
    num_draws = drawn.shape[1]
    spread = torch.cat([variance.flatten(1).mean(1) for variance in posterior.variances(drawn)])
    error = posterior.errors_of_means(drawn, known.truth, num_draws)
    both = torch.stack([(1 + 1 / num_draws) * spread, error], 1)
    ratio, resampled = (
        (means[..., 0] / means[..., 1]).sqrt()
        for means in (both.mean(0), of_bases.resampled_means(both, known.bases, seed))
    )
    return {"ratio": ratio.item(), "interval": of_bases.interval(resampled)}


def functions(images: Tensor, reference: Tensor, known: Known) -> dict[str, Tensor]:
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


def of_functions(drawn: Tensor, known: Known, seed: int) -> dict[str, Any]:
    """Simulation-based calibration of all functions: `names`, their `deviation` and `band`, and `p_value`."""
    ranks = of_ranks(drawn, known, seed)
    found = uniformity.uniformity(torch.stack(list(ranks.values()), 1), drawn.shape[1], known.bases, seed)
    curves = {"deviation": found.deviation.tolist(), "band": found.band.tolist()}
    return {"names": list(ranks), "num_draws": drawn.shape[1], "p_value": found.p_value} | curves


def of_ranks(drawn: Tensor, known: Known, seed: int) -> dict[str, Tensor]:
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
        for name, values in functions(images, reference[part], some).items():
            found.setdefault(name, []).append(values)
    values = torch.stack([torch.cat(parts) for parts in found.values()], 2)
    return dict(zip(found, uniformity.ranks(values[:, 0], values[:, 1:], seed).unbind(1), strict=True))


def of_coverage(counts: Tensor, bases: Tensor, seed: int) -> list[dict[str, Any]]:
    """How much of what is ranked, counts (N, M + 1) by rank, lies between the k-th smallest and the k-th
    largest sample, for the k that come next to LEVELS: rows of k, `level`, `share` and its 95 % interval.
    """
    num, found = counts.shape[1] - 1, list[dict[str, Any]]()
    for k in sorted({max(1, round((1 - level) * (num + 1) / 2)) for level in LEVELS}, reverse=True):
        both = torch.stack([counts[:, k : num + 1 - k].sum(1), counts.sum(1)], 1).double()
        resampled = of_bases.resampled_means(both, bases, seed)
        share = both[:, 0].sum() / both[:, 1].sum()
        interval = of_bases.interval(resampled[:, 0] / resampled[:, 1])
        found.append(
            {"k": k, "level": (num + 1 - 2 * k) / (num + 1), "share": share.item(), "interval": interval}
        )
    return found


def of_two_samples(drawn: Tensor, known: Known, extractor: FeatureExtractor, seed: int) -> dict[str, Any]:
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


def of_intervals(drawn: Tensor, known: Known, held: Calibration, seed: int) -> dict[str, Any]:
    """Intervals that hold: `coverage` of the test images' pixels with its 95 % interval, mean `width`, their
    `multiple` of sd + c, and from how many bases that is. The `standard_error` of the coverage is over both:
    the test bases, and those that calibrated.
    """
    num_draws = held.drawn.shape[1]
    truths = [x.flatten(1).float() / 255 for x in (held.truth, known.truth)]
    of_held, of_test = (
        conformal.Intervals(*map(torch.cat, zip(*map(conformal.intervals, rows(samples)), strict=True)))
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
