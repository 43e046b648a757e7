"""What the training commands share: from a section of params.yaml and data to a model's folder and its
MLflow run.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import compute, digits, params, tracking, weights
from pipeline.conditions import Condition
from pipeline.digits import Examples
from pipeline.files import new_folder, sha256, sole_writer
from pipeline.progress import Bar
from pipeline.training import checkpoint
from pipeline.training.loop import Schedule
from pipeline.training.session import Session
from pipeline.weights import Spec
from stages import took

WEIGHTS, HISTORY = "weights.safetensors", "history.csv"
FRAMES, CLOUDS = "frames.npz", "clouds.npz"


@dataclass(frozen=True)
class Job:
    """One model to train.

    Args:
        stage: its DVC name, such as "train_gan@dcgan-0".
        model: the name of its folder, such as "gan-dcgan-0".
        kind: the module with init_state and train_step.
        schedule: its section of params.yaml.
        examples: from the data, what it is trained on and what its networks are told.
        spec: of its network and the shape of an image, how to build it again.
        draw: the frame that shows what a state can do now, from state and data; None for a model that draws
            nothing.
        frame_steps: the steps after which a frame is kept.
        quality: from the data, what measures a model now and then; None for no measuring.
        quality_every: steps between.
        facts: what else decides the outputs; a checkpoint made under others is not resumed.
        keep: tensors, by name, that are kept after the same steps as frames.
    """

    stage: str
    model: str
    kind: ModuleType
    schedule: Schedule
    examples: Callable[[Any], tuple[Examples, Condition]]
    spec: Callable[[nn.Module, tuple[int, int, int]], Spec]
    draw: Callable[[Any, Any], Tensor] | None = None
    frame_steps: Sequence[int] = ()
    quality: Callable[[Any], Callable[[nn.Module], dict[str, float]]] | None = None
    quality_every: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)
    keep: Callable[[Any], dict[str, Tensor]] | None = None


@dataclass(frozen=True)
class Data:
    """What a model is trained on, and how that is known."""

    content: Any
    name: str
    sha256: str


def train(job: Job, digits_file: Path, out: Path) -> None:
    """Train the model on digits, or go on where it was killed, and write its weights and history to folder
    OUT.
    """
    data = Data(digits.load(digits_file), str(digits_file), sha256(digits_file))
    train_on(data, job, params.read("compute", compute.Params), out)


def train_on(data: Data, job: Job, precision: compute.Params, out: Path) -> None:
    """The same on any data that the job knows what to do with."""
    compute.configure(precision)
    examples, condition = job.examples(data.content)
    facts = {
        "params": job.schedule.model_dump(),
        **job.facts,
        "compute": precision.model_dump() | {"precision": compute.precision(precision)},
        "data": data.sha256,
    }
    work = Path("runs") / job.stage
    with sole_writer(work):
        out.parent.mkdir(parents=True, exist_ok=True)
        state = job.kind.init_state(job.schedule, condition, examples.shape)
        session = Session(state, job.schedule, work, checkpoint.fingerprint(facts))
        if job.draw:
            session.draw, session.frame_steps = partial(job.draw, state, data.content), job.frame_steps
        if job.keep:
            session.keep, session.frame_steps = partial(job.keep, state), job.frame_steps
        if job.quality:
            session.quality = partial(job.quality(data.content), state.average)
            session.quality_every = job.quality_every
        if message := session.resume():
            print(f"{job.stage}: {message}", flush=True)
        first = state.step
        run = tracking.Run(job.model, flat(facts), tags(job, data), work / "mlflow_run", resumed=first > 0)
        run.log(first, job.kind.sizes(state, job.schedule, examples.shape))
        try:
            with Bar(job.stage, first, job.schedule.num_steps) as bar:
                session.listeners = [run, bar]
                session.run(job.kind, examples, precision)
            write(out, session, job.spec(state.average, examples.shape))
        except BaseException:
            run.fail()
            raise
        num_images = (state.step - first) * job.schedule.batch_size
        run.log(
            state.step,
            {"train_seconds": session.seconds, "images_per_second": num_images / max(session.seconds, 1e-9)},
        )
        run.finish(sha256(out / WEIGHTS), [out / WEIGHTS, out / HISTORY])
        took(job.stage, session.seconds + session.measuring)
        (work / checkpoint.FILE).unlink(missing_ok=True)


def write(out: Path, session: Session, spec: Spec) -> None:
    """The model's folder: weights, the history as a table and, for what draws, frames of the training's
    course; for what keeps tensors, those.
    """
    with new_folder(out) as folder:
        weights.save(folder / WEIGHTS, session.state.average, spec)
        write_history(folder / HISTORY, session.history)
        if session.frames:
            np.savez_compressed(
                folder / FRAMES,
                steps=np.array(session.frame_steps),
                pixels=torch.stack(session.frames).numpy(),
            )
        if session.kept:
            kept: dict[str, Any] = {"steps": np.array(session.frame_steps)}
            for name in session.kept[0]:
                kept[name] = torch.stack([row[name] for row in session.kept]).numpy()
            np.savez_compressed(folder / CLOUDS, **kept)


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """The history as a table; a cell is empty where a row lacks what others have."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(history)


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts with dotted names, as MLflow shows parameters."""
    items: dict[str, Any] = {}
    for key, value in facts.items():
        items |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return items


def tags(job: Job, data: Data) -> dict[str, str]:
    """What identifies a training beside its parameters."""
    return {
        "stage": job.stage,
        "data": data.name,
        "data.sha256": data.sha256,
        "code.sha256": checkpoint.code_hash(),
    }
