"""What samples for conditions are measured by, and that each answers to its own condition."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_tasks import drawings, written
from helpers.synthetic import noise
from torch import Tensor, nn

from pipeline.data.images import as_rgb, to_float
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.metrics import conditional, entries, evidence, posterior, reference, suite
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.runtime import compute
from pipeline.sampling.draw import draw

SETTINGS = Settings(num_draws=4, num_tone_draws=6, kid_subsets=3, kid_subset_size=20)
SIZE = 16


def real_of(folder: Path, condition: str, num_six: int = 2, num_others: int = 70) -> Reference:
    task = written(folder, condition, drawings(num_six, num_others))
    return reference.take(task, SETTINGS, compute.CPU)


@pytest.fixture(scope="module")
def sketch(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return real_of(tmp_path_factory.mktemp("sketch"), "sketch")


def measured(drawn: Tensor, real: Reference) -> dict[str, float]:
    found = conditional.measure(drawn, real)
    assert {entry[1:] for entry in found.values()} == {(len(drawn), len(drawn))}
    return entries.values(found)


def test_the_truth_itself_has_no_error_no_distance_and_is_always_matched(sketch: Reference) -> None:
    values = measured(sketch.pixels[:, None], sketch)
    assert values["sample_mse"] == values["mean_mse"] == values["apsd"] == values["sample_distance"] == 0
    assert values["gradient_energy"] == 1
    assert values["fid"] == pytest.approx(0, abs=1e-3)
    assert values["cfid"] == pytest.approx(0, abs=1e-3)
    assert values["matching_accuracy"] == 1
    assert not {"gain_2", "rank_distance", "calibration"} & values.keys()  # of one draw there are none


def test_images_of_other_drawings_are_matched_by_chance_and_err_as_far_as_they_lie_apart(
    tmp_path: Path,
) -> None:
    real = real_of(tmp_path, "sketch", 0, 100)
    others = real.pixels.roll(1, 0)
    values = measured(others[:, None], real)
    mse = ((others - real.pixels.double()) / 255).square().mean().item()
    assert values["sample_mse"] == pytest.approx(mse)
    assert values["matching_accuracy"] == pytest.approx(0.5, abs=0.12)
    assert values["fid"] == pytest.approx(0, abs=1e-3)  # the same images, only not where they belong
    assert values["cfid"] > 10 * values["fid"]


def test_of_several_draws_each_figure_is_that_of_its_own_formula(sketch: Reference) -> None:
    drawn = noise(82, 4, 3, SIZE, SIZE, seed=9)
    values = measured(drawn, sketch)
    expected = posterior.errors(drawn, sketch.pixels) | {
        "gain_2": posterior.gains(drawn, sketch.pixels)[2],
        "gain_4": posterior.gains(drawn, sketch.pixels)[4],
        "rank_distance": posterior.rank_distance(posterior.ranks(drawn, sketch.pixels, 0)),
        "calibration": posterior.calibration(drawn, sketch.pixels),
        "apsd": posterior.spread(drawn),
        "sample_distance": posterior.pair_distance(drawn),
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_a_segmentation_is_measured_by_the_pixels_it_gets_right(tmp_path: Path) -> None:
    real = real_of(tmp_path, "segment", 0, 30)
    wrong = real.pixels.clone()
    wrong[:, :, :4] = real.pixels[:, :, :4].roll(1, 1)  # a quarter is said to be of another kind
    values = measured(wrong[:, None], real)
    assert values["pixel_accuracy"] == pytest.approx(0.75)
    assert "condition_error" not in values


@pytest.mark.parametrize("num_labels", [2, 3, 5])
def test_of_maps_of_labels_features_are_taken_of_what_is_shown(num_labels: int, tmp_path: Path) -> None:
    """Of the maps as of the photographs that are their conditions, whatever the number of labels."""
    labels, colours = noise(100, SIZE, SIZE, seed=2) % num_labels, noise(num_labels, 3, seed=3)
    arrays = {
        "a": colours[labels.long()].permute(0, 3, 1, 2),
        "a_labels": labels,
        "a_colours": colours,
        "images": noise(100, 3, SIZE, SIZE, seed=4),
    }
    plain = {name: array.numpy() for name, array in arrays.items() if not name.startswith("a_")}
    whole = {name: array.numpy() for name, array in arrays.items()}
    found = {}
    for name, split in (("maps", whole), ("pictures", plain)):
        task = written(tmp_path / name, "ba", DataSet(dict.fromkeys(SPLITS, split)))
        real = reference.take(task, SETTINGS, compute.CPU)
        drawn = real.pixels.roll(1, 0)[:, None]
        found[name] = measured(drawn, real)
        assert suite.evaluate_real(real)[1].keys() == {"blurred", "grey"}
    for metric in ("fid", "kid", "cfid"):
        assert found["maps"][metric] == pytest.approx(found["pictures"][metric]), metric
    assert found["maps"]["pixel_accuracy"] == pytest.approx(1 / num_labels, abs=0.02)


def test_of_words_nothing_is_said_that_takes_an_image_as_the_condition(tmp_path: Path) -> None:
    real = real_of(tmp_path, "text", 0, 100)
    values = measured(real.pixels[:, None], real)
    assert values["matching_accuracy"] == 1
    assert not {"cfid", "condition_error"} & values.keys()


def test_floors_are_the_distances_of_validation_images(sketch: Reference) -> None:
    pixels = sketch.task.validation.images(torch.arange(82))[0]
    found, corrupted = suite.evaluate_real(sketch)
    assert found.keys() == {"fid", "kid"}
    assert found["fid"].value == pytest.approx(measured(pixels[:, None], sketch)["fid"])
    assert {entry[1:] for entry in found.values()} == {(82, 82)}
    assert corrupted.keys() == {"blurred", "grey"}


class Echo(nn.Module):
    """Draws its condition in grey, brighter by its latent."""

    num_noise = 0

    def __init__(self, num_latents: int = 1) -> None:
        super().__init__()
        self.num_latents = num_latents

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        brighter = z.sum(1)[:, None, None, None] / 10
        return (c.repeat_interleave(len(z) // len(c), 0) + brighter).expand(-1, 3, -1, -1)


def test_a_model_is_measured_by_several_draws_of_each_test_condition(sketch: Reference) -> None:
    found, shown, more = suite.evaluate(Echo(), sketch)
    drawn = draw(Echo(), sketch.task.test.conditions, torch.arange(82), 4, 0)
    tone_draws = draw(Echo(), sketch.task.test.conditions, torch.tensor([0, 6]), 6, 0)
    truth = torch.stack([sketch.pixels[:6], sketch.pixels[6:12]])
    assert more.keys() == {"num_draws", "evidence"}
    assert more["num_draws"] == 4
    judged = evidence.evaluate(Echo(), drawn, sketch)
    assert more["evidence"] == judged.about
    expected = entries.values(conditional.measure(drawn, sketch)) | judged.values
    assert entries.values(found).items() >= expected.items()
    assert {"tone_recall", "tone_purity", "tone_tv", "z_sensitivity"} == found.keys() - expected.keys()
    sensitivity = posterior.pair_distance(tone_draws) / posterior.pair_distance(truth)
    assert found["z_sensitivity"] == (pytest.approx(sensitivity), 12, 12)
    chosen = torch.arange(8) * 82 // 8
    assert torch.equal(torch.from_numpy(shown["samples"]), drawn[chosen])
    assert torch.equal(torch.from_numpy(shown["truth"]), sketch.pixels[chosen])
    assert torch.equal(torch.from_numpy(shown["condition"]), as_rgb(sketch.task.test.images(chosen)[1]))
    assert shown["captions"].tolist() == ["" if i % 3 == 1 else f"drawing {i}" for i in chosen.tolist()]


def test_of_some_tasks_there_are_as_many_draws_as_the_settings_say_of_them(sketch: Reference) -> None:
    for on, num_draws in (({"question": 2}, 2), ({"another": 2}, 4)):
        settings = SETTINGS.model_copy(update={"num_draws_on": on})
        found, _, more = suite.evaluate(Echo(), dataclasses.replace(sketch, settings=settings))
        assert more["num_draws"] == num_draws
        assert (f"gain_{num_draws}" in found, "gain_4" in found) == (True, num_draws == 4)


def test_a_model_without_latents_draws_once(sketch: Reference) -> None:
    found, shown, more = suite.evaluate(Echo(0), sketch)
    assert more["num_draws"] == 1
    assert found["apsd"].value == found["z_sensitivity"].value == 0
    assert shown["tone_samples"].shape == (1, 3, SIZE, SIZE)


class Tones(nn.Module):
    """Draws the six right answers of a known drawing, one a draw."""

    num_latents, num_noise = 1, 0

    def __init__(self, real: Reference) -> None:
        super().__init__()
        self.answers = to_float(real.pixels[:12]).unflatten(0, (2, 6))

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.answers.flatten(0, 1)


def test_a_sampler_of_the_six_answers_is_perfect_and_uses_its_latents_as_it_should(
    sketch: Reference,
) -> None:
    found, shown = conditional.of_tones(Tones(sketch), sketch)
    expected = {"tone_recall": 6, "tone_purity": 1, "tone_tv": 0, "z_sensitivity": 1}
    assert entries.values(found) == pytest.approx(expected)
    assert (shown["tone_samples"] == shown["tone_truth"]).all()
    assert (shown["tone_colours"] == shown["tone_true_colours"]).all()


@pytest.mark.parametrize(
    ("num", "rows"), [(3, [0, 1, 2]), (8, list(range(8))), (12, [0, 1, 3, 4, 6, 7, 9, 10])]
)
def test_conditions_are_shown_once_each_evenly_spread(num: int, rows: list[int], sketch: Reference) -> None:
    real = dataclasses.replace(sketch, pixels=sketch.pixels[:num])
    shown = conditional.show(real.pixels[:, None].repeat(1, 2, 1, 1, 1), real)
    assert np.array_equal(shown["truth"], real.pixels[rows].numpy())
    assert shown["samples"].shape[:2] == (len(rows), 2)
    assert np.array_equal(shown["samples"][:, 1], shown["truth"])


def test_the_drawing_with_most_skin_is_shown(sketch: Reference) -> None:
    skin = sketch.task.test.arrays["skin"].clone()
    skin[0, :, 8:] = 0
    examples = dataclasses.replace(sketch.task.test, arrays=sketch.task.test.arrays | {"skin": skin})
    task = dataclasses.replace(sketch.task, splits=sketch.task.splits | {"test": examples})
    _, shown = conditional.of_tones(Tones(sketch), dataclasses.replace(sketch, task=task))
    assert torch.equal(torch.from_numpy(shown["tone_truth"]), sketch.pixels[6:12])


def test_calibration_bins_hold_equal_shares_of_pixels_and_rise_with_the_predicted_deviation() -> None:
    source = torch.Generator().manual_seed(0)
    sd = torch.linspace(0, 40, SIZE).view(1, 1, 1, 1, SIZE)
    drawn = (128 + sd * torch.randn(40, 16, 3, SIZE, SIZE, generator=source)).clamp(0, 255).byte()
    truth = (128 + sd[:, 0] * torch.randn(40, 3, SIZE, SIZE, generator=source)).clamp(0, 255).byte()
    curve = conditional.calibration_curve(drawn, truth)
    predicted, actual = curve["predicted_sd"], curve["actual_error"]
    assert len(predicted) == conditional.NUM_BINS
    assert (predicted.diff() > 0).all()
    assert actual[-1].item() == pytest.approx(predicted[-1].item() * (1 + 1 / 16) ** 0.5, rel=0.1)
    mean_mse = posterior.errors(drawn, truth)["mean_mse"]
    assert actual.square().mean().item() == pytest.approx(mean_mse, rel=2e-4)
