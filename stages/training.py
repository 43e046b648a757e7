"""What the four training commands share: from a section of params.yaml and prepared digits to a model's
folder and its MLflow run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline import compute, digits, params, tracking, weights
from pipeline.conditions import Condition
from pipeline.files import new_folder, sha256, sole_writer
from pipeline.progress import Bar
from pipeline.training import checkpoint
from pipeline.training.loop import Schedule
from pipeline.training.session import Session
from pipeline.weights import Spec
from stages import took

WEIGHTS, HISTORY, FRAMES = "weights.safetensors", "history.csv", "frames.npz"


@dataclass(frozen=True)
class Job:
    """One model to train.

    Args:
        stage: its DVC name, such as "train_gan@dcgan".
        model: its name in tables, such as "gan-dcgan".
        kind: the module with init_state and train_step.
        schedule: its section of params.yaml.
        condition: what it is told.
        spec: how to build its network again.
        draw: the frame that shows what a state can do now; None for a model that draws nothing.
        frame_steps: the steps after which a frame is kept.
    """

    stage: str
    model: str
    kind: ModuleType
    schedule: Schedule
    condition: Condition
    spec: Callable[[tuple[int, int, int]], Spec]
    draw: Callable[[Any], Tensor] | None = None
    frame_steps: Sequence[int] = ()


def train(job: Job, digits_file: Path, out: Path) -> None:
    """Train the model, or go on where it was killed, and write its weights and history to folder OUT."""
    precision = params.read("compute", compute.Params)
    compute.configure(precision)
    pictures = digits.load(digits_file).train
    facts = {
        "params": job.schedule.model_dump(),
        "compute": precision.model_dump() | {"precision": compute.precision(precision)},
        "data": sha256(digits_file),
    }
    work = Path("runs") / job.stage
    with sole_writer(work):
        out.parent.mkdir(parents=True, exist_ok=True)
        state = job.kind.init_state(job.schedule, job.condition, pictures.shape)
        session = Session(state, job.schedule, work, checkpoint.fingerprint(facts))
        if job.draw:
            session.draw, session.frame_steps = partial(job.draw, state), job.frame_steps
        if message := session.resume():
            print(f"{job.stage}: {message}", flush=True)
        first = state.step
        run = tracking.Run(
            job.model, flat(facts), tags(job, facts, digits_file), work / "mlflow_run", resumed=first > 0
        )
        try:
            with Bar(job.stage, first, job.schedule.num_steps) as bar:
                session.listeners = [run, bar]
                session.run(job.kind, pictures, precision)
            write(out, session, job.spec(pictures.shape))
        except BaseException:
            run.fail()
            raise
        num_images = (state.step - first) * job.schedule.batch_size
        run.log(
            state.step,
            {"train_seconds": session.seconds, "images_per_second": num_images / max(session.seconds, 1e-9)},
        )
        run.finish(sha256(out / WEIGHTS), [out / WEIGHTS, out / HISTORY])
        took(job.stage, session.seconds)
        (work / checkpoint.FILE).unlink(missing_ok=True)


def write(out: Path, session: Session, spec: Spec) -> None:
    """The model's folder: weights, the history as a table and, for what draws, frames of the training's
    course.
    """
    with new_folder(out) as folder:
        weights.save(folder / WEIGHTS, session.state.average, spec)
        pd.DataFrame(session.history).to_csv(folder / HISTORY, index=False)
        if session.frames:
            np.savez_compressed(
                folder / FRAMES,
                steps=np.array(session.frame_steps),
                pixels=torch.stack(session.frames).numpy(),
            )


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts with dotted names, as MLflow shows parameters."""
    items: dict[str, Any] = {}
    for key, value in facts.items():
        items |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return items


def tags(job: Job, facts: Mapping[str, Any], digits_file: Path) -> dict[str, str]:
    """What identifies a training beside its parameters."""
    return {
        "stage": job.stage,
        "data": str(digits_file),
        "data.sha256": facts["data"],
        "code.sha256": checkpoint.code_hash(),
    }
