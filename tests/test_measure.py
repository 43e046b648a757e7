"""All metrics at once: which there are, from how many images, and given what."""

from pathlib import Path
from typing import Any

import pytest
import torch
from synthetic import normal, random_pixels

from pipeline.data.digits import Pictures
from pipeline.metrics import classes, frechet, memorisation, paths, reference, sharpness, two_sample
from pipeline.metrics import prdc as manifold
from pipeline.metrics import suite as measure
from pipeline.metrics.features import Described, Reader
from pipeline.metrics.reference import Reference
from pipeline.networks import dcgan
from pipeline.networks.classifier import Judge, JudgeSpec
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.sampling import weights

torch.set_num_threads(1)

# torchmetrics says of every KID that it keeps the features, which are in memory anyway.
taking_kid = pytest.mark.filterwarnings(
    "ignore:Metric `Kernel Inception Distance` will save all extracted features:UserWarning"
)


def settings(**changes: Any) -> measure.Params:
    numbers: dict[str, Any] = {
        "features": "judge",
        "num_samples": 40,
        "num_neighbours": 3,
        "kid_subsets": 3,
        "kid_subset_size": 20,
        "memorisation_samples": 15,
        "two_sample_steps": 3,
        "path_samples": 12,
        "path_step": 0.01,
        "truncation": 1.0,
        "seed": 0,
    }
    return measure.Params(**(numbers | changes))


def described(num: int, seed: int, with_labels: bool = True) -> Described:
    labels = torch.arange(num) % 10
    return Described(
        random_pixels(num, 6, seed), normal(num, 4, seed), labels.roll(seed), labels if with_labels else None
    )


def held_out(num: int, seed: int) -> Reference:
    return reference.take(described(num, seed), TRAIN, num_neighbours=3, num_compared=15)


TRAIN = Pictures(random_pixels(50, 6, 9), torch.arange(50) % 10)
UNCONDITIONAL = {"fid", "kid", "precision", "recall", "density", "coverage", "gradient_energy", "mid_grey"}
UNCONDITIONAL |= {"class_kl", "memorisation", "two_sample_accuracy"}
CONDITIONAL = {"conditional_accuracy", "within_class_diversity", "class_mean_error", "optimum_error"}


@taking_kid
def test_every_metric_says_from_how_many_images_it_was_taken() -> None:
    drawn, real = described(30, 1), held_out(40, 2)
    entries = measure.measure(drawn, real, TRAIN, settings())
    assert entries.keys() == UNCONDITIONAL | CONDITIONAL
    for name, num in {"memorisation": 15, "two_sample_accuracy": 30}.items():
        entry = entries.pop(name)
        assert (entry["num_samples"], entry["num_real"]) == (num, num)
    assert {(entry["num_samples"], entry["num_real"]) for entry in entries.values()} == {(30, 40)}


@taking_kid
def test_every_metric_is_given_what_it_compares() -> None:
    drawn, real = described(40, 1), held_out(40, 2)
    assert drawn.labels is not None
    found = {name: entry["value"] for name, entry in measure.measure(drawn, real, TRAIN, settings()).items()}
    means = classes.means(drawn.pixels, drawn.labels)
    expected = {
        "fid": frechet.distance(*map(frechet.statistics, (drawn.features, real.features))),
        **manifold.prdc(drawn.features, real.features, 3),
        **sharpness.ratios(drawn.pixels, real.pixels),
        "class_kl": classes.histogram_divergence(drawn.read, real.labels),
        "conditional_accuracy": 0.0,  # what is read is one class off what was asked for
        "within_class_diversity": classes.diversity(drawn.features, drawn.labels, real.features, real.labels),
        "class_mean_error": classes.mean_error(means, classes.means(real.pixels, real.labels)),
        "optimum_error": classes.mean_error(means, classes.means(TRAIN.pixels, TRAIN.labels)),
        "memorisation": memorisation.ratio(
            drawn.pixels[:15], memorisation.nearest(real.pixels[:15], TRAIN.pixels), TRAIN.pixels
        ),
        "two_sample_accuracy": two_sample.accuracy(drawn.pixels, real.pixels, 3, 0),
    }
    found.pop("kid")
    assert found == pytest.approx(expected, rel=1e-4)
    assert found["class_mean_error"] != found["optimum_error"]


@taking_kid
def test_an_unconditional_model_has_no_conditional_metrics() -> None:
    entries = measure.measure(described(40, 1, with_labels=False), held_out(40, 2), TRAIN, settings())
    assert entries.keys() == UNCONDITIONAL


@taking_kid
def test_the_seed_decides_all_and_the_global_source_is_left_as_it_was() -> None:
    drawn, real = described(40, 1), held_out(40, 2)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = measure.measure(drawn, real, TRAIN, settings())
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert measure.measure(drawn, real, TRAIN, settings()) == first
    assert measure.measure(drawn, real, TRAIN, settings(seed=1))["kid"] != first["kid"]


@pytest.fixture
def judge_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    weights.save(tmp_path / "judge", Judge(2, 10), JudgeSpec(width=2, num_classes=10))
    return tmp_path / "judge"


def test_paths_are_taken_with_the_first_conditions_and_not_where_there_are_no_latents() -> None:
    torch.manual_seed(0)
    judge, generator = Judge(8, 10).requires_grad_(False), dcgan.Generator(4, 10, 8, (1, 28, 28)).train()
    c = torch.eye(10).repeat(2, 1)
    found = measure.of_paths(generator, c, (4, 0), judge, settings())
    values = paths.of_generator(generator, judge.features, c[:12], (4, 0), 0.01, 0)
    assert min(values.values()) > 0
    assert found == {
        name: {"value": value, "num_samples": 12, "num_real": 0} for name, value in values.items()
    }
    assert measure.of_paths(generator, c, (0, 4), judge, settings()) == {}


def test_a_model_and_the_real_images_have_the_same_metrics_of_paths() -> None:
    torch.manual_seed(0)
    judge, generator = Judge(2, 10).requires_grad_(False), dcgan.Generator(4, 0, 2, (1, 28, 28)).eval()
    real = Described(random_pixels(40, 28, 0), normal(40, 4, 0), torch.zeros(40), None)
    fades = measure.of_cross_fades(real, judge, settings())
    assert fades.keys() == measure.of_paths(generator, torch.empty(40, 0), (4, 0), judge, settings()).keys()
    assert {(entry["num_samples"], entry["num_real"]) for entry in fades.values()} == {(0, 12)}


def test_a_report_says_whose_features_on_which_split_from_which_seed(judge_file: Path) -> None:
    reader = Reader(judge_file, "judge")
    assert measure.context("gan-x", settings(seed=7), reader) == {
        "model": "gan-x",
        "split": "test",
        "seed": 7,
        "extractor": {"name": "judge", "weights": sha256(judge_file)},
    }


def test_the_first_pictures_are_taken_and_no_more_than_there_are(judge_file: Path) -> None:
    reader = Reader(judge_file, "judge")
    pictures = Pictures(random_pixels(6, 28, 0), torch.arange(6))
    taken = measure.take(pictures, settings(num_samples=4), reader)
    assert torch.equal(taken.pixels, pictures.pixels[:4])
    assert taken.labels is not None
    assert taken.labels.tolist() == [0, 1, 2, 3]
    assert len(measure.take(pictures, settings(num_samples=6), reader).read) == 6
    with pytest.raises(InputError, match=r"^evaluate\.num_samples = 7: .* only 6 images$"):
        measure.take(pictures, settings(num_samples=7), reader)
