"""All metrics of samples that answer no image: which there are, from how many images, and of what."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.networks import untrained
from helpers.small_tasks import digits, drawings, written
from helpers.synthetic import noise, random_pixels
from torch import Tensor, nn

from pipeline.data.prepared import SPLITS, DataSet
from pipeline.metrics import (
    classes,
    distribution,
    entries,
    frechet,
    memorisation,
    modes,
    paths,
    posterior,
    prdc,
    reference,
    sharpness,
    suite,
    two_sample,
)
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.networks.network import Spec
from pipeline.runtime import compute
from pipeline.sampling import weights
from pipeline.sampling.draw import draw
from pipeline.tasks import make, question, stacked
from pipeline.tasks import task as tasks

SIZES = {"num_samples": 40, "kid_subset_size": 20, "memorisation_samples": 15, "path_samples": 12}
SETTINGS = Settings(num_neighbours=3, kid_subsets=3, two_sample_steps=3, path_step=0.01, **SIZES)
UNCONDITIONAL = {"fid", "kid", "precision", "recall", "density", "coverage", "gradient_energy", "mid_grey"}
UNCONDITIONAL |= {"class_kl", "memorisation", "two_sample_accuracy"}
CONDITIONAL = {"conditional_accuracy", "within_class_diversity", "class_mean_error", "optimum_error"}
OF_PAIRS = {"sample_mse"}  # of a sample and the test image whose condition it was asked for
OF_PAIRS |= {"crps", "energy_score", "patch_energy_score", "variogram_score"}
OF_PAIRS |= {"interval_coverage", "interval_width"}
PATHS = {f"path_{figure}_{way}" for figure in ("length", "unevenness") for way in ("lerp", "slerp")}


def real_of(folder: Path, condition: str) -> Reference:
    return reference.take(written(folder, condition, digits(60)), SETTINGS, compute.CPU)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return real_of(tmp_path_factory.mktemp("label"), "label")


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return real_of(tmp_path_factory.mktemp("none"), "none")


def test_every_metric_says_from_how_many_images_it_was_taken(real: Reference) -> None:
    found = distribution.measure(random_pixels(30, 28, 9), None, real)[0]
    assert found.keys() == UNCONDITIONAL
    for name, num in {"memorisation": 15, "two_sample_accuracy": 30}.items():
        assert found.pop(name)[1:] == (num, num)
    assert {entry[1:] for entry in found.values()} == {(30, 40)}


def test_every_metric_gets_what_it_compares_and_leaves_the_global_source_as_it_was(real: Reference) -> None:
    labels, pixels, before = torch.arange(40) % 10, random_pixels(40, 28, 9), torch.get_rng_state()
    found = entries.values(distribution.measure(pixels, labels, real)[0])
    assert torch.equal(torch.get_rng_state(), before)
    train = real.task.splits["train"].arrays
    features, predicted = real.extractor.describe(pixels)
    means = classes.means(pixels, labels, 10)
    expected = {
        "kid": distribution.distances(features, real.features, SETTINGS)["kid"],
        "fid": frechet.distance(*map(frechet.statistics, (features, real.features))),
        **prdc.prdc(features, real.features, 3, prdc.radii(real.features, 3)),
        **sharpness.ratios(pixels, real.pixels),
        "class_kl": classes.histogram_divergence(predicted, labels),
        "conditional_accuracy": classes.accuracy(predicted, labels),
        "within_class_diversity": classes.diversity(features, labels, real.features, labels),
        "class_mean_error": classes.mean_error(means, classes.means(real.pixels, labels, 10)),
        "optimum_error": classes.mean_error(
            means, classes.means(train["images"], train["labels"].long(), 10)
        ),
        "memorisation": memorisation.ratio(
            pixels[:15], memorisation.nearest(real.pixels[:15], train["images"]), train["images"]
        ),
        "two_sample_accuracy": two_sample.accuracy(pixels, real.pixels, 3, 0),
    }
    assert found == pytest.approx(expected, rel=1e-4)
    assert found["class_mean_error"] != found["optimum_error"]


def test_the_seed_decides_the_subsets_of_kid(real: Reference) -> None:
    features = real.extractor.features(random_pixels(40, 28, 9))
    torch.manual_seed(4)
    settings = (SETTINGS, SETTINGS, SETTINGS.model_copy(update={"seed": 1}))
    found = [distribution.distances(features, real.features, each) for each in settings]
    assert found[0] == found[1]
    assert found[0]["kid"] != found[2]["kid"]
    assert found[0]["fid"] == found[2]["fid"]


class Bars(nn.Module):
    """A bar at the class's place, bright by the latents; the mean of all without a class."""

    num_noise = 0

    def __init__(self, num_latents: int) -> None:
        super().__init__()
        self.num_latents = num_latents

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        c = c.repeat_interleave(len(z) // len(c), 0)
        place = c if c.shape[1] else torch.full((len(z), 10), 0.1)
        bars = F.pad(place * (0.5 + z.sum(1, keepdim=True) / 9), (0, 18))
        return bars[:, None, None].expand(-1, 1, 28, -1)


def test_a_model_of_classes_draws_those_of_the_test_images(real: Reference) -> None:
    found, shown, more = suite.evaluate(Bars(2), real)
    pixels = draw(Bars(2), real.task.test.conditions, torch.arange(40), 1, 0)[:, 0]
    predicted, requested = real.extractor.classes(pixels), torch.arange(40) % 10
    assert found.keys() == UNCONDITIONAL | CONDITIONAL | OF_PAIRS | PATHS
    error = posterior.errors(pixels[:, None], real.pixels)["sample_mse"]
    assert found["sample_mse"] == (pytest.approx(error), 40, 40)
    assert torch.equal(torch.from_numpy(shown["pixels"]), pixels)
    assert more.keys() == {"conditional_accuracy_by_class", "evidence"}
    assert more["conditional_accuracy_by_class"] == classes.accuracy_by_class(predicted, requested, 10)
    assert found["conditional_accuracy"].value == classes.accuracy(predicted, requested)
    sheet = torch.from_numpy(shown["sheet"]).unflatten(0, (8, 10))
    for k in range(10):  # class k in column k
        assert sheet[:, k, :, :, k].min() > 128
        assert (sheet[:, k].float().mean((0, 1, 2)).round() == 128).sum() == 27
    assert len(sheet[:, 0].unique(dim=0)) == 8
    assert shown["paths"].shape == (5, 10, 1, 28, 28)


def test_an_unconditional_model_has_no_conditional_metrics(unconditional: Reference) -> None:
    found, shown, more = suite.evaluate(Bars(2), unconditional)
    assert found.keys() == UNCONDITIONAL | PATHS
    assert more == {}
    assert shown["sheet"].shape == (80, 1, 28, 28)


def test_without_classes_nothing_is_said_of_them(tmp_path: Path) -> None:
    """In the features of a network that learned without any, of images in colour."""

    class Coloured(Bars):
        def forward(self, z: Tensor, c: Tensor) -> Tensor:
            return super().forward(z, c)[:, :, :16, :16].expand(-1, 3, -1, -1)

    taken = reference.take(written(tmp_path, "none", drawings(0, 60)), SETTINGS, compute.CPU)
    found, shown, more = suite.evaluate(Coloured(2), taken)
    assert found.keys() == UNCONDITIONAL - {"class_kl"} | PATHS
    assert more == {}
    assert shown["sheet"].shape == (80, 3, 16, 16)
    assert "predicted" not in taken.arrays
    floors, corrupted = suite.evaluate_real(taken)
    assert floors.keys() == found.keys()
    assert corrupted.keys() == {"blurred", "grey"}


def few_classes(num: int) -> DataSet:
    """As many images of noise in colour in each split, of three classes, larger than digits."""
    splits = {
        split: {
            "images": noise(num, 3, 32, 32, seed=seed).numpy(),
            "labels": np.arange(num) % 3,
            "classes": np.arange(3),
        }
        for seed, split in enumerate(SPLITS)
    }
    return DataSet(splits, {"num_classes": 3})


def test_of_three_classes_a_column_is_of_each_in_turn(tmp_path: Path) -> None:
    class Three(nn.Module):
        """A grey for each class, brighter by the latents."""

        num_latents, num_noise = 1, 0

        def forward(self, z: Tensor, c: Tensor) -> Tensor:
            grey = c.repeat_interleave(len(z) // len(c), 0) @ torch.tensor([-0.5, 0.0, 0.5])
            return (grey + z[:, 0] / 20)[:, None, None, None].expand(-1, 3, 32, 32)

    about = {"method": "classification", "network": "classifier", "image_shape": [3, 32, 32]}
    spec = Spec(**about, width=4, num_conditions=3)
    weights.save(tmp_path / "weights", spec.build(), spec)
    asked, features = question.Settings(data="mine", condition="label"), (tmp_path / "weights").read_bytes()
    make.task(tmp_path / "task", asked, few_classes(60), features)
    taken = reference.take(tasks.load(tmp_path / "task"), SETTINGS, compute.CPU)
    found, shown, more = suite.evaluate(Three(), taken)
    assert found.keys() == UNCONDITIONAL | CONDITIONAL | OF_PAIRS | PATHS
    assert np.shape(more["conditional_accuracy_by_class"]) == (3,)
    greys = torch.from_numpy(shown["sheet"]).unflatten(0, (8, 10)).float().mean((0, 2, 3, 4))
    assert greys.tolist() == pytest.approx([64, 128, 191, 64, 128, 191, 64, 128, 191, 64], abs=9)


def test_where_there_are_no_latents_there_are_no_paths(real: Reference) -> None:
    assert suite.evaluate(Bars(0), real).entries.keys() == UNCONDITIONAL | CONDITIONAL | OF_PAIRS


def test_paths_are_taken_with_the_first_test_conditions(real: Reference) -> None:
    torch.manual_seed(0)
    generator, c = untrained("dcgan", 4, 10, 8, (1, 28, 28)).eval(), torch.eye(10).repeat(2, 1)
    found = distribution.of_paths(generator, real)
    expected = paths.of_generator(generator, real.extractor.of_images, c[:12], 0.01, 0)
    assert min(expected.values()) > 0
    assert found == entries.entries(expected, 12, 0)


def test_floors_are_the_metrics_of_validation_images_and_of_their_cross_fades(
    real: Reference, unconditional: Reference
) -> None:
    found, corrupted = suite.evaluate_real(real)
    pixels = real.task.validation.images(torch.arange(40))[0]
    expected, _ = distribution.measure(pixels, torch.arange(40) % 10, real)
    fades = paths.of_cross_fades(pixels[:12], real.extractor.of_images, 0.01, 0)
    assert found == expected | entries.entries(fades, 0, 12)
    assert found.keys() == UNCONDITIONAL | CONDITIONAL | PATHS
    assert corrupted.keys() == {"resampled", "one_class_missing", "blurred"}
    assert suite.evaluate_real(unconditional)[0].keys() == UNCONDITIONAL | PATHS


def test_of_stacked_digits_the_modes_of_samples_and_of_test_images_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Colours(Bars):
        def forward(self, z: Tensor, c: Tensor) -> Tensor:
            return torch.cat([super(Colours, self).forward(k * z, c) for k in (1, 5, 40)], 1)

    monkeypatch.setattr(stacked, "NUM_HELD_OUT", 90)
    task = written(tmp_path, "none", digits(), num_stacks=60)
    settings = SETTINGS.model_copy(update={"num_mode_samples": 85})
    stacks = reference.take(task, settings, compute.CPU)
    found, shown, _ = suite.evaluate(Colours(2), stacks)
    pixels = draw(Colours(2), task.test.conditions, torch.arange(85), 1, 0)[:, 0]
    assert found == modes.measure(pixels, stacks.extractor, 1000)
    assert found["modes"][1:] == (85, 0)
    assert torch.equal(torch.from_numpy(shown["sheet"]), pixels[:80])
    of_test, corrupted = suite.evaluate_real(stacks)
    assert of_test == modes.measure(task.test.images(torch.arange(85))[0], stacks.extractor, 1000)
    assert corrupted == {}
