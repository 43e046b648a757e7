"""Unfinished work: what is resumed, what is not, and what the user is told."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline import compute
from pipeline.digits import Pictures
from pipeline.training import checkpoint
from pipeline.training.loop import Schedule
from pipeline.training.session import Session, evenly

torch.set_num_threads(1)

FACTS: dict[str, Any] = {"params": {"seed": 0, "width": 4}, "data": "abc", "compute": {"threads": 2}}
FP32 = compute.Params(threads=1, precision="fp32")
NO_PICTURES = Pictures(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, dtype=torch.long))


@dataclass
class State:
    network: nn.Linear = field(default_factory=lambda: filled(0.0))
    note: str = "has no state_dict"
    step: int = 0


def filled(value: float) -> nn.Linear:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, value)
    nn.init.constant_(network.bias, 0.0)
    return network


def untouched(state: State) -> bool:
    return state.step == 0 and state.network.weight.item() == 0.0


def test_a_checkpoint_brings_back_the_state_its_step_and_what_came_with_it(tmp_path: Path) -> None:
    extra = {"history": [{"step": 2, "loss": 0.5}], "frames": [torch.tensor([7], dtype=torch.uint8)]}
    checkpoint.save(tmp_path / "run", "mark", State(filled(3.0), step=2), extra)
    state = State()
    found, message = checkpoint.restore(tmp_path / "run", "mark", state)
    assert found == extra
    assert message == "resuming at step 2"
    assert state.step == 2
    assert state.network.weight.item() == 3.0
    assert state.note == "has no state_dict"


def test_a_checkpoint_holds_nothing_that_could_run_code(tmp_path: Path) -> None:
    extra = {"history": [{"step": 1, "loss": 0.25}], "frames": [torch.zeros(2, dtype=torch.uint8)]}
    checkpoint.save(tmp_path, "mark", State(filled(3.0), step=1), extra)
    saved = torch.load(tmp_path / checkpoint.FILE, weights_only=True)
    assert (saved["fingerprint"], saved["step"]) == ("mark", 1)
    assert saved["state"].keys() == {"network"}


def test_where_there_is_no_checkpoint_training_begins_without_a_word(tmp_path: Path) -> None:
    state = State()
    assert checkpoint.restore(tmp_path, "mark", state) == (None, "")
    assert untouched(state)


def test_a_checkpoint_of_another_training_is_not_resumed_and_the_user_is_told(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "mark", State(filled(3.0), step=2), {})
    state = State()
    extra, message = checkpoint.restore(tmp_path, "another mark", state)
    assert extra is None
    assert untouched(state)
    assert str(tmp_path / checkpoint.FILE) in message
    assert message.endswith("starting over")


@pytest.mark.parametrize("damage", ["truncated", "emptied", "overwritten"])
def test_a_damaged_checkpoint_is_not_resumed_and_the_user_is_told(tmp_path: Path, damage: str) -> None:
    checkpoint.save(tmp_path, "mark", State(filled(3.0), step=2), {})
    file = tmp_path / checkpoint.FILE
    whole = file.read_bytes()
    file.write_bytes(
        {"truncated": whole[: len(whole) // 2], "emptied": b"", "overwritten": b"not a checkpoint"}[damage]
    )
    state = State()
    extra, message = checkpoint.restore(tmp_path, "mark", state)
    assert extra is None
    assert untouched(state)
    assert "cannot be read" in message
    assert message.endswith("starting over")
    assert "\n" not in message


def test_a_save_that_fails_leaves_the_last_checkpoint_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, "mark", State(filled(3.0), step=2), {})

    def fill_the_disk(_: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", fill_the_disk)
        with pytest.raises(OSError, match="no space"):
            checkpoint.save(tmp_path, "mark", State(filled(4.0), step=4), {})
    state = State()
    checkpoint.restore(tmp_path, "mark", state)
    assert (state.step, state.network.weight.item()) == (2, 3.0)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]


def test_the_fingerprint_is_the_same_for_the_same_facts_in_any_order() -> None:
    assert checkpoint.fingerprint(FACTS) == checkpoint.fingerprint(dict(reversed(FACTS.items())))


@pytest.mark.parametrize(
    "change",
    [
        {"params": {"seed": 1, "width": 4}},
        {"params": {"seed": 0, "width": 5}},
        {"data": "abd"},
        {"compute": {"threads": 1}},
        {"more": 0},
    ],
)
def test_the_fingerprint_changes_with_each_fact(change: dict[str, Any]) -> None:
    assert checkpoint.fingerprint(FACTS | change) != checkpoint.fingerprint(FACTS)


def test_the_fingerprint_changes_with_torch_the_processor_and_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks = {checkpoint.fingerprint(FACTS)}
    for target, name, value in (
        (torch, "__version__", "0.0"),
        (torch.backends.cpu, "get_cpu_capability", lambda: "ABACUS"),
        (checkpoint, "code_hash", lambda: "other code"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, value)
            marks.add(checkpoint.fingerprint(FACTS))
    assert len(marks) == 4


def test_the_code_hash_covers_our_modules_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_module(name: str, text: str) -> str:
        module = ModuleType(name)
        module.__file__ = str(tmp_path / "module.py")
        (tmp_path / "module.py").write_text(text)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, module)
            return checkpoint.code_hash()

    plain = checkpoint.code_hash()
    assert with_module("pipelines", "a = 1") == plain
    hashes = {
        with_module(name, text) for name in ("pipeline.new", "stages.new") for text in ("a = 1", "a = 2")
    }
    assert len(hashes | {plain}) == 5


class Ear:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.shown: list[tuple[int, np.ndarray]] = []

    def log(self, step: int, scalars: dict[str, float]) -> None:
        self.rows.append((step, scalars))

    def show(self, step: int, picture: np.ndarray) -> None:
        self.shown.append((step, picture))


def session_in(folder: Path, num_steps: int = 8) -> Session:
    """A training that adds its step number to a weight, and draws that weight as one grey pixel."""
    state = State()
    schedule = Schedule(num_steps=num_steps, batch_size=1, log_every=2, save_every=4, seed=0)

    def draw() -> Tensor:
        return torch.full((1, 1, 1, 1), state.network.weight.item()).byte()

    return Session(state, schedule, folder, "mark", draw, frame_steps=[1, 3, 5, 8], listeners=[Ear()])


def kind(ends_in: int = 0, error: BaseException | None = None) -> Any:
    def train_step(state: State, _: Pictures, schedule: Schedule) -> dict[str, Tensor]:
        if error and state.step + 1 == ends_in:
            raise error
        with torch.no_grad():
            state.network.weight += state.step + 1
        loss = torch.tensor(torch.nan) if state.step + 1 == ends_in else state.network.weight.detach().sum()
        return {"loss": loss.clone()}

    return SimpleNamespace(train_step=train_step)


def test_a_session_keeps_history_and_frames_and_tells_its_listeners(tmp_path: Path) -> None:
    session = session_in(tmp_path)
    session.run(kind(), NO_PICTURES, FP32)
    # After step n the weight is n (n + 1) / 2: 1, 3, 6, 10, 15, 21, 28, 36.
    rows = [(2, {"loss": 2.0}), (4, {"loss": 8.0}), (6, {"loss": 18.0}), (8, {"loss": 32.0})]
    assert session.history == [{"step": step, **scalars} for step, scalars in rows]
    assert [frame.item() for frame in session.frames] == [1, 6, 15, 36]
    (ear,) = session.listeners
    assert isinstance(ear, Ear)
    assert ear.rows == rows
    assert [(step, picture[0, 0, 0]) for step, picture in ear.shown] == [(1, 1), (3, 6), (5, 15), (8, 36)]
    assert ear.shown[0][1].shape == (1, 10, 1)  # rows of ten


def test_a_session_that_was_killed_goes_on_with_its_history_and_frames(tmp_path: Path) -> None:
    whole = session_in(tmp_path / "whole")
    whole.run(kind(), NO_PICTURES, FP32)
    with pytest.raises(KeyboardInterrupt):
        session_in(tmp_path / "killed").run(kind(7, KeyboardInterrupt()), NO_PICTURES, FP32)

    resumed = session_in(tmp_path / "killed")
    assert resumed.resume() == "resuming at step 4"
    assert [row["step"] for row in resumed.history] == [2, 4]
    resumed.run(kind(), NO_PICTURES, FP32)

    assert resumed.history == whole.history
    assert torch.equal(torch.stack(resumed.frames), torch.stack(whole.frames))
    assert torch.equal(resumed.state.network.weight, whole.state.network.weight)


def test_a_session_that_diverges_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="loss is nan at step 7"):
        session_in(tmp_path).run(kind(7), NO_PICTURES, FP32)
    resumed = session_in(tmp_path)
    assert resumed.resume() == "resuming at step 4"
    assert resumed.state.network.weight.item() == 10.0


def test_a_session_of_another_mark_starts_over(tmp_path: Path) -> None:
    session_in(tmp_path).run(kind(), NO_PICTURES, FP32)
    other = session_in(tmp_path)
    other.mark = "another mark"
    assert other.resume().endswith("starting over")
    assert (other.state.step, other.history, other.frames) == (0, [], [])


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_session_computes_in_the_precision_it_is_told(
    tmp_path: Path, precision: str, dtype: torch.dtype
) -> None:
    seen = []

    def train_step(state: State, *_: object) -> dict[str, Tensor]:
        seen.append(state.network(torch.ones(1, 1)).dtype)
        return {"loss": torch.zeros(())}

    session = session_in(tmp_path, num_steps=1)
    step: Any = SimpleNamespace(train_step=train_step)
    session.run(step, NO_PICTURES, compute.Params(threads=1, precision=precision))
    assert seen == [dtype]


@pytest.mark.parametrize(
    ("num_steps", "num_frames", "steps"),
    [
        (10, 5, [2, 4, 6, 8, 10]),
        (10, 1, [10]),
        (10, 3, [3, 7, 10]),
        (3, 8, [1, 2, 3]),
        (1, 4, [1]),
    ],
)
def test_frames_are_evenly_spread_and_end_with_the_last_step(
    num_steps: int, num_frames: int, steps: list[int]
) -> None:
    assert evenly(num_steps, num_frames) == steps
