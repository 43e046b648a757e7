"""Stage `claim`: the claim on a page of its own, from the models of a task that takes minutes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import torch
import typer
from torch import nn

from pipeline.methods import method
from pipeline.methods.schedule import ModelSettings
from pipeline.metrics import dial, posterior, reference
from pipeline.metrics import settings as evaluation
from pipeline.metrics.reference import Reference
from pipeline.networks.flow import Flow, flow_of, sampling_with
from pipeline.report import claim, digits, page
from pipeline.report.results import Result, Results, read
from pipeline.runtime import compute, params
from pipeline.runtime.files import new_file
from pipeline.sampling import weights
from pipeline.sampling.draw import draw
from pipeline.tasks import task as tasks
from pipeline.tasks.claimed import Settings
from stages import InputFolder, run, sections, timed

Models = Annotated[list[Path], typer.Argument(exists=True, file_okay=False)]
SECTION = {
    family.stage: name for name, family in sections.FAMILIES.items()
}  # by the first word of a model's folder


def main(task: InputFolder, real: InputFolder, reports: InputFolder, models: Models) -> None:
    """Make REPORTS/claim.html of the four MODELS of the TASK's folder, with the reference in REAL."""
    settings = params.read("claim", Settings)
    computing = params.read("compute", compute.Settings)
    compute.configure(computing)
    with timed("claim"):
        asked = tasks.load(task)
        found = {
            result.style.label: result for result in (of(folder, task.name, reports) for folder in models)
        }
        compared = reference.load(
            real, asked, params.read("evaluate", evaluation.Settings), compute.device(computing)
        )
        metrics, details = (
            read(reports / part / f"real-{task.name}.json") for part in ("metrics", "details")
        )
        of_models = {name: both(model, settings, asked.kind) for name, model in found.items()}
        turned = turn(found, compared, settings.num_samples)
        whole = claim.section(found, details | {"metrics": metrics}, asked, turned, settings, of_models)
        with new_file(reports / "claim.html") as part:
            part.write_text(page.render(whole, page.files([whole])), "utf-8")


def of(folder: Path, task: str, reports: Path) -> Result:
    """What was left of the model in a folder, and of its evaluation."""
    return Result(SECTION[folder.name.split("-")[0]], task, folder.name, None, folder.parent, reports)


def both(model: Result, settings: Settings, kind: str) -> tuple[ModelSettings, ModelSettings]:
    """A model's settings, and those of its method in the task that this one is a short form of."""
    name = sections.FAMILIES[model.section].method
    here, whole = (
        method.read(name, f"{model.section}.{task}", kind, seed=0) for task in (settings.task, settings.whole)
    )
    return here, whole


def turn(models: Results, real: Reference, num_samples: int) -> claim.Turned:
    """The dial of the flow among these models, taken with the first `num_samples` test images, and
    regression's error of the same.
    """
    flow = models["flow"]
    sampler, _ = weights.load(flow.models / flow.model / weights.FILE, real.extractor.device)
    few = real.settings.model_copy(update={"num_dial_samples": num_samples})
    rows, _ = dial.measure(sampler, replace(real, settings=few))
    truth = real.pixels[:num_samples]
    answers = torch.from_numpy(models["regression"].samples["pixels"][:num_samples])
    error = posterior.errors(answers[:, None], truth)["sample_mse"]
    return claim.Turned(rows, pictures(sampler, real), len(truth), error)


def pictures(sampler: nn.Module, real: Reference) -> Mapping[int, np.ndarray]:
    """The flow's answers to the ten columns, from the same noise, by number of steps."""
    flow, found = cast(Flow, flow_of(sampler)), {}
    classes = torch.eye(real.task.num_conditions)
    columns = torch.arange(digits.NUM_COLUMNS) % len(classes)
    for num_steps in dial.STEPS:
        with sampling_with(flow, "euler", num_steps, guidance=1.0):
            found[num_steps] = draw(sampler, classes.__getitem__, columns, 1, real.settings.seed)[
                :, 0
            ].numpy()
    return found


if __name__ == "__main__":
    run(main)
