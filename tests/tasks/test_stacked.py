"""Stacked digits: three to an image, the same ones for the same seed."""

from pathlib import Path

import pytest
import torch
from helpers.small_tasks import digits, written
from pydantic import ValidationError

from pipeline.tasks import stacked
from pipeline.tasks.question import Settings

DIGITS = digits(30)


def chosen(num: int = 50, split: str = "train", seed: int = 0) -> torch.Tensor:
    settings = Settings(data="digits", condition="none", num_stacks=num, seed=seed)
    found = stacked.QUESTION.arrays(DIGITS.splits[split], split, settings)
    return torch.from_numpy(found["stacks"])


def test_an_image_has_three_digits_as_its_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "NUM_HELD_OUT", 20)
    task = written(tmp_path, "none", DIGITS, num_stacks=50)
    assert (task.condition, task.kind, task.x_shape, task.condition_shape) == (
        "stacked",
        "none",
        (3, 28, 28),
        (0,),
    )
    assert [len(task.splits[split]) for split in ("train", "validation", "test")] == [50, 20, 20]
    for split, examples in task.splits.items():
        x, c = examples.images(torch.tensor([4, 0, 4]))
        assert c.shape == (3, 0)
        for image, number in zip(x, (4, 0, 4), strict=True):
            for channel, digit in zip(image, chosen(50, split)[number].tolist(), strict=True):
                assert torch.equal(channel, torch.from_numpy(DIGITS.splits[split]["images"][digit, 0]))
    assert task.facts["num_modes"] == 1000


def test_seed_and_split_say_which_digits_make_up_which_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "NUM_HELD_OUT", 50)
    first = chosen()
    torch.rand(3)
    assert torch.equal(chosen(), first)
    others = [chosen(seed=1), chosen(split="validation"), chosen(split="test")]
    for i, other in enumerate(others):
        assert not any(torch.equal(other, one) for one in (first, *others[:i]))


def test_channels_are_independent_and_every_digit_is_used() -> None:
    found = chosen(3000)
    assert all(len(channel.unique()) == 30 for channel in found.T)
    assert (found[:, 0] == found[:, 1]).double().mean().item() == pytest.approx(1 / 30, abs=0.01)
    assert len((found % 10).unique(dim=0)) > 900


@pytest.mark.parametrize("condition", ["label", "sketch"])
def test_only_digits_without_a_condition_are_stacked(condition: str) -> None:
    with pytest.raises(ValidationError, match="allowed with it is none"):
        Settings(data="digits", condition=condition, num_stacks=9)
