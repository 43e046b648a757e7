"""Whether an image agrees with its condition."""

import pytest
import torch
from helpers.small_tasks import drawings

from pipeline.metrics import consistency
from pipeline.tasks import task


@pytest.mark.parametrize("condition", ["colourise", "superres", "inpaint", "sketch"])
def test_a_true_image_agrees_with_its_condition_and_a_false_one_does_not(condition: str) -> None:
    data = drawings(0, 30)
    split = data.splits["test"]
    if condition == "sketch":  # true images have black lines where the sketch has
        ink = split["sketches"] < consistency.INK
        split["sketches"][ink] = 0
        split["images"][ink.repeat(3, 1)] = 0
    x, c = task.in_memory("question", condition, data).test.images(torch.arange(30))
    true, false = (consistency.condition_error(condition, c, drawn) for drawn in (x, 255 - x))
    assert true["condition_error"] == pytest.approx(0, abs=1e-6)
    assert false["condition_error"] > 0.05


def test_the_difference_from_a_condition_is_in_shares_of_the_range() -> None:
    c, drawn = torch.full((2, 1, 4, 4), 100).byte(), torch.full((2, 3, 4, 4), 151).byte()
    assert consistency.condition_error("colourise", c, drawn)["condition_error"] == pytest.approx(51 / 255)
    low = c.expand(-1, 3, -1, -1)
    assert consistency.condition_error("superres", low, drawn)["condition_error"] == pytest.approx(51 / 255)
    hole = torch.zeros(2, 1, 4, 4).byte()
    hole[..., 0] = 255  # what is in there does not count
    drawn[..., 0] = 9
    with_hole = torch.cat([low, hole], 1)
    found = consistency.condition_error("inpaint", with_hole, drawn)
    assert found["condition_error"] == pytest.approx(51 / 255)
    assert consistency.condition_error("text", c, drawn) == {}


def test_of_a_sketch_only_lines_count_and_where_there_are_none_nothing_differs() -> None:
    c, drawn = torch.full((1, 1, 4, 4), 255).byte(), torch.full((1, 3, 4, 4), 40).byte()
    assert consistency.condition_error("sketch", c, drawn) == {"condition_error": 0}
    c[..., 0], c[..., 1] = 10, 128  # a line, and what is just none
    assert consistency.condition_error("sketch", c, drawn)["condition_error"] == pytest.approx(30 / 255)


def test_variants_of_one_drawing_are_not_compared_when_it_is_to_be_matched() -> None:
    truth = torch.tensor([[0.0], [0.0], [10.0]])
    drawn = torch.tensor([[1.0], [-1.0], [7.0]])
    assert consistency.matching_accuracy(drawn, truth, torch.tensor([0, 0, 1])) == 1
    assert consistency.matching_accuracy(drawn.flip(0), truth, torch.tensor([0, 0, 1])) == pytest.approx(0.25)
