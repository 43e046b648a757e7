"""Posteriors of six answers that are known, as by hand: skin of greys 40 apart on a quarter of the image."""

from pathlib import Path

import pytest
import torch
from helpers.exact import Exact, Known, flow
from helpers.small_tasks import drawings, written
from helpers.synthetic import noise
from torch import Tensor, nn

from pipeline.data.prepared import DataSet
from pipeline.metrics import exact, reference, suite
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.runtime import compute

SETTINGS = Settings(num_draws=2, num_tone_draws=2, kid_subsets=2, kid_subset_size=4)
SKIN = (slice(None), slice(4, 12), slice(4, 12))
VARIANCE = (6**2 - 1) / 12 * (40 / 255) ** 2 / 4  # of six greys, averaged over all pixels


def real_of(folder: Path, data: DataSet) -> Reference:
    return reference.take(written(folder, "tones", data), SETTINGS, compute.CPU)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Three conditions, of six answers each."""
    return real_of(tmp_path_factory.mktemp("tones"), drawings(3, 5))


def evaluate(network: nn.Module, real: Reference) -> dict[str, list[float]]:
    """The columns of what is said of a denoiser."""
    found = exact.evaluate(flow(network, (3, 16, 16)), real.pixels[:, None], real)["denoiser"]
    assert isinstance(found, list)
    return {name: [row[name] for row in found] for name in found[0]}


def known(real: Reference) -> Known:
    return Known(*real.task.test.batch(torch.arange(len(real.pixels))))


class Average(nn.Module):
    """Answers the mean of the right answers, whatever it is shown."""

    def __init__(self, real: Reference) -> None:
        super().__init__()
        self.known = known(real)

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        return self.known(x_t, torch.zeros_like(t), c)


def test_the_least_error_and_energy_score_of_six_answers_by_hand(real: Reference) -> None:
    found = exact.evaluate(nn.Identity(), real.pixels[:, None], real)
    mean_distance = sum(abs(i - j) for i in range(6) for j in range(6)) / 36 * 40 / 255 / 2
    assert (found["num_conditions"], found["num_answers"]) == (3, 18)
    assert found["variance"] == pytest.approx(VARIANCE)
    assert found["energy_score_least"] == pytest.approx(mean_distance / 2)
    assert found["energy_score"] == 0  # the truth itself as the one sample
    assert "denoiser" not in found  # of no flow


def test_two_drawings_that_share_a_condition_are_one_with_the_answers_of_both(tmp_path: Path) -> None:
    data = drawings(3, 5)
    images = data.splits["test"]["images"]
    images[6:12] = images[:6]
    images[6:12, *SKIN] += 20
    images[12:] = images[:6].repeat(2, 0)[: len(images[12:])]  # twins, whose answers are no others
    found = exact.evaluate(nn.Identity(), noise(18, 2, 3, 16, 16, seed=0), real_of(tmp_path, data))
    assert (found["num_conditions"], found["num_answers"]) == (1, 12)


def test_the_exact_answers_are_no_way_off_and_the_mean_is_as_far_as_its_column_says(real: Reference) -> None:
    found = evaluate(known(real), real)
    assert found["t"] == [0, 0.25, 0.5, 0.75]
    assert found["network"] == pytest.approx([0] * 4, abs=1e-9)
    assert found["mean"][0] == pytest.approx(0, abs=1e-9)
    assert sorted(found["mean"]) == found["mean"]
    assert found["mean"][3] == pytest.approx(1, abs=0.01)  # with little noise the answer is the truth, V away
    assert evaluate(Average(real), real)["network"] == pytest.approx(found["mean"], abs=1e-9)


def test_a_network_that_knows_no_condition_is_as_far_off_as_the_conditions_means_lie_apart(
    real: Reference,
) -> None:
    x = real.task.test.batch(torch.arange(18))[0]
    means = torch.stack([rows.mean(0) for rows in x.split(6)]).repeat_interleave(6, 0)
    expected = (x.mean(0) - means).square().mean().item() / 4 / VARIANCE
    assert evaluate(Exact(x), real)["network"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("shift", [0, 20])
def test_answers_in_the_training_drawings_colours_are_off_by_what_those_are(
    shift: int, tmp_path: Path
) -> None:
    data = drawings(3, 5)
    data.splits["train"]["images"][:18, *SKIN] += shift
    found = evaluate(Average(real := real_of(tmp_path, data)), real)["training_colours"]
    assert found[0] == pytest.approx((shift / 255) ** 2 / 4 / VARIANCE, abs=1e-6)
    assert shift or found == pytest.approx([0] * 4, abs=1e-6)


def test_of_a_task_of_known_answers_they_are_among_the_details(real: Reference) -> None:
    sampler = flow(known(real), (3, 16, 16), 3)
    found, _, more = suite.evaluate(sampler, real)
    assert more.keys() == {"num_draws", "evidence", "exact"}
    assert more["exact"]["energy_score"] == pytest.approx(found["energy_score"].value)
    assert more["exact"]["variance"] == pytest.approx(VARIANCE)
