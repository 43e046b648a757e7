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
    prepared.save(tmp_path / "drawings.npz", data)
    return tmp_path / "drawings.npz"


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


def test_equal_data_sets_are_equal_bytes(data: DataSet, path: Path, tmp_path: Path) -> None:
    again = DataSet(data.splits, dict(reversed(data.facts.items())), [])
    (tmp_path / "again").mkdir()
    prepared.save(tmp_path / "again" / path.name, again)
    assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        prepared.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not a prepared data set (")
    assert message.endswith("; make it with: dvc repro prepare@drawings")
    assert "\n" not in message
    return message


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "drawings.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"some text", bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drawings.npz").write_bytes(content)
    refusal(tmp_path / "drawings.npz")


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_an_archive_cut_short_is_refused(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refusal(path)


def test_an_archive_with_a_changed_byte_is_refused_or_gives_the_same(data: DataSet, path: Path) -> None:
    """A zip file has bytes that do not matter, such as its members' dates."""
    content = path.read_bytes()
    num_refused, step = 0, 29
    for place in range(0, len(content), step):
        path.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        try:
            found = prepared.load(path)
        except InputError:
            num_refused += 1
        else:
            assert same(found, data)
    assert num_refused > 0.7 * len(content) / step


@pytest.mark.parametrize(
    ("place", "value"),
    [(6, 255), (8, 1), (8, 0x20), (8, 0x40), (10, 8), (10, 9), (10, 12), (10, 14)],
    ids=["version", "password", "patch", "encryption", "deflate", "deflate64", "bzip2", "lzma"],
)
def test_an_archive_that_calls_itself_another_kind_of_zip_is_refused(
    path: Path, place: int, value: int
) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + place] = value  # in the first entry of its directory
    path.write_bytes(content)
    refusal(path)


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


@pytest.mark.parametrize(
    ("missing", "said"), [("facts", "facts"), ("train/images", "images"), ("test/images", "images")]
)
def test_an_archive_without_facts_or_images_is_refused(path: Path, missing: str, said: str) -> None:
    np.savez(path, **{name: array for name, array in arrays(path).items() if name != missing})
    assert said in refusal(path)


@pytest.mark.parametrize("more", [{"pixels": np.zeros(3)}, {"later/images": np.zeros(3)}, {"facts": "{"}])
def test_an_archive_of_something_else_is_refused(path: Path, more: dict[str, np.ndarray]) -> None:
    np.savez(path, **(arrays(path) | more))
    refusal(path)


def test_pickled_objects_are_not_loaded(path: Path) -> None:
    np.savez(path, **(arrays(path) | {"train/names": np.array([print], object)}))
    assert "allow_pickle" in refusal(path)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "drawings.npz", "wb") as file:
        np.save(file, np.zeros(3))
    refusal(tmp_path / "drawings.npz")
