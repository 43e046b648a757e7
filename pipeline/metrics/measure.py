"""All metrics at once, each with the number of images it was taken from and, beside it, its noise floor."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch

from pipeline.digits import Pictures
from pipeline.errors import InputError
from pipeline.metrics import classes, frechet, manifold, memorisation, sharpness
from pipeline.metrics.features import EXTRACTORS, Described, Reader
from pipeline.params import Count, Section, Seed, one_of

Entry = dict[str, float]  # value, num_samples, num_real and, once known, floor


class Params(Section):
    features: Annotated[str, one_of(EXTRACTORS)]
    num_samples: Count  # drawn, and as many real ones; at most the size of the validation and of the test set
    num_neighbours: Count  # k of precision, recall, density, coverage
    kid_subsets: Count
    kid_subset_size: Count
    memorisation_samples: Count  # of the drawn; each is compared with every training image
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


def measure(drawn: Described, real: Described, train: Pictures, params: Params) -> dict[str, Entry]:
    """All metrics of the drawn images against the real ones, by name.

    Args:
        drawn: what is judged; without labels, the metrics of conditional models are left out.
        real: held-out images with their true classes.
        train: what the models were trained on, for `memorisation` and `optimum_error`.
        params: settings.
    """
    assert real.labels is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)  # KID draws its subsets from torch's global source
        kid = frechet.kid(drawn.features, real.features, params.kid_subsets, params.kid_subset_size)
    values = {"fid": frechet.fid(drawn.features, real.features), "kid": kid}
    values |= manifold.prdc(drawn.features, real.features, params.num_neighbours)
    values |= sharpness.ratios(drawn.pixels, real.pixels)
    values["class_kl"] = classes.histogram_divergence(drawn.read, real.labels)
    if drawn.labels is not None:
        values["conditional_accuracy"] = classes.accuracy(drawn.read, drawn.labels)
        values["within_class_diversity"] = classes.diversity(
            drawn.features, drawn.labels, real.features, real.labels
        )
        means = classes.means(drawn.pixels, drawn.labels)
        values["class_mean_error"] = classes.mean_error(means, classes.means(real.pixels, real.labels))
        values["optimum_error"] = classes.mean_error(means, classes.means(train.pixels, train.labels))
    few = params.memorisation_samples
    ratio = memorisation.ratio(drawn.pixels[:few], real.pixels[:few], train.pixels)
    num_drawn, num_real = len(drawn.pixels), len(real.pixels)
    entries: dict[str, Entry] = {
        name: {"value": value, "num_samples": num_drawn, "num_real": num_real}
        for name, value in values.items()
    }
    return entries | {
        "memorisation": {"value": ratio, "num_samples": min(few, num_drawn), "num_real": min(few, num_real)}
    }


def context(model: str, params: Params, reader: Reader) -> dict[str, Any]:
    """What a metrics file says beside its metrics: whose they are, on which split, in which features, from
    which seed.
    """
    return {"model": model, "split": "test", "seed": params.seed, "extractor": reader.extractor.identity}


def read_floors(path: Path) -> dict[str, float]:
    """The value of each metric between two sets of real images, from the file that stage `evaluate_real`
    writes.

    Raises:
        InputError: the file is not that.
    """
    try:
        return {
            name: float(entry["value"]) for name, entry in json.loads(path.read_text())["metrics"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the metrics of real images ({error!r}); make them with: dvc repro evaluate_real"
        ) from error


def with_floors(entries: Mapping[str, Entry], floors: Mapping[str, float]) -> dict[str, Entry]:
    """The same entries, each beside its noise floor."""
    return {name: entry | {"floor": floors[name]} for name, entry in entries.items()}
