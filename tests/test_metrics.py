"""Each metric by hand, against a second implementation, or in a known situation."""

import math
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline import weights
from pipeline.digits import Pictures
from pipeline.errors import InputError
from pipeline.files import sha256, write_json
from pipeline.images import to_float
from pipeline.judge import Judge, JudgeSpec
from pipeline.metrics import (
    classes,
    features,
    frechet,
    manifold,
    measure,
    memorisation,
    sharpness,
    yardsticks,
)
from pipeline.metrics.features import Described, Reader

torch.set_num_threads(1)

# torchmetrics says of every KID that it keeps the features, which are in memory anyway.
taking_kid = pytest.mark.filterwarnings(
    "ignore:Metric `Kernel Inception Distance` will save all extracted features:UserWarning"
)


def normal(num: int, width: int, seed: int) -> Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed))


def random_pixels(num: int, size: int, seed: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num, 1, size, size), generator=source).byte()


# --- FID and KID


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """|m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1^(1/2) S2 S1^(1/2))^(1/2), all in float64."""
    a, b = a.double(), b.double()
    values, vectors = torch.linalg.eigh(torch.cov(a.T))
    root = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ torch.cov(b.T) @ root).clamp(min=0).sqrt().sum()
    traces = torch.cov(a.T).trace() + torch.cov(b.T).trace()
    return ((a.mean(0) - b.mean(0)).square().sum() + traces - 2 * cross).item()


@pytest.mark.parametrize("width", [2, 16])
def test_fid_is_the_frechet_distance_of_two_normal_distributions(width: int) -> None:
    a, b = normal(200, width, 0), normal(150, width, 1) @ normal(width, width, 2) + 0.5
    assert frechet.fid(a, b) == pytest.approx(frechet_distance(a, b), rel=1e-4)


def test_fid_of_sets_that_differ_by_a_shift_is_its_squared_length() -> None:
    a = normal(100, 3, 0)
    assert frechet.fid(a + torch.tensor([3.0, 0.0, 4.0]), a) == pytest.approx(25.0, rel=1e-5)
    assert frechet.fid(a, a) == pytest.approx(0.0, abs=1e-5)


def mean_discrepancy(a: Tensor, b: Tensor) -> float:
    """The unbiased squared MMD under (x . y / D + 1)^3, pair by pair."""

    def kernel(x: Tensor, y: Tensor) -> float:
        return (float(x.double() @ y.double()) / len(x) + 1) ** 3

    n = len(a)
    within = sum(kernel(x[i], x[j]) for x in (a, b) for i in range(n) for j in range(n) if i != j)
    return within / (n * (n - 1)) - 2 * sum(kernel(x, y) for x in a for y in b) / n**2


@taking_kid
def test_kid_of_whole_sets_is_the_unbiased_discrepancy() -> None:
    a, b = normal(30, 4, 0), normal(30, 4, 1) + 0.7
    assert frechet.kid(a, b, num_subsets=2, subset_size=30) == pytest.approx(mean_discrepancy(a, b), rel=1e-4)


@taking_kid
def test_kid_of_subsets_is_near_that_of_the_whole_and_a_function_of_the_global_source() -> None:
    a, b = normal(60, 4, 0), normal(60, 4, 1) + 0.7
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(frechet.kid(a, b, num_subsets=40, subset_size=30))
    assert found[0] == found[1] != found[2]
    assert found[0] == pytest.approx(mean_discrepancy(a, b), rel=0.15)


# --- precision, recall, density, coverage


def brute_force(drawn: np.ndarray, real: np.ndarray, k: int) -> dict[str, float]:
    """The four of the papers, point by point."""

    def radius(points: np.ndarray, i: int) -> float:
        return sorted(math.dist(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    real_radius = [radius(real, i) for i in range(len(real))]
    drawn_radius = [radius(drawn, i) for i in range(len(drawn))]
    balls = [sum(math.dist(y, x) < r for x, r in zip(real, real_radius, strict=True)) for y in drawn]
    recalled = [any(math.dist(x, y) < r for y, r in zip(drawn, drawn_radius, strict=True)) for x in real]
    covered = [any(math.dist(x, y) < r for y in drawn) for x, r in zip(real, real_radius, strict=True)]
    return {
        "precision": sum(ball > 0 for ball in balls) / len(drawn),
        "recall": sum(recalled) / len(real),
        "density": sum(balls) / (k * len(drawn)),
        "coverage": sum(covered) / len(real),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("chunk", [7, 1000])
def test_the_four_agree_with_a_point_by_point_count(
    k: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifold, "CHUNK", chunk)
    drawn, real = normal(40, 2, 0) + torch.tensor([1.5, 0.0]), normal(50, 2, 1)
    found = manifold.prdc(drawn, real, k)
    assert found == pytest.approx(brute_force(drawn.double().numpy(), real.double().numpy(), k), abs=1e-9)
    assert all(0.1 < value < 0.999 for name, value in found.items() if name != "density")


def test_a_set_against_itself_is_whole_in_all_four() -> None:
    points = normal(50, 3, 0)  # each ball holds its centre and k - 1 neighbours: density 1
    expected = {"precision": 1.0, "recall": 1.0, "density": 1.0, "coverage": 1.0}
    assert manifold.prdc(points, points.clone(), 5) == pytest.approx(expected, abs=1e-12)


def test_sets_far_apart_share_nothing() -> None:
    points = normal(50, 3, 0)
    assert set(manifold.prdc(points + 1000, points, 5).values()) == {0.0}


def test_a_collapsed_set_is_precise_but_recalls_and_covers_little() -> None:
    real = normal(100, 2, 0)
    centre = real[real.norm(dim=1).argmin()]
    found = manifold.prdc(centre + 1e-4 * normal(60, 2, 1), real, 5)
    assert found["precision"] == 1.0
    assert found["recall"] <= 0.01
    assert 0 < found["coverage"] < 0.2


def test_the_radius_is_the_distance_to_the_kth_other_point() -> None:
    points = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert manifold.radii(points, 1).tolist() == pytest.approx([1.0, 1.0, 2.0, 4.0])
    assert manifold.radii(points, 2).tolist() == pytest.approx([3.0, 2.0, 3.0, 6.0])


# --- classes


def test_the_divergence_of_class_histograms_is_that_of_drawn_from_real() -> None:
    real = torch.tensor([0, 0, 1, 2])
    drawn = torch.tensor([0, 1, 1, 1])
    expected = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.25)
    assert classes.histogram_divergence(drawn, real) == pytest.approx(expected)
    assert classes.histogram_divergence(real, real) == 0.0
    assert classes.histogram_divergence(torch.tensor([2, 2]), real) == pytest.approx(math.log(4))


def test_conditional_accuracy_is_the_share_read_as_asked() -> None:
    asked = torch.arange(10).repeat(2)
    read = asked.clone()
    read[3] = 4
    read[13] = 5
    read[17] = 0
    assert classes.accuracy(read, asked) == pytest.approx(17 / 20)


def test_diversity_within_a_class_is_the_ratio_of_spreads_averaged_over_classes() -> None:
    real, labels = normal(40, 3, 0), torch.arange(40) % 2
    assert classes.diversity(real, labels, real, labels) == pytest.approx(1.0)
    centres = torch.stack([real[labels == k].mean(0) for k in (0, 1)])
    collapsed = centres[labels]
    assert classes.diversity(collapsed, labels, real, labels) == pytest.approx(0.0, abs=1e-6)
    half = collapsed + 0.5 * (real - collapsed)
    assert classes.diversity(half, labels, real, labels) == pytest.approx(0.5, rel=1e-5)
    mixed = torch.where(labels[:, None] == 0, half, real)  # half in one class, whole in the other
    assert classes.diversity(mixed, labels, real, labels) == pytest.approx(0.75, rel=1e-5)
    assert classes.diversity(real + 100, labels, real, labels) == pytest.approx(1.0, rel=1e-4)


def test_the_spread_is_the_root_mean_squared_distance_from_the_mean() -> None:
    points = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0], [2.0, -3.0]])
    assert classes.spread(points).item() == pytest.approx(math.sqrt((4 + 4 + 9 + 9) / 4))


def test_the_mean_of_each_class_is_taken_pixel_by_pixel() -> None:
    pixels = torch.tensor([[0, 255], [255, 255], [51, 102]], dtype=torch.uint8).view(3, 1, 1, 2)
    means = classes.means(pixels, torch.tensor([0, 0, 4]))
    assert means.shape == (10, 1, 1, 2)
    assert means[0].flatten().tolist() == pytest.approx([0.5, 1.0])
    assert means[4].flatten().tolist() == pytest.approx([0.2, 0.4])
    assert means[[1, 2, 3, 5, 6, 7, 8, 9]].isnan().all()


def test_the_error_of_means_is_taken_over_the_classes_that_both_have() -> None:
    a, b = (torch.full((10, 1, 1, 2), torch.nan, dtype=torch.float64) for _ in range(2))
    a[0], a[1], a[2] = 0.5, 0.0, 1.0
    b[0], b[1], b[3] = 0.6, torch.tensor([0.0, 0.2]), 1.0
    assert classes.mean_error(a, b) == pytest.approx((0.01 + 0.01 + 0.0 + 0.04) / 4)


# --- sharpness


def test_gradient_energy_is_the_mean_squared_difference_of_neighbours() -> None:
    image = torch.tensor([[0, 255, 255], [51, 0, 255]], dtype=torch.uint8).view(1, 1, 2, 3)
    across = 1 + 0 + 0.2**2 + 1
    down = 0.2**2 + 1 + 0
    assert sharpness.gradient_energy(image) == pytest.approx((across + down) / 7)


def test_mid_grey_is_what_lies_strictly_between_a_tenth_and_nine_tenths() -> None:
    values = [0, 25, 26, 128, 229, 230, 255, 255]  # 25.5 is a tenth, 229.5 nine tenths
    image = torch.tensor(values, dtype=torch.uint8).view(1, 1, 2, 4)
    assert sharpness.mid_grey_share(image) == pytest.approx(3 / 8)


def test_blur_lowers_the_gradient_energy_and_raises_the_share_of_mid_grey() -> None:
    pixels = torch.where(random_pixels(10, 12, 0) > 200, 255, 0).byte()
    pixels[0, 0, 0, 0] = 128
    same = sharpness.ratios(pixels, pixels)
    assert same == pytest.approx({"gradient_energy": 1.0, "mid_grey": 1.0})
    blurred = sharpness.ratios(yardsticks.blurred(pixels), pixels)
    assert blurred["gradient_energy"] < 0.3
    assert blurred["mid_grey"] > 100


def test_the_ratios_of_black_and_white_images_are_finite() -> None:
    pixels = torch.where(random_pixels(10, 12, 0) > 128, 255, 0).byte()
    assert sharpness.ratios(pixels, pixels) == pytest.approx({"gradient_energy": 1.0, "mid_grey": 1.0})


# --- memorisation


def test_copies_of_training_images_score_0_and_images_like_the_real_ones_1() -> None:
    train, real = random_pixels(60, 8, 0), random_pixels(40, 8, 1)
    assert memorisation.ratio(train[:40], real, train) == pytest.approx(0.0, abs=2e-3)
    assert memorisation.ratio(real.flip(0), real, train) == pytest.approx(1.0)
    assert memorisation.ratio(random_pixels(40, 8, 2), real, train) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("chunk", [1, 5000])
def test_memorisation_is_the_ratio_of_distances_to_the_nearest_training_image(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memorisation, "CHUNK", chunk)
    train = torch.tensor([[0, 0], [255, 255]], dtype=torch.uint8).view(2, 1, 1, 2)
    drawn = torch.tensor([[51, 0], [255, 153]], dtype=torch.uint8).view(2, 1, 1, 2)
    real = torch.tensor([[102, 0]], dtype=torch.uint8).view(1, 1, 1, 2)
    assert memorisation.nearest(drawn, train).tolist() == pytest.approx([0.2, 0.4])
    assert memorisation.ratio(drawn, real, train) == pytest.approx(0.3 / 0.4)


# --- all at once


def settings(**changes: Any) -> measure.Params:
    numbers: dict[str, Any] = {
        "features": "judge",
        "num_samples": 40,
        "num_neighbours": 3,
        "kid_subsets": 3,
        "kid_subset_size": 20,
        "memorisation_samples": 15,
        "seed": 0,
    }
    return measure.Params(**(numbers | changes))


def described(num: int, seed: int, with_labels: bool = True) -> Described:
    labels = torch.arange(num) % 10
    return Described(
        random_pixels(num, 6, seed), normal(num, 4, seed), labels.roll(seed), labels if with_labels else None
    )


TRAIN = Pictures(random_pixels(50, 6, 9), torch.arange(50) % 10)
UNCONDITIONAL = {"fid", "kid", "precision", "recall", "density", "coverage", "gradient_energy", "mid_grey"}
UNCONDITIONAL |= {"class_kl", "memorisation"}
CONDITIONAL = {"conditional_accuracy", "within_class_diversity", "class_mean_error", "optimum_error"}


@taking_kid
def test_every_metric_says_from_how_many_images_it_was_taken() -> None:
    drawn, real = described(30, 1), described(40, 2)
    entries = measure.measure(drawn, real, TRAIN, settings())
    assert entries.keys() == UNCONDITIONAL | CONDITIONAL
    memorised = entries.pop("memorisation")
    assert (memorised["num_samples"], memorised["num_real"]) == (15, 15)
    assert {(entry["num_samples"], entry["num_real"]) for entry in entries.values()} == {(30, 40)}
    assert all(entry.keys() == {"value", "num_samples", "num_real"} for entry in entries.values())


@taking_kid
def test_every_metric_is_given_what_it_compares() -> None:
    drawn, real = described(40, 1), described(40, 2)
    assert drawn.labels is not None
    assert real.labels is not None
    found = {name: entry["value"] for name, entry in measure.measure(drawn, real, TRAIN, settings()).items()}
    means = classes.means(drawn.pixels, drawn.labels)
    expected = {
        "fid": frechet_distance(drawn.features, real.features),
        **manifold.prdc(drawn.features, real.features, 3),
        **sharpness.ratios(drawn.pixels, real.pixels),
        "class_kl": classes.histogram_divergence(drawn.read, real.labels),
        "conditional_accuracy": 0.0,  # what is read is one class off what was asked for
        "within_class_diversity": classes.diversity(drawn.features, drawn.labels, real.features, real.labels),
        "class_mean_error": classes.mean_error(means, classes.means(real.pixels, real.labels)),
        "optimum_error": classes.mean_error(means, classes.means(TRAIN.pixels, TRAIN.labels)),
        "memorisation": memorisation.ratio(drawn.pixels[:15], real.pixels[:15], TRAIN.pixels),
    }
    found.pop("kid")
    assert found == pytest.approx(expected, rel=1e-4)
    assert found["class_mean_error"] != found["optimum_error"]


@taking_kid
def test_an_unconditional_model_has_no_conditional_metrics() -> None:
    entries = measure.measure(described(40, 1, with_labels=False), described(40, 2), TRAIN, settings())
    assert entries.keys() == UNCONDITIONAL


@taking_kid
def test_the_seed_decides_all_and_the_global_source_is_left_as_it_was() -> None:
    drawn, real = described(40, 1), described(40, 2)
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


def test_the_reader_gives_the_judges_features_and_readings_whatever_the_batch(
    judge_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, (judge, _) = Reader(judge_file, "judge"), weights.load(judge_file, JudgeSpec)
    pixels, labels = random_pixels(12, 28, 0), torch.arange(12) % 10
    monkeypatch.setattr(features, "BATCH", 5)
    found = reader.describe(pixels, labels)
    assert torch.allclose(found.features, judge.features(to_float(pixels)), atol=1e-5)
    assert torch.equal(found.features, reader.features(pixels))
    assert torch.equal(found.read, judge(to_float(pixels)).argmax(1))
    assert found.pixels is pixels
    assert found.labels is labels


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


def test_features_whose_weights_cannot_be_fetched_are_refused_by_the_name_of_their_key(
    judge_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", unreachable)
    with pytest.raises(InputError, match=r"^evaluate\.features = 'inception': .*no route to host[^\n]*$"):
        Reader(judge_file, "inception")


def test_inception_sees_three_channels_and_its_features_are_named_after_it(
    judge_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ink(name: str, features_list: list[str]) -> Any:
        assert (name, features_list) == ("inception-v3-compat", ["2048"])
        return lambda pixels: pixels.flatten(2).double().mean(2)

    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", ink)
    reader = Reader(judge_file, "inception")
    pixels = random_pixels(3, 28, 0)
    found = reader.features(pixels)
    assert found.dtype == torch.float32
    assert torch.allclose(found, pixels.float().mean((2, 3)).expand(3, 3))
    assert reader.extractor.identity["name"] == "inception-v3-compat"


def test_floors_are_the_values_of_the_file_for_real_images(tmp_path: Path) -> None:
    entries = {"fid": {"value": 1.5, "num_samples": 4, "num_real": 4}, "kid": {"value": -0.25}}
    write_json(tmp_path / "real.json", {"model": "real", "metrics": entries})
    assert measure.read_floors(tmp_path / "real.json") == {"fid": 1.5, "kid": -0.25}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"metrics": []}',
        '{"metrics": {"fid": 1.0}}',
        '{"metrics": {"fid": {}}}',
        '{"metrics": {"fid": {"value": null}}}',
        "\udcff",  # the byte 0xff: not UTF-8
    ],
)
def test_what_is_not_the_metrics_of_real_images_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "real.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError) as caught:
        measure.read_floors(path)
    assert str(caught.value).startswith(f"{path}: not the metrics of real images")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="not the metrics of real images"):
        measure.read_floors(tmp_path / "missing.json")


def test_each_entry_stands_beside_its_own_floor() -> None:
    entries = {"fid": {"value": 9.0, "num_samples": 4.0}, "kid": {"value": 2.0, "num_samples": 4.0}}
    found = measure.with_floors(entries, {"kid": 0.25, "fid": 1.5, "recall": 0.7})
    assert found == {
        "fid": {"value": 9.0, "num_samples": 4.0, "floor": 1.5},
        "kid": {"value": 2.0, "num_samples": 4.0, "floor": 0.25},
    }
    assert "floor" not in entries["fid"]
