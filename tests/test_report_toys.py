"""What the page shows of toys: the member that ended worst, and all counts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from jinja2 import StrictUndefined, Template

from pipeline.metrics import points as toy
from pipeline.report import toys as report
from pipeline.report.figures import points as figures_toys
from pipeline.tasks.points import TARGETS

torch.set_num_threads(1)


def result(name: str, good: list[int]) -> report.ToyResult:
    """What a stage might have left: member k draws `good[k]` of ten points on a mode, the rest far off."""
    target = TARGETS[name]
    clouds = torch.full((2, len(good), 10, 2), 0.9 * target.extent)
    for k, number in enumerate(good):
        clouds[:, k, :number] = target.centres[torch.arange(number) % len(target.centres)]
    members = toy.measure(clouds[-1], target)
    scores = {"target": name, "num_modes": len(target.centres), "num_samples": 10}
    scores |= {"members": members, "mean": toy.mean(members)}
    history = pd.DataFrame({"step": [1, 2, 3], "modes": [1.0, float("nan"), 2.0]})
    landscapes = np.random.default_rng(0).normal(size=(2, len(good), 4, 4))
    return report.ToyResult(scores, history, np.array([1, 3]), clouds.numpy(), landscapes)


def test_the_report_shows_the_member_that_ended_worst() -> None:
    course = report.worst(result("ring", [8, 3, 5]))
    assert course.good.sum(1).tolist() == [3, 3]
    assert np.array_equal(course.landscapes, result("ring", [8, 3, 5]).landscapes[:, 1].astype(np.float32))


def test_a_landscape_is_shaded_by_rank() -> None:
    logits = np.array([[0.0, 100.0], [-5.0, 0.1]])
    assert figures_toys.shade(logits) == pytest.approx(np.array([[-1 / 3, 1], [-1, 1 / 3]]))


def test_the_section_shows_every_entry_and_equal_results_give_equal_bytes() -> None:
    results = {"ring-plain": result("ring", [1, 2]), "grid-remedied": result("grid", [9, 10])}
    section, again = report.section(results), report.section(results)
    assert section.figures == again.figures
    assert all(content.startswith(b"\x89PNG") for content in section.figures.values())
    folder = Path(report.__file__).parent
    template = Template((folder / section.template).read_text(), undefined=StrictUndefined)
    text = template.render(values=section.values, images=dict.fromkeys(section.figures, "data:"))
    assert text.startswith(f'<h2 id="{section.name}">')
    assert "<td>ring-plain</td><td>1</td><td>2</td><td>8</td><td>15.0 %</td>" in text
    assert "<td>grid-remedied</td><td>9</td><td>10</td><td>25</td><td>95.0 %</td>" in text
