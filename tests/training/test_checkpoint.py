"""Unfinished work: what is resumed, what is not, and what the user is told."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from pipeline.runtime import distributed
from pipeline.runtime.errors import InputError
from pipeline.training import checkpoint

FACTS: dict[str, Any] = {"params": {"seed": 0, "width": 4}, "data": "abc", "compute": {"threads": 2}}


@dataclass
class Training:
    network: nn.Linear = field(default_factory=lambda: filled(0.0))
    note: str = "has no state_dict"
    steps_done: int = 0


def filled(value: float) -> nn.Linear:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, value)
    nn.init.constant_(network.bias, 0.0)
    return network


def test_a_checkpoint_brings_back_the_weights_their_step_and_what_came_with_it(tmp_path: Path) -> None:
    extra = {"history": [{"step": 2, "loss": 0.5}], "snapshots": [torch.tensor([7], dtype=torch.uint8)]}
    checkpoint.save(tmp_path / "run", "identity", Training(filled(3.0), steps_done=2), extra)
    training = Training()
    found, message = checkpoint.restore(tmp_path / "run", "identity", training)
    assert found == extra
    assert message == "resuming at step 2"
    assert training.steps_done == 2
    assert training.network.weight.item() == 3.0
    assert training.note == "has no state_dict"
    saved = torch.load(tmp_path / "run" / checkpoint.FILE, weights_only=True)  # nothing that could run code
    assert saved["state"].keys() == {"network"}


@pytest.mark.parametrize(
    ("identity", "content", "said"),
    [
        ("identity", None, r"^$"),
        ("identity", b"", r"^{file} cannot be read \(\w+\); starting over$"),
        ("identity", b"not a checkpoint", r"^{file} cannot be read \(\w+\); starting over$"),
        ("identity", "half", r"^{file} cannot be read \(\w+\); starting over$"),
        ("another", "whole", r"^{file} is of other .*; starting over$"),
    ],
    ids=["missing", "emptied", "overwritten", "truncated", "of another training"],
)
def test_a_checkpoint_that_cannot_be_resumed_is_left_alone_and_the_user_is_told(
    identity: str, content: bytes | str | None, said: str, tmp_path: Path
) -> None:
    file, training = tmp_path / checkpoint.FILE, Training()
    checkpoint.save(tmp_path, "identity", Training(filled(3.0), steps_done=2), {})
    if content is None:
        file.unlink()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    extra, message = checkpoint.restore(tmp_path, identity, training)
    assert re.match(said.format(file=re.escape(str(file))), message)
    assert (extra, training.steps_done, training.network.weight.item()) == (None, 0, 0.0)


def test_a_save_that_fails_leaves_the_last_checkpoint_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, "identity", Training(filled(3.0), steps_done=2), {})

    def fill_the_disk(_: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", fill_the_disk)
        with pytest.raises(OSError, match="no space"):
            checkpoint.save(tmp_path, "identity", Training(filled(4.0), steps_done=4), {})
    training = Training()
    checkpoint.restore(tmp_path, "identity", training)
    assert (training.steps_done, training.network.weight.item()) == (2, 3.0)
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
    identities = {checkpoint.fingerprint(FACTS)}
    for target, name, value in (
        (torch, "__version__", "0.0"),
        (torch.backends.cpu, "get_cpu_capability", lambda: "ABACUS"),
        (checkpoint, "imported_code", lambda: "other code"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, value)
            identities.add(checkpoint.fingerprint(FACTS))
    assert len(identities) == 4


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"data": "abd"}, "data"),
        ({"params": {}, "compute": {}}, "params, compute"),
        ({"torch": "0.0"}, "torch"),
    ],
)
def test_processes_with_other_facts_than_this_one_are_refused(
    change: dict[str, Any], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "gathered", lambda facts: [facts, facts, facts | change])
    with pytest.raises(InputError) as caught:
        checkpoint.fingerprint(FACTS)
    assert str(caught.value) == f"process 2 has other {named} than process 0; all need the same"


def test_the_imported_code_covers_our_modules_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_module(name: str, text: str) -> str:
        module = ModuleType(name)
        module.__file__ = str(tmp_path / "module.py")
        (tmp_path / "module.py").write_text(text)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, module)
            return checkpoint.imported_code()

    plain = checkpoint.imported_code()
    assert with_module("pipelines", "a = 1") == plain
    hashes = {
        with_module(name, text) for name in ("pipeline.new", "stages.new") for text in ("a = 1", "a = 2")
    }
    assert len(hashes | {plain}) == 5
