"""One of six tones from what all six have in common."""

from pathlib import Path

import pytest
import torch
from helpers.small_tasks import drawings, written

from pipeline.data.prepared import DataSet
from pipeline.runtime.errors import InputError
from pipeline.tasks import task

ORDERED = drawings(3, 5)  # of the eight bases in each split three, the first, have six tones
DATA = DataSet(
    {
        split: {name: array[::-1].copy() for name, array in rows.items()}
        for split, rows in ORDERED.splits.items()
    },
    ORDERED.facts,
)


def test_only_drawings_in_six_tones_are_asked_for_base_by_base() -> None:
    examples = task.in_memory("question", "tones", DATA).train
    assert len(examples) == 18
    x, _ = examples.images(torch.arange(18))
    assert torch.equal(x, torch.from_numpy(ORDERED.splits["train"]["images"][:18]))


def test_the_condition_is_what_all_six_share_grey_elsewhere_and_a_map_of_where() -> None:
    x, c = task.in_memory("question", "tones", DATA).train.images(torch.arange(18))
    for images, conditions in zip(x.split(6), c.split(6), strict=True):
        differ = (images != images[0]).any(0).any(0)
        assert 0 < differ.sum() < differ.numel()
        expected = torch.where(differ, 128, images[0])
        for shown in conditions:
            assert torch.equal(shown[:3], expected)
            assert torch.equal(shown[3], differ * torch.tensor(255, dtype=torch.uint8))


def test_the_true_answers_of_a_test_condition_are_its_six_drawings(tmp_path: Path) -> None:
    made = written(tmp_path, "tones", DATA)
    assert made.test.arrays["variants"].tolist() == [list(range(6 * k, 6 * k + 6)) for k in range(3)]
    assert made.test.arrays["skin"].shape == (3, 16, 16)


def test_data_without_drawings_in_six_tones_are_refused() -> None:
    with pytest.raises(InputError, match="condition = 'tones': no drawing of the train split has six tones"):
        task.in_memory("question", "tones", drawings(0, 5))
