"""What the training commands share: from a section of params.yaml and data to a model's folder and its
MLflow run.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import tracking
from pipeline.data import digits
from pipeline.data.digits import Examples
from pipeline.methods.schedule import Schedule
from pipeline.runtime import compute, params
from pipeline.runtime import distributed as parallel
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder, sha256, sole_writer
from pipeline.runtime.progress import Bar
from pipeline.sampling import weights
from pipeline.sampling.weights import Spec
from pipeline.tasks.conditions import Condition
from pipeline.training import checkpoint
from pipeline.training.session import Session
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
        processes: that share each batch.

    Raises:
        InputError: a batch cannot be shared out evenly.
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
    processes: int = 1

    def __post_init__(self) -> None:
        unit = self.processes * self.schedule.together
        if self.processes > 1 and self.schedule.batch_size % unit:
            raise InputError(
                f"launch.processes = {self.processes}: batch_size = {self.schedule.batch_size} of"
                f" {self.stage} must be a multiple of {unit}"
            )


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
    """The same on any data that the job knows what to do with, by as many processes as the job says."""
    if job.processes > 1 and not parallel.is_worker():
        parallel.launch(job.processes)
        return
    compute.configure(precision)
    device = compute.device(precision)
    examples, condition = job.examples(data.content)
    facts = {
        "params": job.schedule.model_dump(),
        **job.facts,
        "compute": precision.model_dump() | compute.found(precision),
        "data": data.sha256,
    }
    work = Path("runs") / job.stage
    out.parent.mkdir(parents=True, exist_ok=True)
    with parallel.group(device.type == "cuda") as leads, sole_writer(work) if leads else nullcontext():
        state = job.kind.init_state(job.schedule, condition, examples.shape)
        sizes = job.kind.sizes(state, job.schedule, examples.shape)
        place(state, device)
        examples = examples.to(device)
        session = Session(state, job.schedule, work, checkpoint.fingerprint(facts), saves=leads)
        message = session.resume()
        if not leads:
            session.run(job.kind, examples, precision)
            return
        if message:
            print(f"{job.stage}: {message}", flush=True)
        resumed = state.step > 0
        run = tracking.Run(job.model, flat(facts), tags(job, data), work / "mlflow_run", resumed)
        run.log(state.step, sizes)
        try:
            lead(session, run, job, data.content, examples, precision)
            write(out, session, job.spec(state.average, examples.shape))
        except BaseException:
            run.fail()
            raise
        run.finish(sha256(out / WEIGHTS), [out / WEIGHTS, out / HISTORY])
        took(job.stage, session.seconds + session.measuring)
        (work / checkpoint.FILE).unlink(missing_ok=True)


def here() -> torch.device:
    """Where this project's networks are trained."""
    return compute.device(params.read("compute", compute.Params))


def place(state: Any, device: torch.device) -> None:
    """Move the networks of a state to where they are trained; optimizers follow their parameters."""
    for network in vars(state).values():
        if isinstance(network, nn.Module):
            network.to(device)


def lead(
    session: Session, run: tracking.Run, job: Job, content: Any, examples: Examples, precision: compute.Params
) -> None:
    """Train to the end as the process that measures, draws and tells."""
    state, first = session.state, session.state.step
    if job.draw:
        session.draw, session.frame_steps = partial(job.draw, state, content), job.frame_steps
    if job.keep:
        session.keep, session.frame_steps = partial(job.keep, state), job.frame_steps
    if job.quality:
        session.quality = partial(job.quality(content), state.average)
        session.quality_every = job.quality_every
    with Bar(job.stage, first, job.schedule.num_steps) as bar:
        session.listeners = [run, bar]
        session.run(job.kind, examples, precision)
    speed = (state.step - first) * job.schedule.batch_size / max(session.seconds, 1e-9)
    run.log(state.step, {"train_seconds": session.seconds, "images_per_second": speed})


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
