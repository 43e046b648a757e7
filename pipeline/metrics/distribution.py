"""Is it the same distribution? Metrics of a task whose condition is a class at most."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.data.images import NUM_CLASSES
from pipeline.metrics import classes, frechet, memorisation, paths, prdc, sharpness, two_sample
from pipeline.metrics.entries import Entries, entries
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.sampling.draw import draw, interpolate

NUM_ROWS = 8  # of ten images: the sheet the report shows
NUM_PATHS, PATH_STEPS = 5, 10  # interpolations between latents


def evaluate(sampler: nn.Module, real: Reference) -> tuple[Entries, dict[str, np.ndarray], dict[str, object]]:
    """Metrics, what the report shows, and the accuracy by class, of one sample for the condition of each test
    image.
    """
    task, settings, num = real.task, real.settings, len(real.pixels)
    pixels = draw(sampler, task.test.conditions, torch.arange(num), 1, settings.seed)[:, 0]
    asked = real.labels if task.kind == "class" else None
    features, predicted = real.extractor.describe(pixels)
    found = measure(pixels, features, predicted, asked, real)
    if sampler.num_latents:
        found |= of_paths(sampler, real)
    more: dict[str, object] = {}
    if asked is not None:
        more["conditional_accuracy_by_class"] = classes.accuracy_by_class(predicted, asked)
    return found, {"pixels": pixels.numpy(), **show(sampler, real)}, more


def floors(pixels: Tensor, labels: Tensor | None, real: Reference) -> Entries:
    """The same of real images in the place of samples; paths are pixelwise cross-fades."""
    settings, extractor = real.settings, real.extractor
    features, predicted = extractor.describe(pixels)
    found = measure(pixels, features, predicted, labels, real)
    few = pixels[: settings.path_samples]
    fades = paths.of_cross_fades(few, extractor.of_images, settings.path_step, settings.seed)
    return found | entries(fades, 0, len(few))


def measure(
    pixels: Tensor, features: Tensor, predicted: Tensor, asked: Tensor | None, real: Reference
) -> Entries:
    """What is computed from images alone.

    Args:
        pixels: samples, (N, C, H, W) uint8.
        features: theirs, (N, D).
        predicted: the classes a classifier takes them for, (N,).
        asked: those they were asked for; None where there is no condition.
        real: what they are compared with.
    """
    settings, few = real.settings, real.settings.memorisation_samples
    num, num_real, train = len(pixels), len(real.pixels), real.task.splits["train"].arrays["images"]
    values = distances(features, real.features, settings)
    values |= prdc.prdc(features, real.features, settings.num_neighbours, real.arrays["radii"])
    values |= sharpness.ratios(pixels, real.pixels)
    if real.labels is not None:
        values["class_kl"] = classes.histogram_divergence(predicted, real.labels)
    if asked is not None:
        values |= of_classes(pixels, features, predicted, asked, real)
    copied = memorisation.ratio(pixels[:few], real.arrays["nearest"], train)
    told_apart = two_sample.accuracy(pixels, real.pixels, settings.two_sample_steps, settings.seed)
    both = min(num, num_real)
    return {
        **entries(values, num, num_real),
        **entries({"memorisation": copied}, min(few, num), len(real.arrays["nearest"])),
        **entries({"two_sample_accuracy": told_apart}, both, both),
    }


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
    train = real.task.splits["train"].arrays
    means = classes.means(pixels, asked)
    optimum = classes.means(train["images"], train["labels"].long())
    return {
        "conditional_accuracy": classes.accuracy(predicted, asked),
        "within_class_diversity": classes.diversity(features, asked, real.features, real.labels),
        "class_mean_error": classes.mean_error(means, classes.means(real.pixels, real.labels)),
        "optimum_error": classes.mean_error(means, optimum),
    }


def of_paths(sampler: nn.Module, real: Reference) -> Entries:
    """How evenly a generator's images change from latent to latent, with the first test conditions."""
    settings = real.settings
    c = real.task.test.conditions(torch.arange(min(settings.path_samples, len(real.pixels))))
    figures = paths.of_generator(sampler, real.extractor.of_images, c, settings.path_step, settings.seed)
    return entries(figures, len(c), 0)


def show(sampler: nn.Module, real: Reference) -> dict[str, np.ndarray]:
    """What the report shows: `sheet`, (8 x 10 images), class k in column k if there are classes, and `paths`
    between latents.
    """
    task, seed = real.task, real.settings.seed
    c = F.one_hot(torch.arange(NUM_CLASSES), NUM_CLASSES).float() if task.kind == "class" else task.blank(10)
    sheet = draw(sampler, c.__getitem__, torch.arange(10), NUM_ROWS, seed + 1)  # (10, 8, C, H, W)
    along = interpolate(sampler, c[:NUM_PATHS], PATH_STEPS, seed)
    return {"sheet": sheet.transpose(0, 1).flatten(0, 1).numpy(), "paths": along.numpy()}
