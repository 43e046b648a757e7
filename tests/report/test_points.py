"""What the page shows of points in the plane: the member that ended worst, and all counts."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.report import rendered
from helpers.report import result as model

from pipeline.metrics import points as metrics
from pipeline.report import points as report
from pipeline.report.figures import points as figures
from pipeline.report.page import QUESTIONS
from pipeline.report.results import Result
from pipeline.tasks.points import TARGETS


def result(name: str, good: list[int]) -> Result:
    """What a stage might have left: member k draws `good[k]` of ten points on a mode, the rest far off."""
    target = TARGETS[name]
    clouds = torch.full((2, len(good), 10, 2), 0.9 * target.extent)
    for k, number in enumerate(good):
        clouds[:, k, :number] = target.centres[torch.arange(number) % len(target.centres)]
    members = metrics.measure(clouds[-1], target)
    details = {"target": name, "num_modes": len(target.centres), "num_samples": 10, "members": members}
    shares = {"modes": [1.0, float("nan"), 2.0], "good_share": [0.1, float("nan"), 0.3]}
    history = pd.DataFrame({"step": [1, 2, 3]} | shares)
    landscapes = np.random.default_rng(0).normal(size=(2, len(good), 4, 4))
    snapshots = {"steps": np.array([1, 3]), "clouds": clouds.numpy(), "landscapes": landscapes}
    means = metrics.mean(members)
    return model("toys", name, None, details=details, metrics=means, history=history, snapshots=snapshots)


def test_the_report_shows_the_member_that_ended_worst() -> None:
    of_three = result("ring", [8, 3, 5])
    evolution = report.worst(of_three)
    assert evolution.good.sum(1).tolist() == [3, 3]
    assert np.array_equal(evolution.landscapes, of_three.snapshots["landscapes"][:, 1].astype(np.float32))


def test_a_landscape_is_shaded_by_rank() -> None:
    logits = np.array([[0.0, 100.0], [-5.0, 0.1]])
    assert figures.shade(logits) == pytest.approx(np.array([[-1 / 3, 1], [-1, 1 / 3]]))


def test_the_section_shows_every_entry() -> None:
    results = {"ring-plain": result("ring", [1, 2]), "grid-stabilised": result("grid", [9, 10])}
    section = report.section(results)
    evolutions, modes = (figure.axes for figure in section.figures.values())
    assert [cell.get_ylabel() for cell in evolutions[::2]] == list(results)
    assert [cell.get_title() for cell in evolutions] == ["step 1", "step 3"] * 2
    assert [list(cell.lines[0].get_ydata()) for cell in modes] == [[1.0, 2.0]] * 2 + [[0.1, 0.3]] * 2
    assert [cell.lines[1].get_ydata()[0] for cell in modes[:2]] == [8, 25]
    text = rendered(section)
    assert section.name in QUESTIONS
    assert "<td>ring-plain</td><td>1, 10 %</td><td>2, 20 %</td><td>8</td><td>15.0 %</td>" in text
    assert "<td>grid-stabilised</td><td>9, 90 %</td><td>10, 100 %</td><td>25</td><td>95.0 %</td>" in text


def test_a_model_without_a_discriminator_has_no_landscape() -> None:
    flow = result("ring", [8])
    del flow.snapshots["landscapes"]
    assert report.worst(flow).landscapes is None
    assert not figures.evolutions({"flow": report.worst(flow)}).axes[0].images
