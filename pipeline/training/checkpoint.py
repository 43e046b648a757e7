"""Unfinished work: saved whole, resumed only by the same code on the same data with the same numbers.

Checkpoints lie in runs/, outside DVC, which deletes a stage's outputs before it runs.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from pipeline.runtime.files import new_file

FILE = "checkpoint.pt"


def fingerprint(facts: Mapping[str, Any]) -> str:
    """What must be equal for a checkpoint to be resumed: the given facts, the code in use, the versions that
    decide bits.

    Args:
        facts: JSON values: parameters, data hashes, threads, precision.
    """
    facts = {
        **facts,
        "code": code_hash(),
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def code_hash() -> str:
    """The hash of every file of this project that this process has imported."""
    ours = {
        name: module.__file__
        for name, module in sys.modules.items()
        if name.split(".")[0] in ("pipeline", "stages")
    }
    digest = hashlib.sha256()
    for name in sorted(name for name, file in ours.items() if file):
        digest.update(name.encode() + b"\0" + Path(str(ours[name])).read_bytes() + b"\0")
    return digest.hexdigest()


def save(folder: Path, mark: str, state: Any, extra: Mapping[str, Any]) -> None:
    """Write the checkpoint of a state dataclass: its step and whatever in it has a state_dict."""
    parts = {field.name: getattr(state, field.name) for field in fields(state)}
    dicts = {name: part.state_dict() for name, part in parts.items() if hasattr(part, "state_dict")}
    with new_file(folder / FILE) as part:
        torch.save({"fingerprint": mark, "step": state.step, "state": dicts, "extra": dict(extra)}, part)


def restore(folder: Path, mark: str, state: Any) -> tuple[dict[str, Any] | None, str]:
    """Bring `state` to where its checkpoint was.

    Returns:
        The `extra` that was saved, and a line for the user that says what happened; None where training
        starts anew.
    """
    try:
        saved = torch.load(folder / FILE, map_location="cpu", weights_only=True)
        found = saved["fingerprint"]
    except FileNotFoundError:
        return None, ""
    except Exception as error:  # torch raises many kinds for a damaged file; none is worth resuming
        return None, f"{folder / FILE} cannot be read ({type(error).__name__}); starting over"
    if found != mark:
        return None, f"{folder / FILE} is of other parameters, data, code or versions; starting over"
    for name, content in saved["state"].items():
        getattr(state, name).load_state_dict(content)
    state.step = saved["step"]
    return saved["extra"], f"resuming at step {state.step}"
