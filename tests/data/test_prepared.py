"""A prepared data set on disk: read back, or refused."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.data import prepared
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.runtime.errors import InputError

NUM = {"train": 5, "validation": 1, "test": 3}


@pytest.fixture(scope="module")
def data() -> DataSet:
    source = np.random.default_rng(0)
    splits = {
        split: {
            "images": source.integers(0, 256, (num, 3, 4, 4), np.uint8),
            "tokens": source.integers(0, 9, (num, 12)),
            "captions": np.array([f"two words {i}" for i in range(num)]),
        }
        for split, num in NUM.items()
    }
    facts = {"source": "own", "num_words": 5}
    return DataSet(splits, facts, ["torn.png: cannot be read"], ["A|B side by side"])


@pytest.fixture
def path(data: DataSet, tmp_path: Path) -> Path:
    prepared.save(tmp_path / "drawings", data)
    return tmp_path / "drawings"


def same(one: DataSet, other: DataSet) -> bool:
    return one.facts == other.facts and all(
        one.splits[split].keys() == other.splits[split].keys()
        and all(np.array_equal(array, other.splits[split][name]) for name, array in rows.items())
        for split, rows in one.splits.items()
    )


def test_what_is_loaded_is_what_was_saved_but_for_what_is_said_of_the_files(
    data: DataSet, path: Path
) -> None:
    loaded = prepared.load(path)
    assert same(loaded, data)
    assert tuple(loaded.splits) == SPLITS
    assert loaded.left_out == loaded.said == []
    for split in SPLITS:
        for name, array in data.splits[split].items():
            assert loaded.splits[split][name].dtype == array.dtype


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_equal_data_sets_are_equal_bytes(data: DataSet, path: Path, tmp_path: Path) -> None:
    again = DataSet(data.splits, dict(reversed(data.facts.items())), [])
    prepared.save(tmp_path / "again", again)
    assert contents(tmp_path / "again") == contents(path)
    assert {"facts.json", "train_images.npy", "test_captions.npy"} < contents(path).keys()


def test_what_is_loaded_and_saved_elsewhere_is_the_same_files(path: Path, tmp_path: Path) -> None:
    prepared.save(tmp_path / "again", prepared.load(path))
    for file in path.glob("*.npy"):
        assert file.samefile(tmp_path / "again" / file.name)
        assert file.stat().st_nlink == 2
    assert not (path / "facts.json").samefile(tmp_path / "again/facts.json")


def test_a_part_of_a_loaded_array_is_written_anew(path: Path, tmp_path: Path) -> None:
    loaded = prepared.load(path)
    first = {split: {"images": rows["images"][:1]} for split, rows in loaded.splits.items()}
    prepared.save(tmp_path / "first", DataSet(first))
    found = prepared.load(tmp_path / "first").splits["train"]["images"]
    assert np.array_equal(found, loaded.splits["train"]["images"][:1])
    assert not (tmp_path / "first/train_images.npy").samefile(path / "train_images.npy")


def test_an_earlier_set_is_replaced_also_where_its_files_are_read_only(data: DataSet, path: Path) -> None:
    """As DVC's cache makes them where its files are links."""
    for file in path.iterdir():
        file.chmod(0o444)
    prepared.save(path, DataSet({"train": data.splits["test"]}))
    assert contents(path).keys() == {"facts.json", *(f"train_{name}.npy" for name in data.splits["test"])}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        prepared.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not a prepared data set (")
    assert message.endswith("; make it with: dvc repro prepare@drawings")
    assert "\n" not in message
    return message


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "drawings")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"some text", bytes(100)])
def test_what_is_no_array_is_refused(path: Path, content: bytes) -> None:
    (path / "train_images.npy").write_bytes(content)
    refusal(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_array_cut_short_is_refused(path: Path, share: float) -> None:
    file = path / "train_images.npy"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    refusal(path)


@pytest.mark.parametrize("missing", ["facts.json", "train_images.npy", "test_images.npy"])
def test_a_folder_without_facts_or_images_is_refused(path: Path, missing: str) -> None:
    (path / missing).unlink()
    assert missing in refusal(path)


@pytest.mark.parametrize("facts", ["{", "[]", "3", "\xff"])
def test_facts_of_something_else_are_refused(path: Path, facts: str) -> None:
    (path / "facts.json").write_bytes(facts.encode("latin-1"))
    refusal(path)


def test_pickled_objects_are_not_loaded(path: Path) -> None:
    np.save(path / "train_names.npy", np.array([print], object), allow_pickle=True)
    assert "objects" in refusal(path)
