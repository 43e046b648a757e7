"""One training from its start to its end: its history, frames, listeners, and what is measured on the way."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.data.digits import Pictures
from pipeline.methods.schedule import Schedule
from pipeline.runtime import compute
from pipeline.training import session as session_module
from pipeline.training.session import Session, evenly

torch.set_num_threads(1)

FP32 = compute.Params(threads=1, device="cpu", precision="fp32")
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
    session.run(step, NO_PICTURES, compute.Params(threads=1, device="cpu", precision=precision))
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


def measured(folder: Path, every: int, num_steps: int = 8) -> Session:
    """A session whose quality is its weight times ten."""
    session = session_in(folder, num_steps)
    session.quality = lambda: {"fid": 10 * session.state.network.weight.item()}
    session.quality_every = every
    return session


@pytest.mark.parametrize(
    ("every", "num_steps", "steps"), [(2, 8, [2, 4, 6, 8]), (4, 8, [4, 8]), (6, 8, [6, 8]), (100, 7, [7])]
)
def test_the_quality_joins_the_history_at_its_steps_and_at_the_end(
    tmp_path: Path, every: int, num_steps: int, steps: list[int]
) -> None:
    session = measured(tmp_path, every, num_steps)
    session.run(kind(), NO_PICTURES, FP32)
    found = {row["step"]: row["fid"] for row in session.history if "fid" in row}
    assert found == {step: 10 * step * (step + 1) / 2 for step in steps}  # of the weights after that step


def test_training_time_is_told_to_listeners_beside_the_quality_and_kept_out_of_the_history(
    tmp_path: Path,
) -> None:
    session = measured(tmp_path, 4)
    session.run(kind(), NO_PICTURES, FP32)
    assert not any("train_seconds" in row for row in session.history)
    (ear,) = session.listeners
    assert isinstance(ear, Ear)
    assert [step for step, scalars in ear.rows if "train_seconds" in scalars] == [4, 8]
    assert [step for step, scalars in ear.rows if "fid" in scalars] == [4, 8]
    times = [scalars["train_seconds"] for _, scalars in ear.rows if "train_seconds" in scalars]
    assert 0 <= times[0] <= times[1] <= session.seconds


def test_the_time_that_measuring_takes_is_not_counted_as_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(session_module, "time", SimpleNamespace(perf_counter=lambda: now))
    session = session_in(tmp_path)

    def step(*_: object) -> dict[str, Tensor]:
        nonlocal now
        now += 1
        return {"loss": torch.zeros(())}

    def quality() -> dict[str, float]:
        nonlocal now
        now += 100
        return {"fid": 1.0}

    session.quality, session.quality_every = quality, 4
    timed: Any = SimpleNamespace(train_step=step)
    session.run(timed, NO_PICTURES, FP32)
    (ear,) = session.listeners
    assert isinstance(ear, Ear)
    assert [row["train_seconds"] for _, row in ear.rows if "train_seconds" in row] == [4, 8]
    assert (session.seconds, session.measuring) == (8, 200)


def test_a_measured_session_that_was_killed_goes_on_with_the_rows_it_had(tmp_path: Path) -> None:
    whole = measured(tmp_path / "whole", 4)
    whole.run(kind(), NO_PICTURES, FP32)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "killed", 4).run(kind(7, KeyboardInterrupt()), NO_PICTURES, FP32)
    resumed = measured(tmp_path / "killed", 4)
    resumed.resume()
    resumed.run(kind(), NO_PICTURES, FP32)
    assert resumed.history == whole.history
    assert [row["step"] for row in resumed.history if "fid" in row] == [4, 8]


def test_without_a_quality_nothing_is_timed_or_measured(tmp_path: Path) -> None:
    session = session_in(tmp_path)
    session.run(kind(), NO_PICTURES, FP32)
    (ear,) = session.listeners
    assert isinstance(ear, Ear)
    assert all(scalars.keys() == {"loss"} for _, scalars in ear.rows)
    assert session.measuring == 0
