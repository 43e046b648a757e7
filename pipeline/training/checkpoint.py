"""Unfinished work: saved whole, resumed only by the same code on the same data with the same numbers.

Checkpoints lie in runs/, outside DVC, which deletes a stage's outputs before it runs.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from pipeline.methods.method import Training
from pipeline.runtime import distributed
from pipeline.runtime.files import new_file
from pipeline.runtime.fingerprint import imported_code

FILE = "checkpoint.pt"


def fingerprint(facts: Mapping[str, Any]) -> str:
    """What must be equal for a checkpoint to be resumed: facts (JSON values), code and what decides bits.

    Raises:
        InputError: another process that shares this training has others.
    """
    versions = {"torch": torch.__version__, "processor": torch.backends.cpu.get_cpu_capability()}
    content = {**facts, "code": imported_code(), **versions}
    distributed.check_same(content)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def save(folder: Path, identity: str, training: Training, extra: Mapping[str, object]) -> None:
    """Write the checkpoint of a training: its step and whatever in it has a state_dict."""
    dicts = {name: part.state_dict() for name, part in parts(training).items()}
    content = {"fingerprint": identity, "step": training.steps_done, "state": dicts, "extra": dict(extra)}
    with new_file(folder / FILE) as part:
        torch.save(content, part)


def parts(training: Training) -> dict[str, nn.Module | Optimizer]:
    """The networks and optimizers of a training, by name."""
    return {name: part for name, part in vars(training).items() if isinstance(part, nn.Module | Optimizer)}


def restore(folder: Path, identity: str, training: Training) -> tuple[dict[str, Any] | None, str]:
    """Bring a training to its checkpoint; gives the saved `extra`, None where it starts anew, and a line that
    tells the user. Of several processes' checkpoints it is the latest, for all: only one may have it.
    """
    saved, message = read(folder, identity)
    saved = distributed.latest(saved, saved["step"] if saved else -1)
    if not saved:
        return None, message
    for name, part in parts(training).items():
        part.load_state_dict(saved["state"][name])
    training.steps_done = saved["step"]
    return saved["extra"], f"resuming at step {training.steps_done}"


def read(folder: Path, identity: str) -> tuple[dict[str, Any] | None, str]:
    """The checkpoint that lies there, None where there is none for this training, and why that is so."""
    try:
        saved = torch.load(folder / FILE, map_location="cpu", weights_only=True)
        found = saved["fingerprint"]
    except FileNotFoundError:
        return None, ""
    except Exception as error:  # torch raises many kinds for a damaged file; none is worth resuming
        return None, f"{folder / FILE} cannot be read ({type(error).__name__}); starting over"
    if found != identity:
        return None, f"{folder / FILE} is of other parameters, data, code or versions; starting over"
    return saved, ""
