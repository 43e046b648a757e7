"""One training from its start, or from where it was killed, to the model's folder."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.data.prepared import SPLITS, DataSet
from pipeline.methods import adversarial, adversarial_settings
from pipeline.methods.adversarial_settings import ClassSettings
from pipeline.methods.schedule import Schedule
from pipeline.networks.network import Spec
from pipeline.runtime import compute, distributed
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256, sole_writer
from pipeline.sampling import weights
from pipeline.tasks.examples import InMemory
from pipeline.tasks.task import in_memory
from pipeline.training import checkpoint, trainer
from pipeline.training.loop import fit
from pipeline.training.trainer import HISTORY, SNAPSHOTS, Recorder, Trainer, evenly

FP32 = compute.Settings(threads=1, device="cpu", precision="fp32")
EXAMPLES = InMemory(torch.zeros(1, 1), torch.zeros(1, 0))
SPEC = Spec(method="classification", network="classifier", width=1, image_shape=[1, 28, 28], num_conditions=2)
STAGE, OUT = "train@x", Path("models/x")


@dataclass
class Summing:
    """A training that adds its step's number to a weight: after step n it is n (n + 1) / 2."""

    settings: Schedule
    network: nn.Linear = field(default_factory=lambda: nn.Linear(1, 1).requires_grad_(False))
    bad_step: int = 0  # there the loss is NaN,
    error: BaseException | None = None  # or this is raised
    before: Callable[["Summing"], object] = lambda self: None
    spec: Spec = SPEC
    steps_done: int = 0

    def __post_init__(self) -> None:
        nn.init.zeros_(self.network.weight)
        nn.init.zeros_(self.network.bias)

    @property
    def ema(self) -> nn.Module:
        return self.network

    @property
    def value(self) -> float:
        return self.network.weight.item()

    def step(self, _: InMemory) -> dict[str, Tensor]:
        self.before(self)
        number = self.steps_done + 1
        if self.error and number == self.bad_step:
            raise self.error
        self.network.weight += number
        return {"loss": torch.tensor(torch.nan if number == self.bad_step else self.value)}

    def sizes(self) -> dict[str, float]:
        return {"parameters": 2}


def summing(num_steps: int = 8, **changes: Any) -> Summing:
    every = {"log_every": 2, "save_every": 4}
    return Summing(
        Schedule(num_steps=num_steps, batch_size=1, learning_rate=1.0, ema_halflife=0.0, **every), **changes
    )


class Monitor:
    """The weight times ten, and the weight as one grey pixel."""

    def measure(self, training: Summing) -> dict[str, float]:
        return {"fid": 10 * training.value}

    def snapshot(self, training: Summing) -> dict[str, Tensor]:
        image = torch.full((1, 1, 1, 1), training.value).byte()
        return {"images": image, "half": torch.tensor(training.value / 2)}


class Ear:
    """A tracker that writes down what it hears."""

    opened: ClassVar[list["Ear"]] = []

    def __init__(self, facts: Any, resumed: bool) -> None:
        self.opened.append(self)
        self.facts, self.resumed = facts, resumed
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.shown: list[tuple[int, np.ndarray]] = []
        self.end: object = None

    def log(self, step: int, scalars: dict[str, float]) -> None:
        self.rows.append((step, dict(scalars)))

    def show(self, step: int, image: np.ndarray) -> None:
        self.shown.append((step, image))

    def finish(self, weights_sha256: str, files: list[Path]) -> None:
        self.end = weights_sha256, files

    def fail(self) -> None:
        self.end = "failed"


@pytest.fixture(autouse=True)
def ears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Ear]:
    """The trackers that a test opened, in a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Ear, "opened", [])
    return Ear.opened


def of(**changes: Any) -> Trainer:
    arguments = {"monitor": Monitor(), "monitor_every": 4, "num_snapshots": 2} | changes
    return Trainer(STAGE, FP32, {"data": "abc"}, Ear, **arguments)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_training_ends_in_a_folder_of_weights_history_and_snapshots(ears: list[Ear]) -> None:
    training = summing()
    of().run(training, EXAMPLES, OUT)
    # after step n the weight is n (n + 1) / 2: 1, 3, 6, 10, 15, 21, 28, 36; rows are means of two
    table = "step,loss,fid\n2,2.0,\n4,8.0,100.0\n6,18.0,\n8,32.0,360.0\n"
    assert (OUT / HISTORY).read_text() == table
    with np.load(OUT / SNAPSHOTS) as arrays:
        assert sorted(arrays) == ["half", "images", "steps"]
        assert arrays["steps"].tolist() == [4, 8]
        assert (arrays["images"].shape, arrays["images"].dtype) == ((2, 1, 1, 1, 1), np.uint8)
        assert arrays["images"].flatten().tolist() == [10, 36]
        assert arrays["half"].tolist() == [5, 18]
    weights.save(Path("expected"), training.network, SPEC)
    assert (OUT / weights.FILE).read_bytes() == Path("expected").read_bytes()
    assert [path.name for path in Path("runs", STAGE).iterdir()] == ["lock"]  # no checkpoint


def test_the_tracker_hears_all_and_is_given_the_files(ears: list[Ear]) -> None:
    of().run(summing(), EXAMPLES, OUT)
    (ear,) = ears
    assert not ear.resumed
    assert ear.facts["data"] == "abc"
    assert ear.facts["params"]["num_steps"] == 8
    assert ear.facts["compute"] == FP32.model_dump() | compute.found(FP32)
    rows = [(step, {k: v for k, v in row.items() if k != "train_seconds"}) for step, row in ear.rows]
    assert rows[:-1] == [
        (0, {"parameters": 2}),
        (2, {"loss": 2.0}),
        (4, {"loss": 8.0, "fid": 100.0}),
        (6, {"loss": 18.0}),
        (8, {"loss": 32.0, "fid": 360.0}),
    ]
    assert [step for step, row in ear.rows if "train_seconds" in row] == [4, 8, 8]
    assert ear.rows[-1][1].keys() == {"train_seconds", "images_per_second"}
    assert [(step, image[0, 0, 0]) for step, image in ear.shown] == [(4, 10), (8, 36)]
    assert ear.shown[0][1].shape == (1, 10, 1)  # rows of ten
    assert ear.end == (sha256(OUT / weights.FILE), [OUT / weights.FILE, OUT / HISTORY])


def test_without_a_monitor_nothing_is_measured_or_kept() -> None:
    of(monitor=None, num_snapshots=0).run(summing(), EXAMPLES, OUT)
    assert (OUT / HISTORY).read_text() == "step,loss\n2,2.0\n4,8.0\n6,18.0\n8,32.0\n"
    assert sorted(contents(OUT)) == [HISTORY, weights.FILE]


@pytest.mark.parametrize(
    ("every", "num_steps", "steps"), [(2, 8, [2, 4, 6, 8]), (4, 8, [4, 8]), (6, 8, [6, 8]), (100, 7, [7])]
)
def test_metrics_join_the_history_at_their_steps_and_at_the_end(
    every: int, num_steps: int, steps: list[int]
) -> None:
    recorder = Recorder(of(monitor_every=every), summing(num_steps), Path("runs"), "identity")
    fit(recorder.training, EXAMPLES, lambda: compute.autocast(FP32), recorder)
    found = {row["step"]: row["fid"] for row in recorder.history if "fid" in row}
    assert found == {step: 10 * step * (step + 1) / 2 for step in steps}  # of the weights after that step
    assert not any("train_seconds" in row for row in recorder.history)


def test_a_training_that_was_killed_goes_on_where_it_was(ears: list[Ear], capsys: Any) -> None:
    of().run(summing(), EXAMPLES, Path("whole"))
    with pytest.raises(KeyboardInterrupt):
        of().run(summing(bad_step=7, error=KeyboardInterrupt()), EXAMPLES, OUT)
    assert ears[-1].end == "failed"
    assert not OUT.exists()
    seen: list[int] = []
    of().run(summing(before=lambda training: seen.append(training.steps_done)), EXAMPLES, OUT)
    assert seen == [4, 5, 6, 7]
    assert f"{STAGE}: resuming at step 4\n" in capsys.readouterr().out
    assert ears[-1].resumed
    assert ears[-1].rows[0] == (4, {"parameters": 2})
    assert contents(OUT) == contents(Path("whole"))


@pytest.mark.parametrize("penalty_every", [1, 2])
def test_an_adversarial_training_that_was_killed_ends_in_the_same_bytes(
    penalty_every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adam's moments, the moving average, batches, latents and dropout go on as if nothing had been."""
    source = np.random.default_rng(0)
    arrays = {"images": source.integers(0, 256, (24, 1, 8, 8), np.uint8), "labels": np.arange(24) % 10}
    arrays["classes"] = np.arange(10, dtype=np.uint8)
    task = in_memory("digit", "label", DataSet(dict.fromkeys(SPLITS, arrays)))
    sizes: dict[str, Any] = {"network": "mlp", "num_latents": 3, "width": 4, "batch_size": 4, "num_steps": 8}
    every: dict[str, Any] = {
        "log_every": 1,
        "save_every": 3,
        "monitor_every": 1,
        "penalty_every": penalty_every,
    }
    settings = ClassSettings(decay_from=0.5, r1=0.1, **sizes, **every)

    def run(out: Path) -> None:
        of(monitor=None).run(adversarial.start(settings, task), task.train, out)

    def step_until_killed(training: adversarial.Adversarial, examples: Any) -> dict[str, Tensor]:
        if training.steps_done == 5:
            raise KeyboardInterrupt
        return step(training, examples)

    step = adversarial.Adversarial.step
    run(Path("whole"))
    with monkeypatch.context() as patch:
        patch.setattr(adversarial.Adversarial, "step", step_until_killed)
        with pytest.raises(KeyboardInterrupt):
            run(OUT)
    assert Path("runs", STAGE, checkpoint.FILE).exists()
    run(OUT)
    assert contents(OUT) == contents(Path("whole"))


def test_a_training_that_diverges_keeps_the_last_good_checkpoint_and_the_old_folder(ears: list[Ear]) -> None:
    of().run(summing(), EXAMPLES, OUT)
    before = contents(OUT)
    with pytest.raises(FloatingPointError, match=r"^loss is nan at step 7$"):
        of().run(summing(bad_step=7), EXAMPLES, OUT)
    assert ears[-1].end == "failed"
    assert contents(OUT) == before
    saved = torch.load(Path("runs", STAGE, checkpoint.FILE), weights_only=True)
    assert (saved["step"], saved["state"]["network"]["weight"].item()) == (4, 10.0)
    assert [row["step"] for row in saved["extra"]["history"]] == [2, 4]


@pytest.mark.parametrize("change", ["facts", "settings"])
def test_a_checkpoint_of_other_facts_or_settings_is_not_resumed(change: str, ears: list[Ear]) -> None:
    with pytest.raises(KeyboardInterrupt):
        of().run(summing(bad_step=7, error=KeyboardInterrupt()), EXAMPLES, OUT)
    num_steps = 10 if change == "settings" else 8
    training = summing(num_steps)
    Trainer(STAGE, FP32, {"data": "another" if change == "facts" else "abc"}, Ear).run(
        training, EXAMPLES, OUT
    )
    assert not ears[-1].resumed
    assert training.value == num_steps * (num_steps + 1) / 2


def test_two_processes_do_not_train_one_model(ears: list[Ear]) -> None:
    with sole_writer(Path("runs", STAGE)), pytest.raises(InputError, match="is writing here"):
        of().run(summing(), EXAMPLES, OUT)
    assert ears == []


@pytest.mark.parametrize(("processes", "size", "unit"), [(3, 32, 3), (2, 6, 4)])
def test_a_batch_that_processes_cannot_share_evenly_is_refused(
    processes: int, size: int, unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "world", lambda: processes)
    together = unit // processes  # images that one process must see together
    settings = SimpleNamespace(batch_size=size, together=together)
    training: Any = SimpleNamespace(settings=settings)
    with pytest.raises(InputError) as caught:
        of().check(training)
    expected = f"batch_size = {size} of {STAGE} must be a multiple of {unit}"
    assert str(caught.value) == f"{expected} where {processes} processes share it"
    settings.batch_size = 3 * unit
    of().check(training)


def test_packs_groups_and_draws_stay_together() -> None:
    assert ClassSettings(packing=2, batch_size=8).together == 2
    assert ClassSettings(packing=2, minibatch_stddev=True, batch_size=8).together == 8  # four packs
    assert adversarial_settings.ImageSettings(num_draws=4).together == 4


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_training_computes_in_the_precision_it_is_given(precision: str, dtype: torch.dtype) -> None:
    seen = []
    training = summing(1, before=lambda training: seen.append(training.network(torch.ones(1, 1)).dtype))
    settings = compute.Settings(threads=1, device="cpu", precision=precision)
    Trainer(STAGE, settings, {}, Ear).run(training, EXAMPLES, OUT)
    assert seen == [dtype]


def test_the_time_that_measuring_takes_is_not_counted_as_training(
    monkeypatch: pytest.MonkeyPatch, ears: list[Ear]
) -> None:
    now = 0.0
    monkeypatch.setattr(trainer, "time", SimpleNamespace(perf_counter=lambda: now))

    def pass_time(seconds: float) -> None:
        nonlocal now
        now += seconds

    class Slow(Monitor):
        def measure(self, training: Summing) -> dict[str, float]:
            pass_time(100)
            return {"fid": 1.0}

    def open_slowly(facts: Any, resumed: bool) -> Ear:
        pass_time(1000)
        return Ear(facts, resumed)

    slow = Trainer(STAGE, FP32, {}, open_slowly, Slow(), 4)
    slow.run(summing(before=lambda training: pass_time(1)), EXAMPLES, OUT)
    assert [row["train_seconds"] for _, row in ears[0].rows if "train_seconds" in row] == [4, 8, 8]
    assert ears[0].rows[-1][1]["images_per_second"] == 1


def test_steps_to_look_at_are_evenly_spread_and_end_with_the_last() -> None:
    assert [evenly(10, num) for num in (0, 1, 3, 5)] == [[], [10], [3, 7, 10], [2, 4, 6, 8, 10]]
    assert evenly(3, 8) == [1, 2, 3]
