"""Batches are read ahead by a thread, and are those that would be read without it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from helpers.small_tasks import digits, drawings
from torch import Tensor

from pipeline.data import prepared
from pipeline.runtime import distributed, randomness
from pipeline.tasks import stored, task
from pipeline.tasks.examples import Batch, InMemory, ReadAhead, taken

X = torch.arange(40.0)[:, None]
PLACES = [(8, 0, index) for index in range(9)]
PLACES += [(4, 0, 2), (8, 0, 9), (4, 0, 3), (8, 1, 0), (8, 0, 10), (50, 0, 0)]


@dataclass
class Watched:
    """Examples that write down what is read, by whom, and may break."""

    broken: int = -1  # the batch, by number, that cannot be read
    read: list[list[int]] = field(default_factory=list)
    readers: set[int] = field(default_factory=set)
    begun: threading.Event = field(default_factory=threading.Event)

    take = taken

    def __len__(self) -> int:
        return len(X)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        if len(self.read) == self.broken:
            raise OSError("the disk is gone")
        self.read.append(indices.tolist())
        self.readers.add(threading.get_ident())
        if len(self.read) > 1:
            self.begun.set()
        return X[indices], X[indices, :0]

    def to(self, device: torch.device) -> "Watched":
        return self


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def test_a_batch_is_of_the_numbers_that_its_size_seed_and_index_give() -> None:
    chosen, x, c = InMemory(X, X[:, :0]).take(8, 3, 7)
    assert torch.equal(chosen, randomness.batch_indices(40, 8, 3, 7))
    assert torch.equal(x, X[chosen])
    assert c.shape == (8, 0)


def test_batches_read_ahead_are_the_same_in_any_order() -> None:
    plain = InMemory(X, X[:, :0])
    with ReadAhead(plain) as read:
        for place in PLACES:
            assert same(read.take(*place), plain.take(*place)), place
        assert len(read) == 40
        assert torch.equal(read.batch(torch.tensor([3]))[0], X[[3]])


def test_the_next_batch_is_read_by_a_thread_without_being_asked_for_and_once() -> None:
    watched = Watched()
    with ReadAhead(watched) as read:
        read.take(8, 0, 0)
        assert watched.begun.wait(10)
        for index in range(1, 6):
            read.take(8, 0, index)
    assert [sorted(rows) for rows in watched.read[:6]] == [
        sorted(randomness.batch_indices(40, 8, 0, index).tolist()) for index in range(6)
    ]
    assert len(watched.readers) == 2
    assert len(watched.read) <= 7


def test_no_thread_remains_and_what_it_raised_is_raised_where_the_batch_is_taken() -> None:
    before = threading.active_count()
    with ReadAhead(Watched(broken=1)) as read:
        read.take(8, 0, 0)
        with pytest.raises(OSError, match="the disk is gone"):
            read.take(8, 0, 1)
    assert threading.active_count() == before
    with pytest.raises(IndexError), ReadAhead(Watched()) as read:
        read.batch(torch.tensor([100]))
    assert threading.active_count() == before


@pytest.mark.parametrize("rank", [0, 1])
def test_each_of_two_processes_reads_its_own_rows_and_no_others(
    rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "rank", lambda: rank)
    watched = Watched()
    with ReadAhead(watched) as read:
        chosen = [read.take(8, 0, index).chosen for index in range(5)]
    whole = [randomness.batch_indices(40, 8, 0, index).chunk(2)[rank] for index in range(6)]
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(chosen, whole, strict=False))
    assert {row for rows in watched.read for row in rows} <= {int(row) for rows in whole for row in rows}
    assert len({row for rows in watched.read[:5] for row in rows}) == 20  # half of an epoch


def test_a_set_that_is_large_stays_where_it_is_and_its_batches_go_to_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examples, meta = task.in_memory("question", "label", digits()).splits["train"], torch.device("meta")
    assert examples.to(meta).arrays["images"].device == meta
    monkeypatch.setattr(stored, "MOST_ON_DEVICE", 100)
    moved = examples.to(meta)
    assert moved.arrays["images"].device.type == "cpu"
    with ReadAhead(moved) as read:
        _, x, c = read.take(8, 0, 0)
    assert x.device == c.device == meta
    assert examples.to(torch.device("cpu")).take(8, 0, 0).x.device.type == "cpu"


def test_of_a_large_set_rows_are_read_and_make_the_same_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.save(tmp_path / "set", data := drawings(0, 30))
    mapped = prepared.load(tmp_path / "set")
    for condition in ("none", "sketch", "semantic", "inpaint", "edges"):
        plain = task.in_memory("question", condition, data).splits["train"].augmented(True, 1)
        monkeypatch.setattr(stored, "SMALL", 2**26)
        assert not task.in_memory("question", condition, mapped).splits["train"].files
        monkeypatch.setattr(stored, "SMALL", 1000)
        read = task.in_memory("question", condition, mapped).splits["train"].augmented(True, 1)
        assert "images" in read.files
        for index in range(4):
            assert same(read.take(64, 0, index), plain.take(64, 0, index)), condition
