"""Is it the same distribution? Metrics of a task whose condition is a class at most."""

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.metrics import (
    classes,
    evidence,
    frechet,
    memorisation,
    paths,
    posterior,
    prdc,
    sharpness,
    two_sample,
)
from pipeline.metrics.entries import Entries, entries
from pipeline.metrics.evidence import Evidence
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.networks.flow import flow_of, sampling_with
from pipeline.networks.network import num_inputs
from pipeline.sampling.draw import draw, interpolate

NUM_ROWS, NUM_COLUMNS = 8, 10  # the sheet that the report shows
NUM_PATHS, PATH_STEPS = 5, 10  # interpolations between latents


def evaluate(sampler: nn.Module, real: Reference) -> tuple[Entries, dict[str, np.ndarray], dict[str, object]]:
    """Metrics of a sample for each test image's condition, what the report shows, and accuracy by class."""
    task, numbers = real.task, torch.arange(len(real.pixels))
    pixels = draw(sampler, task.test.conditions, numbers, 1, real.settings.seed)[:, 0]
    judging: dict[str, np.ndarray] = {}
    found, more = measure(pixels, real.labels if task.kind == "class" else None, real)
    if task.kind == "class":  # each sample is of its test image's class
        error = posterior.mse_of_means(pixels[:, None], real.pixels, 1)
        found |= entries({"sample_mse": error}, len(pixels), len(pixels))
        judged, num_judged = of_posteriors(sampler, pixels, real)
        found |= entries(judged.values, *num_judged)
        more, judging = more | {"evidence": judged.about}, judged.shown
    if sampler.num_latents:
        found |= of_paths(sampler, real)
    return found, {"pixels": pixels.numpy(), **show(sampler, real), **judging}, more


def of_posteriors(sampler: nn.Module, pixels: Tensor, real: Reference) -> tuple[Evidence, tuple[int, int]]:
    """What speaks for samples (N, C, H, W), one a test image's class, being of posteriors; how many samples
    that is of, for how many images. A guided flow's are drawn again without guidance, which bends them.
    """
    groups = real.judged if num_inputs(sampler) else real.judged[:, :1]
    counts, flow = (groups.numel(), len(groups)), flow_of(sampler)
    if flow is None or flow.guidance == 1:
        return evidence.evaluate(sampler, pixels[groups], real), counts
    with sampling_with(flow, flow.solver, flow.num_steps, 1.0, flow.spacing):
        again = draw(sampler, real.task.test.conditions, groups.flatten(), 1, real.settings.seed)
        return evidence.evaluate(sampler, again[:, 0].unflatten(0, groups.shape), real), counts


def floors(pixels: Tensor, labels: Tensor | None, real: Reference) -> Entries:
    """The same of real images in the place of samples; paths are pixelwise cross-fades."""
    settings, few = real.settings, pixels[: real.settings.path_samples]
    fades = paths.of_cross_fades(few, real.extractor.of_images, settings.path_step, settings.seed)
    return measure(pixels, labels, real)[0] | entries(fades, 0, len(few))


def measure(pixels: Tensor, asked: Tensor | None, real: Reference) -> tuple[Entries, dict[str, object]]:
    """What is computed of samples (N, C, H, W) uint8 alone, and the accuracy by class.

    `asked` are the classes they were asked for, (N,); None where there is no condition.
    """
    settings, few = real.settings, real.settings.memorisation_samples
    num, num_real, train = len(pixels), len(real.pixels), real.task.splits["train"].arrays["images"]
    features, predicted = real.extractor.describe(pixels)
    values = distances(features, real.features, settings)
    values |= prdc.prdc(features, real.features, settings.num_neighbours, real.arrays["radii"])
    values |= sharpness.ratios(pixels, real.pixels)
    more: dict[str, object] = {}
    if real.labels is not None and predicted is not None:
        values["class_kl"] = classes.histogram_divergence(predicted, real.labels)
    if asked is not None and predicted is not None:
        values |= of_classes(pixels, features, predicted, asked, real)
        more["conditional_accuracy_by_class"] = classes.accuracy_by_class(
            predicted, asked, real.task.num_conditions
        )
    copied = memorisation.ratio(pixels[:few], real.arrays["nearest"], train)
    told_apart = two_sample.accuracy(pixels, real.pixels, settings.two_sample_steps, settings.seed)
    both = min(num, num_real)
    found = entries(values, num, num_real)
    found |= entries({"memorisation": copied}, min(few, num), len(real.arrays["nearest"]))
    return found | entries({"two_sample_accuracy": told_apart}, both, both), more


def distances(drawn: Tensor, real: Tensor, settings: Settings) -> dict[str, float]:
    """FID and KID of features (N, D) and (M, D)."""
    size = min(settings.kid_subset_size, len(drawn) // 2, len(real) // 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)  # KID draws its subsets from torch's global source
        kid = frechet.kid(drawn, real, settings.kid_subsets, size)
    return {"fid": frechet.fid(drawn, real), "kid": kid}


def of_classes(
    pixels: Tensor, features: Tensor, predicted: Tensor, asked: Tensor, real: Reference
) -> dict[str, float]:
    """What only a model that was asked for a class can be measured by."""
    assert real.labels is not None
    train, num = real.task.splits["train"].arrays, real.task.num_conditions
    means = classes.means(pixels, asked, num)
    optimum = classes.means(train["images"], train["labels"].long(), num)
    return {
        "conditional_accuracy": classes.accuracy(predicted, asked),
        "within_class_diversity": classes.diversity(features, asked, real.features, real.labels),
        "class_mean_error": classes.mean_error(means, classes.means(real.pixels, real.labels, num)),
        "optimum_error": classes.mean_error(means, optimum),
    }


def of_paths(sampler: nn.Module, real: Reference) -> Entries:
    """How evenly a generator's images change from latent to latent, with the first test conditions."""
    settings = real.settings
    c = real.task.test.conditions(torch.arange(min(settings.path_samples, len(real.pixels))))
    figures = paths.of_generator(sampler, real.extractor.of_images, c, settings.path_step, settings.seed)
    return entries(figures, len(c), 0)


def show(sampler: nn.Module, real: Reference) -> dict[str, np.ndarray]:
    """For the report: `sheet`, 8 x 10 images, of classes one a column, and `paths` between latents."""
    task, seed = real.task, real.settings.seed
    c = task.blank(NUM_COLUMNS)
    if task.kind == "class":
        c = torch.eye(task.num_conditions)[torch.arange(NUM_COLUMNS) % task.num_conditions]
    sheet = draw(sampler, c.__getitem__, torch.arange(len(c)), NUM_ROWS, seed + 1)  # (10, 8, C, H, W)
    along = interpolate(sampler, c[:NUM_PATHS], PATH_STEPS, seed)
    return {"sheet": sheet.transpose(0, 1).flatten(0, 1).numpy(), "paths": along.numpy()}
