"""What the benchmarks compute from what they time; the timing itself is no test's business."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import contest, costs, costs_page, translation_step


def test_a_contenders_rate_ratio_and_share_are_those_of_its_seconds(capsys):
    flop = contest.CONVOLUTION_FLOP / 100  # of an image
    taken = {contest.PLAIN: [2.0, 4.0, 2.0], "ours bf16": [1.0, 1.0, 0.5]}
    taken |= {"convolution fp32": [1.0] * 3, "convolution bf16": [0.5] * 3}
    contest.show("A step", taken, 10, flop)
    plain, ours = capsys.readouterr().out.splitlines()[2:]
    assert re.search(r"plain loop +5 images/s +1\.00 x plain +5% of", plain)
    assert re.search(r"ours bf16 +10 images/s +4\.00 x plain +5% of", ours)


def test_the_fit_finds_the_weights_that_made_the_numbers():
    source = np.random.default_rng(0)
    x, weights = source.uniform(1, 100, (12, 3)), np.array([0.5, 0.0, 2.0])
    assert costs.fitted(x, x @ weights) == pytest.approx(weights, abs=1e-9)


def test_a_step_is_modelled_by_its_images_pixels_and_width():
    seconds, memory = costs.terms([costs.Point("train_gan", 2, 10, 3, 1, 1)])
    assert seconds.tolist() == [[1, 2 * 100 * 3, 2 * 100 * 9]]
    assert memory.tolist() == [[1, 2 * 100 * 3, 9]]


def test_the_page_of_costs_has_a_row_for_each_stage_with_what_was_measured():
    measured = {}
    for point in costs.points():
        x, _ = costs.terms([point])
        cores = point.processes * point.threads
        measured[point] = ((x @ [0.002, 3e-9, 5e-10]).item() / cores, 0.5)
    page = costs_page.table(measured)
    for stage in costs.KINDS:
        assert re.search(rf"\| {stage} \| 2\.0 \| 3\.00 \| 0\.5000 \| 0%, 0% \| 0\.50 ", page), page
    assert "{" not in page
    assert len(costs_page.figure(measured).axes) == 2


@pytest.mark.parametrize("stage", costs.KINDS)
def test_a_measured_step_is_a_step_of_the_stages_kind(stage):
    step = costs.step_of(costs.Point(stage, 8, 28 if stage.endswith("digits") else 32, 4, 1, 1))
    step()
    torch.set_num_threads(1)


def test_an_image_of_twice_the_side_takes_about_four_times_the_operations():
    small, large = (translation_step.flop_of_pix2pix(Path(), size) for size in (32, 64))
    assert 3 < large / small < 6
