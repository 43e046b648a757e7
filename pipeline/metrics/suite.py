"""All metrics at once, each with the number of images it was taken from."""

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from pipeline.data.digits import Pictures
from pipeline.metrics import classes, frechet, memorisation, paths, sharpness, two_sample
from pipeline.metrics import prdc as manifold
from pipeline.metrics.entries import Entry, entries
from pipeline.metrics.features import EXTRACTORS, Described, Reader
from pipeline.metrics.reference import Reference
from pipeline.networks.classifier import Judge
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, PositiveFraction, Section, Seed, one_of


class Params(Section):
    features: Annotated[str, one_of(EXTRACTORS)]
    truncation: PositiveFraction  # of the latents, for the networks in TRUNCATING; 1: none
    num_samples: Count  # drawn, and as many real ones; at most the size of the validation and of the test set
    num_neighbours: Count  # k of precision, recall, density, coverage
    kid_subsets: Count
    kid_subset_size: Count
    memorisation_samples: Count  # of the drawn; each is compared with every training image
    two_sample_steps: Count  # of the training of the classifier that tells drawn from real
    path_samples: Count  # paths between latents
    path_step: PositiveFraction  # of a path: the step of the finite difference that gives its speed
    seed: Seed


def take(pictures: Pictures, params: Params, reader: Reader) -> Described:
    """The first `num_samples` pictures, described.

    Raises:
        InputError: there are not so many.
    """
    num = params.num_samples
    if num > len(pictures):
        raise InputError(
            f"evaluate.num_samples = {num}: the validation or test set has only {len(pictures)} images"
        )
    return reader.describe(pictures.pixels[:num], pictures.labels[:num])


def measure(drawn: Described, real: Reference, train: Pictures, params: Params) -> dict[str, Entry]:
    """All metrics of the drawn images against the real ones, by name.

    Args:
        drawn: what is judged; without labels, the metrics of conditional models are left out.
        real: held-out images, and what was taken of them.
        train: what the models were trained on, for `memorisation` and `optimum_error`.
        params: settings.
    """
    num_drawn, num_real = len(drawn.pixels), len(real.pixels)
    values = distances(drawn.features, real, params)
    values |= sharpness.ratios(drawn.pixels, real.pixels)
    values["class_kl"] = classes.histogram_divergence(drawn.read, real.labels)
    if drawn.labels is not None:
        values |= of_classes(drawn, drawn.labels, real, train)
    few = params.memorisation_samples
    copied = memorisation.ratio(drawn.pixels[:few], real.nearest, train.pixels)
    told = two_sample.accuracy(drawn.pixels, real.pixels, params.two_sample_steps, params.seed)
    both = min(num_drawn, num_real)
    return {
        **entries(values, num_drawn, num_real),
        **entries({"memorisation": copied}, min(few, num_drawn), len(real.nearest)),
        **entries({"two_sample_accuracy": told}, both, both),
    }


def distances(drawn: Tensor, real: Reference, params: Params) -> dict[str, float]:
    """What is computed from features alone, drawn ones (N, D) and real ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)  # KID draws its subsets from torch's global source
        kid = frechet.kid(drawn, real.features, params.kid_subsets, params.kid_subset_size)
    values = {"fid": frechet.fid(drawn, real.features), "kid": kid}
    return values | manifold.prdc(drawn, real.features, params.num_neighbours, real.radii)


def of_classes(drawn: Described, asked: Tensor, real: Reference, train: Pictures) -> dict[str, float]:
    """What only a model that was asked for a class can be measured by."""
    means = classes.means(drawn.pixels, asked)
    return {
        "conditional_accuracy": classes.accuracy(drawn.read, asked),
        "within_class_diversity": classes.diversity(drawn.features, asked, real.features, real.labels),
        "class_mean_error": classes.mean_error(means, classes.means(real.pixels, real.labels)),
        "optimum_error": classes.mean_error(means, classes.means(train.pixels, train.labels)),
    }


def of_paths(
    generator: nn.Module, c: Tensor, widths: tuple[int, int], judge: Judge, params: Params
) -> dict[str, Entry]:
    """How evenly a generator's images change from latent to latent, on paths with the first conditions in c.

    Args:
        generator: (z, c) -> images.
        c: conditions, (N, K).
        widths: (Z, num_noise) of the latents; without latents there are no paths, and no metrics of them.
        judge: in whose features.
        params: settings.
    """
    if widths[0] == 0:
        return {}
    few = c[: params.path_samples]
    figures = paths.of_generator(generator, judge.features, few, widths, params.path_step, params.seed)
    return entries(figures, len(few), 0)


def of_cross_fades(real: Described, judge: Judge, params: Params) -> dict[str, Entry]:
    """The same of real images that fade into one another, in place of a noise floor."""
    few = real.pixels[: params.path_samples]
    return entries(paths.of_cross_fades(few, judge.features, params.path_step, params.seed), 0, len(few))


def origin(params: Params, reader: Reader) -> dict[str, Any]:
    """What a reference of real images was taken with, and is loaded for."""
    return {"evaluate": params.model_dump(), "extractor": reader.extractor.identity}


def context(model: str, params: Params, reader: Reader) -> dict[str, Any]:
    """What a metrics file says beside its metrics: whose they are, on which split, in which features, from
    which seed.
    """
    return {"model": model, "split": "test", "seed": params.seed, "extractor": reader.extractor.identity}
