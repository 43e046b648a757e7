"""What pictures drawn for conditions are measured by, and that each answers to its condition."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.data.drawings import NO_TONE, Drawings
from pipeline.metrics import consistency as agreement
from pipeline.metrics import image_suite as pictures
from pipeline.metrics import posterior
from pipeline.metrics.image_features import Watcher
from pipeline.networks.simclr import Observer
from pipeline.sampling import draw as sampling
from pipeline.tasks import drawings as tasks
from pipeline.tasks.drawings import Pairs
from stages.evaluate_image import with_known_answers

torch.set_num_threads(1)
SIZE = 16


def pixels(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)).byte()


def drawings(num_six: int = 2, num_others: int = 70) -> Drawings:
    """Drawings of noise: the first in six tones, which share line layer and map and differ in their skin."""
    num = 6 * num_six + num_others
    kinds = torch.zeros(num, SIZE, SIZE, dtype=torch.uint8)
    kinds[:, 4:12, 4:12] = pictures.SKIN
    pictured, sketches = pixels(num, 3, SIZE, SIZE), pixels(num, 1, SIZE, SIZE, seed=1)
    tones, bases = torch.full((num,), NO_TONE), torch.arange(num)
    for i in range(num_six):
        rows = slice(6 * i, 6 * i + 6)
        pictured[rows], sketches[rows] = pictured[6 * i].clone(), sketches[6 * i].clone()
        pictured[rows, :, 4:12, 4:12] = torch.arange(6).view(6, 1, 1, 1).byte() * 40
        tones[rows], bases[rows] = torch.arange(6), 6 * i
    nothing = ("",) * num
    tokens = torch.ones(num, 4, dtype=torch.long)
    return Drawings(pictured, sketches, kinds, nothing, tokens, nothing, bases, tones, 5, 3)


SETTINGS = pictures.Params(num_draws=4, num_tone_draws=6, kid_subsets=3, kid_subset_size=20, seed=0)


@pytest.fixture(scope="module")
def watcher() -> Watcher:
    torch.manual_seed(0)
    return Watcher(Observer(4, (3, SIZE, SIZE)).eval(), {"name": "observer", "weights": ""})


def measured(drawn: Tensor, task: str, watcher: Watcher, data: Drawings) -> dict[str, float]:
    entries = pictures.measure(drawn, tasks.TASKS[task](data), data, task, watcher, SETTINGS)
    assert all(entry["num_samples"] == len(drawn) for entry in entries.values())
    return {name: entry["value"] for name, entry in entries.items()}


def test_the_truth_itself_has_no_error_no_distance_and_is_always_recognised(watcher: Watcher) -> None:
    data = drawings()
    values = measured(data.pictures[:, None], "sketch", watcher, data)
    assert values["sample_mse"] == values["mean_mse"] == values["apsd"] == values["sample_distance"] == 0
    assert values["gradient_energy"] == 1
    assert values["fid"] == pytest.approx(0, abs=1e-3)
    assert values["cfid"] == pytest.approx(0, abs=1e-3)
    assert values["recognition"] == 1
    assert "gain_2" not in values  # of one draw there is no mean


def test_pictures_of_other_drawings_are_recognised_by_chance_and_err_as_far_as_they_lie_apart(
    watcher: Watcher,
) -> None:
    data = drawings(num_six=0, num_others=100)
    values = measured(data.pictures.roll(1, 0)[:, None], "sketch", watcher, data)
    expected = (data.pictures.roll(1, 0).double() - data.pictures.double()).div(255).square().mean().item()
    assert values["sample_mse"] == pytest.approx(expected)
    assert values["recognition"] == pytest.approx(0.5, abs=0.12)
    assert values["fid"] == pytest.approx(0, abs=1e-3)  # the same pictures, only not where they belong
    assert values["cfid"] > 10 * values["fid"]


def test_a_segmentation_is_measured_by_the_pixels_it_gets_right(watcher: Watcher) -> None:
    data = drawings()
    maps = tasks.segment(data).pictures
    wrong = maps.clone()
    wrong[:, :, :4] = 0
    wrong[:, 4, :4] = 255  # a quarter of the background is said to be of another kind
    values = measured(wrong[:, None], "segment", watcher, data)
    assert values["pixel_accuracy"] == pytest.approx(0.75)
    assert "condition_error" not in values


@pytest.mark.parametrize("task", ["colourise", "superres", "inpaint", "sketch"])
def test_a_true_picture_agrees_with_its_condition_and_a_false_one_does_not(task: str) -> None:
    data = drawings(num_six=0, num_others=30)
    if task == "sketch":  # true pictures have black lines where the sketch has
        data.pictures[(data.sketches < agreement.INK).expand(-1, 3, -1, -1)] = 0
        data.sketches[data.sketches < agreement.INK] = 0
    pairs = tasks.TASKS[task](data)
    true = agreement.disagreement(task, pairs.conditions, pairs.pictures)["condition_error"]
    false = agreement.disagreement(task, pairs.conditions, 255 - pairs.pictures)["condition_error"]
    assert true == pytest.approx(0, abs=1e-6)
    assert false > 0.05


def test_the_difference_from_a_grey_condition_is_in_shares_of_the_range() -> None:
    given, drawn = torch.full((2, 1, 4, 4), 100).byte(), torch.full((2, 3, 4, 4), 151).byte()
    assert agreement.disagreement("colourise", given, drawn)["condition_error"] == pytest.approx(51 / 255)
    assert agreement.disagreement("text", given, drawn) == {}


def test_variants_of_one_drawing_are_not_compared_when_it_is_to_be_recognised() -> None:
    truth = torch.tensor([[0.0], [0.0], [10.0]])
    drawn = torch.tensor([[1.0], [-1.0], [7.0]])
    assert agreement.recognition(drawn, truth, torch.tensor([0, 0, 1])) == 1
    assert agreement.recognition(drawn.flip(0), truth, torch.tensor([0, 0, 1])) == pytest.approx(0.25)


def test_known_answers_are_those_of_drawings_whose_condition_does_not_tell_the_tone() -> None:
    data = drawings()
    for task, known in {
        "sketch": 2,
        "semantic": 2,
        "colourise": 0,
        "superres": 0,
        "text": 0,
        "segment": 0,
    }.items():
        assert len(with_known_answers(tasks.TASKS[task](data), data)) == known, task
    data.kinds[:6] = 0  # the first shows no skin
    assert with_known_answers(tasks.sketch(data), data).tolist() == [list(range(6, 12))]


def test_a_sampler_of_the_six_answers_uses_its_latents_as_much_as_the_truth_differs() -> None:
    data = drawings()
    six = data.six_tones()
    truth, masks = data.pictures[six], data.kinds[six[:, 0]] == pictures.SKIN
    values = {name: entry["value"] for name, entry in pictures.of_tones(truth, truth, masks).items()}
    expected = {"tone_recall": 6, "tone_purity": 1, "tone_tv": 0, "z_sensitivity": 1}
    assert values == pytest.approx(expected)


def test_calibration_bins_hold_equal_shares_of_pixels_and_rise_with_the_predicted_deviation() -> None:
    source = torch.Generator().manual_seed(0)
    sd = torch.linspace(0, 40, SIZE).view(1, 1, 1, 1, SIZE)
    drawn = (128 + sd * torch.randn(40, 16, 3, SIZE, SIZE, generator=source)).clamp(0, 255).byte()
    truth = (128 + sd[:, 0] * torch.randn(40, 3, SIZE, SIZE, generator=source)).clamp(0, 255).byte()
    curve = pictures.calibration_curve(drawn, truth)
    predicted, actual = curve["predicted_sd"], curve["actual_error"]
    assert len(predicted) == pictures.NUM_BINS
    assert (predicted.diff() > 0).all()
    assert actual[-1].item() == pytest.approx(predicted[-1].item() * (1 + 1 / 16) ** 0.5, rel=0.1)
    assert actual.square().mean().sqrt().item() * 255 == pytest.approx(
        (posterior.errors(drawn, truth)["mean_mse"] ** 0.5) * 255, rel=1e-4
    )


class Echo(nn.Module):
    """Draws its condition, brighter by its latent."""

    num_latents, num_noise = 1, 0

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return c.repeat_interleave(len(z) // len(c), 0) + z[:, :, None, None] / 100


def test_conditions_taken_in_parts_give_the_pictures_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = Pairs(pixels(11, 1, 4, 4), pixels(11, 1, 4, 4), torch.arange(11), 1)
    chosen = torch.arange(11)
    whole = sampling.draw(Echo(), pairs.told(chosen), 3, 0)
    monkeypatch.setattr(sampling, "BATCH", 7)
    assert torch.equal(sampling.draw_told(Echo(), pairs.told, chosen, 3, 0), whole)
