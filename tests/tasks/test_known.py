"""Conditions that have six right answers: which are found, and that a wrong one is not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_tasks import drawings, written

from pipeline.data.prepared import DataSet
from pipeline.data.sets.drawings import NO_TONE
from pipeline.tasks import known
from pipeline.tasks.task import Task


def known_of(task: Task) -> list[list[int]]:
    return task.test.arrays.get("variants", torch.empty(0, 6)).tolist()


def test_the_six_tones_of_a_drawing_are_row_numbers_in_the_order_of_the_tones() -> None:
    bases = np.array([7, 3, 7, 3, 3, 9, 3, 7, 7, 3, 7, 3, 7])
    tones = np.array([5, 0, 4, 1, 2, NO_TONE, 3, 3, 2, 4, 1, 5, 0])
    assert known.six_tones(bases, tones).tolist() == [[1, 3, 4, 6, 9, 11], [12, 10, 8, 7, 2, 0]]


@pytest.mark.parametrize(
    ("condition", "num"),
    [
        ("sketch", 2),
        ("semantic", 2),
        ("colourise", 0),
        ("text", 0),
        ("segment", 0),
        ("none", 0),
    ],
)
def test_known_are_test_drawings_whose_condition_does_not_tell_the_tone(
    condition: str, num: int, tmp_path: Path
) -> None:
    task = written(tmp_path, condition, drawings())
    assert known_of(task) == [list(range(6)), list(range(6, 12))][:num]
    assert not {"variants", "skin"} & {*task.splits["train"].arrays, *task.validation.arrays}
    if num:
        skin = torch.zeros(16, 16, dtype=torch.uint8)
        skin[4:12, 4:12] = 1
        assert torch.equal(task.test.arrays["skin"], skin.expand(2, -1, -1))


def changed(data: DataSet, field: str, row: int, value: int) -> DataSet:
    array = data.splits["test"][field].copy()
    array[row] = value
    return DataSet(data.splits | {"test": data.splits["test"] | {field: array}}, data.facts)


def test_a_drawing_is_left_out_where_one_of_its_conditions_differs_or_no_skin_is_seen(tmp_path: Path) -> None:
    for i, field, row, left in ((0, "sketches", 8, range(6)), (1, "layers", 0, range(6, 12))):
        data = changed(drawings(), field, row, 0)
        assert known_of(written(tmp_path / str(i), "sketch", data)) == [[*left]]
