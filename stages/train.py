"""Stages `train_regression@`, `train_cgan@`, `train_gan@<name>-<seed>` and so on: one method, on one task."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.methods import method
from pipeline.metrics import monitor
from pipeline.runtime import compute, distributed, params
from pipeline.tasks import task as tasks
from pipeline.training.trainer import Trainer
from stages import InputFolder, run, sections, timed
from stages.training import tracked

Section = Annotated[str, typer.Argument(help=f"One of: {', '.join(sections.FAMILIES)}.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Of the model; of a variant, its entry has it.")]


def main(section: Section, name: str, task: InputFolder, out: Path, seed: Seed = None) -> None:
    """Train the model of SECTION.NAME in params.yaml on the TASK's folder; write it to the folder OUT.

    A training that was killed goes on from its last checkpoint.
    """
    params.check_name("SECTION", section, sections.FAMILIES)
    computing, launch = params.read("compute", compute.Settings), params.read("launch", distributed.Settings)
    asked = tasks.load(task)
    given = {} if seed is None else {"seed": seed}
    chosen, _, settings = sections.model(section, name, asked.kind, **given)
    if launch.processes > 1 and not distributed.is_worker():
        distributed.launch(launch.processes)
        return
    compute.configure(computing)
    stage, facts = stage_name(section, name, seed), {"data": asked.sha256}
    watching = monitor.of_task(asked, compute.device(computing))
    looks = settings.monitor_every, settings.num_snapshots
    open_run = tracked(stage, out.name, task)
    trainer = Trainer(stage, computing, facts, open_run, watching, *looks, launch.processes)
    examples = asked.splits["train"].with_flips() if settings.mirror else asked.train
    with timed(stage):
        trainer.run(method.load(chosen).start(settings, asked), examples, out)


def stage_name(section: str, name: str, seed: int | None) -> str:
    """As DVC calls it: train_gan@dcgan-0."""
    entry = name if seed is None else f"{name}-{seed}"
    return f"train_{sections.FAMILIES[section].stage}@{entry}"


if __name__ == "__main__":
    run(main)
