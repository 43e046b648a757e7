"""Arrays on disk: filled row by row, going on where that was cut off; mapped, however large they are."""

import gc
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipeline.data import arrays

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 3, 4, 4), np.uint8)
LABELS = np.arange(7, dtype=np.int64)


def forms(folder: Path) -> dict[Path, arrays.Form]:
    return {
        folder / "images.npy": (IMAGES.shape, np.uint8),
        folder / "labels.npy": (LABELS.shape, np.int64),
    }


def rows(first: int) -> Iterator[Sequence[np.ndarray]]:
    yield from zip(IMAGES[first:], LABELS[first:], strict=True)


def as_numpy_saves(folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    np.save(folder / "images.npy", IMAGES)
    np.save(folder / "labels.npy", LABELS)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.npy")}


def test_files_that_are_filled_are_those_that_numpy_would_save(tmp_path: Path) -> None:
    arrays.fill(forms(tmp_path), rows)
    assert contents(tmp_path) == as_numpy_saves(tmp_path / "numpy")


def test_rows_that_are_no_slice_of_memory_are_written_in_their_order(tmp_path: Path) -> None:
    turned = IMAGES.transpose(0, 1, 3, 2)
    arrays.fill(
        {tmp_path / "a.npy": (IMAGES.shape, np.uint8)}, lambda first: ([row] for row in turned[first:])
    )
    assert np.array_equal(arrays.load(tmp_path / "a.npy"), turned)


@pytest.mark.parametrize(
    ("images", "labels"), [(0, 0), (40, 0), (128, 128), (300, 137), (10_000, 140), (191, 10_000)]
)
def test_a_file_cut_off_anywhere_is_filled_from_its_last_whole_row_on(
    images: int, labels: int, tmp_path: Path
) -> None:
    whole = as_numpy_saves(tmp_path / "numpy")
    (tmp_path / "images.npy").write_bytes(whole["images.npy"][:images])
    (tmp_path / "labels.npy").write_bytes(whole["labels.npy"][:labels])
    asked = list[int]()

    def counted(first: int) -> Iterator[Sequence[np.ndarray]]:
        asked.append(first)
        return rows(first)

    arrays.fill(forms(tmp_path), counted)
    assert contents(tmp_path) == whole
    done = min((images - 128) // 48, (labels - 128) // 8, 7)
    assert asked == [max(done, 0)]


def test_what_is_not_whole_is_refused(tmp_path: Path) -> None:
    def broken(first: int) -> Iterator[Sequence[np.ndarray]]:
        yield from list(rows(first))[:3]
        raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        arrays.fill(forms(tmp_path), broken)
    with pytest.raises(ValueError, match="greater than file size"):
        arrays.load(tmp_path / "images.npy")
    arrays.fill(forms(tmp_path), rows)
    assert np.array_equal(arrays.load(tmp_path / "images.npy"), IMAGES)


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (0,)])
def test_an_array_may_have_no_rows(shape: tuple[int, ...], tmp_path: Path) -> None:
    arrays.fill({tmp_path / "a.npy": (shape, np.uint8)}, lambda first: [])
    assert arrays.load(tmp_path / "a.npy").shape == shape


def test_an_array_may_be_larger_than_memory_and_is_read_where_it_is_looked_at(tmp_path: Path) -> None:
    """A mapping that could be written to would be refused: the system would have to find room for it."""
    row, num = 2**20, 3 * psutil.virtual_memory().total // 2**20
    head = arrays.head(((num, row), np.uint8))
    with open(tmp_path / "a.npy", "wb") as file:
        file.write(head)
        file.seek(len(head) + (num - 2) * row)
        file.write(bytes([7]) * row)
        file.truncate(len(head) + num * row)  # the rest is a hole
    found = arrays.load(tmp_path / "a.npy")
    assert [int(found[i, -1]) for i in (0, num - 2, num - 1)] == [0, 7, 0]
    assert arrays.read(found, [0, num - 2, num - 1])[:, -1].tolist() == [0, 7, 0]


def shared() -> int:
    """Bytes of files that this process holds."""
    return psutil.Process().memory_info().shared


def test_rows_that_are_read_are_those_asked_for_and_not_held(tmp_path: Path) -> None:
    content = np.random.default_rng(0).integers(0, 2**60, (2000, 4, 1000))  # 64 MB
    np.save(tmp_path / "a.npy", content)
    found, first = arrays.load(tmp_path / "a.npy"), shared()
    for rows in np.random.default_rng(1).integers(0, 2000, (40, 50)):
        assert np.array_equal(arrays.read(found, rows.tolist()), content[rows])
    assert arrays.read(found, []).shape == (0, 4, 1000)
    assert shared() < first + 2**20
    assert np.array_equal(found, content)
    assert shared() > first + 60 * 2**20
    arrays.release()
    assert shared() < first + 2**20
    assert np.array_equal(found[1999], content[1999])


def test_a_file_that_is_cut_short_while_it_is_read_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    found = arrays.load(tmp_path / "a.npy")
    os.truncate(tmp_path / "a.npy", 200)
    with pytest.raises(OSError, match="was cut short") as caught:
        arrays.read(found, [0, 6])
    assert caught.value.filename == str(tmp_path / "a.npy")


def test_files_are_closed_when_their_arrays_are_gone(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    gc.collect()
    before = psutil.Process().num_fds()
    found = [arrays.load(tmp_path / "a.npy") for _ in range(5)]
    assert psutil.Process().num_fds() >= before + 5
    del found
    gc.collect()
    assert psutil.Process().num_fds() == before


def test_a_link_is_a_copy_where_there_can_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", IMAGES)

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(arrays.os, "link", refuse)
    arrays.save(tmp_path / "b.npy", arrays.load(tmp_path / "a.npy"))
    assert not (tmp_path / "a.npy").samefile(tmp_path / "b.npy")
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
