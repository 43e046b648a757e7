"""From the average to one answer: the dial of a flow whose answers are exact."""

import dataclasses
from pathlib import Path

import pytest
import torch
from helpers.exact import Exact, Known
from helpers.small_tasks import digits, drawings, written

from pipeline.metrics import denoisers, dial, frechet, posterior, reference, suite
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.networks.flow import Flow, sampling_with
from pipeline.runtime import compute
from pipeline.sampling.draw import draw

SETTINGS = Settings(num_dial_samples=18, dial_on=["question"], num_draws=2, num_tone_draws=2)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Three conditions, of six answers each."""
    task = written(tmp_path_factory.mktemp("tones"), "tones", drawings(3, 5))
    return reference.take(task, SETTINGS, compute.CPU)


@pytest.fixture
def flow(real: Reference) -> Flow:
    """One that else samples in other ways, and far from its posterior."""
    x, c = real.task.test.batch(torch.arange(18))
    return Flow(Known(x, c), (3, 16, 16), "heun", 7, "data", guidance=3.0)


def test_one_step_errs_by_the_variance_and_many_by_twice_as_much(real: Reference, flow: Flow) -> None:
    rows, _ = dial.measure(flow, real)
    assert [row["steps"] for row in rows] == [1, 2, 4, 8, 16, 32]
    points = (real.pixels[:6].flatten(1) / 255).double()
    variance = denoisers.least_scores(points, torch.full((6,), 1 / 6).double())[0] / points.shape[1]
    assert rows[0]["sample_mse"] == pytest.approx(variance, rel=0.01)
    assert rows[-1]["sample_mse"] == pytest.approx(2 * variance, rel=0.3)
    assert rows[0]["apsd"] == 0
    assert rows[-1]["apsd"] > 0
    assert rows[-1]["energy_score"] < rows[0]["energy_score"]
    assert all(torch.tensor([*row.values()]).isfinite().all() for row in rows)
    assert (flow.solver, flow.num_steps, flow.guidance) == ("heun", 7, 3.0)


def test_each_row_is_of_eulers_samples_without_guidance(real: Reference, flow: Flow) -> None:
    row = dial.measure(flow, real)[0][2]
    with sampling_with(flow, "euler", 4, 1.0):
        drawn = draw(flow, real.task.test.conditions, torch.arange(18), 2, 0)
    assert row["sample_mse"] == pytest.approx(posterior.errors(drawn, real.pixels)["sample_mse"])
    assert row["energy_score"] == pytest.approx(posterior.energy_score(drawn, real.pixels))
    assert row["apsd"] == pytest.approx(posterior.spread(drawn))
    features = real.extractor.features(drawn[:, 0])
    assert row["fid"] == pytest.approx(frechet.fid(features, real.features), rel=1e-3)


def test_pictures_are_of_conditions_evenly_spread_from_the_mean_to_a_right_answer(
    real: Reference, flow: Flow
) -> None:
    shown = {name: torch.from_numpy(images) for name, images in dial.measure(flow, real)[1].items()}
    assert shown["dial"].shape == (6, 3, 3, 16, 16)
    assert torch.equal(shown["dial_truth"], real.pixels[[0, 6, 12]])
    assert shown["dial_condition"].shape == (3, 3, 16, 16)
    for k, (first, last) in enumerate(zip(shown["dial"][0].float(), shown["dial"][-1].float(), strict=True)):
        answers = real.pixels[6 * k : 6 * k + 6].float()
        assert (first - answers.mean(0)).abs().max() <= 1
        assert min((last - answer).abs().max() for answer in answers) <= 1


def test_no_more_conditions_are_asked_than_the_settings_say_and_the_dial_is_where_they_say(
    real: Reference, flow: Flow
) -> None:
    few = dataclasses.replace(real, settings=SETTINGS.model_copy(update={"num_dial_samples": 6}))
    shown = dial.measure(flow, few)[1]
    assert torch.equal(torch.from_numpy(shown["dial_truth"]), real.pixels[[0, 2, 4]])
    found = suite.evaluate(flow, real)
    assert found.more["dial"] == dial.measure(flow, real)[0]
    assert {"dial", "dial_truth", "dial_condition"} < found.shown.keys()
    elsewhere = dataclasses.replace(real, settings=SETTINGS.model_copy(update={"dial_on": []}))
    assert "dial" not in suite.evaluate(flow, elsewhere).more


def test_of_classes_there_is_a_dial_too_without_pictures_of_conditions(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"num_samples": 20, "num_neighbours": 3})
    task = written(tmp_path, "label", digits())
    found = reference.take(task, settings, compute.CPU)
    sampler = Flow(Exact(task.test.batch(torch.arange(20))[0]), (1, 28, 28), "euler", 4)
    rows, shown = dial.measure(sampler, found)
    assert len(rows) == 6
    assert shown.keys() == {"dial", "dial_truth"}
    assert shown["dial"].shape == (6, 3, 3, 28, 28)
