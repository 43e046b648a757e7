"""Stages `train_regression@`, `train_cgan@`, `train_gan@<name>-<seed>` and so on: one method, on one task."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.methods import method as methods
from pipeline.metrics import monitor
from pipeline.runtime import compute, distributed, params
from pipeline.tasks import task as tasks
from pipeline.tasks.examples import ReadAhead
from pipeline.training.trainer import Trainer
from stages import InputFolder, run, timed
from stages.training import tracked

Method = Annotated[str, typer.Argument(help=f"One of: {', '.join(methods.available())}.")]
Key = Annotated[str, typer.Argument(help="Of its entry in params.yaml, such as cgans.sketch.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Of the model; of a variant, its entry has it.")]


def main(method: Method, key: Key, task: InputFolder, out: Path, seed: Seed = None) -> None:
    """Train the model of KEY in params.yaml by METHOD on the TASK's folder; write it to the folder OUT.

    A training that was killed goes on from its last checkpoint.
    """
    params.check_name("METHOD", method, methods.available())
    computing, launch = params.read("compute", compute.Settings), params.read("launch", distributed.Settings)
    asked = tasks.load(task)
    given = {} if seed is None else {"seed": seed}
    settings = methods.read(method, key, asked.kind, **given)
    if launch.processes > 1 and not distributed.is_worker():
        distributed.launch(launch.processes)
        return
    compute.configure(computing)
    stage, facts = f"train_{out.name.replace('-', '@', 1)}", {"data": asked.sha256}
    watching = monitor.of_task(asked, compute.device(computing))
    looks = settings.monitor_every, settings.num_snapshots
    open_run = tracked(stage, out.name, task)
    trainer = Trainer(stage, computing, facts, open_run, watching, *looks)
    examples = asked.splits["train"].augmented(settings.mirror, settings.max_shift)
    with timed(stage), ReadAhead(examples) as read:
        trainer.run(methods.load(method).start(settings, asked), read, out)


if __name__ == "__main__":
    run(main)
