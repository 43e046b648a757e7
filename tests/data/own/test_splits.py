"""The splits of a user's images: nothing in two of them that is alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pair_files import (
    SIZE,
    WHITE,
    by_name,
    in_two_folders,
    noise,
    plain,
    prepared,
    save,
    side_by_side,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.own import load
from pipeline.data.own.layouts import Item, Layout
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.data.sets import pairs
from pipeline.runtime.errors import InputError

ORDER = SPLITS.index


def names(data: DataSet) -> dict[str, list[str]]:
    return {split: data.splits[split]["names"].tolist() for split in SPLITS}


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        prepared(folder, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@settings(max_examples=30, deadline=None)
@given(
    groups=st.lists(st.integers(0, 5), min_size=10, max_size=30),
    given_splits=st.lists(st.sampled_from([None, None, "train", "validation", "test"]), min_size=30),
    seed=st.integers(0, 100),
)
def test_what_is_alike_is_in_one_split_and_what_folders_say_is_kept(
    groups: list[int], given_splits: list[str | None], seed: int
) -> None:
    keys = [f"{i:02}" for i in range(len(groups))]
    items = [Item(key, (Path(key),), split) for key, split in zip(keys, given_splits, strict=False)]
    looked = load.Looked(Path("mine"), Layout("", items, []), items, {}, np.array(groups), {}, [])
    chosen_by = pairs.Settings(kind="pairs", folder="", seed=seed)
    highest = [
        max(
            (item.split or "train" for item, each in zip(items, groups, strict=True) if each == group),
            key=ORDER,
        )
        for group in set(groups)
    ]
    if highest.count("train") <= len({"validation", "test"} - {*highest}):
        with pytest.raises(InputError, match=f"^mine: {len(groups)} examples leave no "):
            load.split(looked, chosen_by)
        return
    chosen, left_out = load.split(looked, chosen_by)
    assert set(chosen) - {""} == set(SPLITS)
    for group in set(groups):
        assert len({*chosen[np.array(groups) == group]} - {""}) == 1
    for item, split in zip(items, chosen, strict=True):
        assert item.split in (None, "train") or split in (item.split, "")
        assert (split == "") == any(line.startswith(f"{item.key}: ") for line in left_out)
    for split in ("validation", "test"):
        sources = {item.split for item, found in zip(items, chosen, strict=True) if found == split}
        assert sources == {split} or split not in sources


def test_shares_are_of_what_is_alike_and_the_seed_alone_chooses(tmp_path: Path) -> None:
    folder = side_by_side(tmp_path, 40)
    data, again, other = (prepared(folder, seed=seed) for seed in (0, 0, 1))
    assert {split: len(found) for split, found in names(data).items()} == {
        "train": 28,
        "validation": 6,
        "test": 6,
    }
    assert names(data) == names(again) != names(other)
    assert sorted(data.splits["train"]["bases"]) != sorted(other.splits["train"]["bases"])


@pytest.mark.parametrize("seed", range(4))
def test_copies_and_several_answers_to_one_condition_go_where_the_first_goes(
    tmp_path: Path, seed: int
) -> None:
    folder = in_two_folders(tmp_path, 12)
    for i in range(3):  # 20, 21, 22 have A of 0; B of 22 is that of 5
        save(folder / f"A/{20 + i}.bmp", noise(SIZE, 2 * SIZE, 0)[:, :SIZE])
        save(folder / f"B/{20 + i}.png", noise(SIZE, SIZE, 50 + i))
    save(folder / "B/22.png", noise(SIZE, 2 * SIZE, 5)[:, SIZE:])
    data = prepared(folder, seed=seed)
    assert data.left_out == []
    (split,) = {name for name, found in names(data).items() if {"0", "5", "20", "21", "22"} & {*found}}
    assert {"0", "5", "20", "21", "22"} <= {*names(data)[split]}
    bases = by_name(data, "bases")
    assert len({bases[name].item() for name in ("0", "5", "20", "21", "22")}) == 1
    assert len({base.item() for base in bases.values()}) == 11
    assert data.said[-2] == "4 share an image with another, and go into one split with it"


def test_the_same_image_as_a_and_as_b_of_another_pair_or_blank_makes_nothing_alike(tmp_path: Path) -> None:
    folder = in_two_folders(tmp_path, 12)
    save(folder / "A/0.png", noise(SIZE, 2 * SIZE, 1)[:, SIZE:])
    for i in (2, 3, 4):
        save(folder / f"A/{i}.png", plain(WHITE))
    data = prepared(folder)
    assert len({base.item() for base in by_name(data, "bases").values()}) == 12
    assert "A: 3 of 12 are blank, of one value all over: 2, 3, 4" in data.said


def test_folders_called_train_and_test_stay_that_and_validation_is_taken_from_training(
    tmp_path: Path,
) -> None:
    for i in range(20):
        save(tmp_path / ("test" if i < 4 else "train") / f"{i}.png", noise(SIZE, 2 * SIZE, i))
    found = names(prepared(tmp_path, validation_share=0.25))
    assert found["test"] == [f"test/{i}" for i in range(4)]
    assert len(found["validation"]) == 4
    assert all(name.startswith("train/") for name in (*found["train"], *found["validation"]))


def test_a_training_image_that_shows_the_same_as_one_for_testing_is_left_out(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / "train" / f"{i}.png", noise(SIZE, 2 * SIZE, i))
        save(tmp_path / "test" / f"{i}.png", noise(SIZE, 2 * SIZE, 100 + i))
    save(tmp_path / "test/copy.png", noise(SIZE, 2 * SIZE, 3))
    data = prepared(tmp_path)
    assert data.left_out == ["train/3.png: shows the same as an image of the test split"]
    assert "test/copy" in names(data)["test"]
    assert sum(map(len, names(data).values())) == 24


def test_a_folder_whose_examples_are_all_alike_leaves_no_split(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / f"{i}.png", noise(SIZE, 2 * SIZE, 0))
    assert refusal(tmp_path) == f"{tmp_path}: 12 examples leave no train split; there must be more"
