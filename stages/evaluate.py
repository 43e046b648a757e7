"""Stages `evaluate_<family>@<name>-<seed>`: a model's metrics that apply to its task, and noise floors."""

import csv
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.data.images import grid
from pipeline.methods import method
from pipeline.metrics import evidence, reference, suite, tradeoff
from pipeline.metrics import settings as evaluation
from pipeline.metrics.entries import details, values, write
from pipeline.networks import network, truncation
from pipeline.networks.flow import flow_of
from pipeline.networks.network import Spec, num_inputs
from pipeline.runtime import compute, params, size
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file, sha256
from pipeline.sampling import weights
from pipeline.sampling.draw import draw
from pipeline.tasks import task as tasks
from pipeline.tasks.task import Task
from pipeline.tracking import runs
from pipeline.training.trainer import HISTORY
from stages import InputFolder, run, timed

NUM_TIMED = 100  # samples


def main(model: Path, task: InputFolder, real: InputFolder, reports: Path) -> None:
    """Score the network in folder MODEL on the test split of the TASK's folder, with the reference in REAL.

    Writes to REPORTS/metrics, their counts, floors and identities to details, what the report shows to
    samples. What `dvc plots` draws of its training goes to curves: its loss (of a GAN, the discriminator's)
    and the cheap FID, or modes, over the steps.
    """
    settings = params.read("evaluate", evaluation.Settings)
    computing = params.read("compute", compute.Settings)
    compute.configure(computing)
    device, file, name = compute.device(computing), model / weights.FILE, model.name
    with timed(f"evaluate_{name.replace('-', '@', 1)}"):
        built, spec = weights.load(file, device)
        asked = tasks.load(task)
        if spec.task != asked.name:
            raise InputError(f"{file}: trained on task {spec.task!r}, not on {asked.name!r}")
        sampler, truncated = method.load(spec.method).sampler(built), 1.0
        truncates = network.load(spec.network).truncates and not spec.clusters
        compared = reference.load(real, asked, settings, device)
        if (flow := flow_of(sampler)) and reference.by_condition(asked):
            flow.guidance = 1.0  # it bends the posterior, which is measured
        more: dict[str, object] = {}
        if truncates and asked.kind in ("none", "class") and "num_modes" not in asked.facts:
            more["truncation_curve"] = tradeoff.of_truncation(sampler, compared)
        if truncates and settings.truncation < 1:
            sampler, truncated = truncation.Truncated(sampler, settings.truncation), settings.truncation
        result = suite.evaluate(sampler, compared)
        about = details(result.entries, compared.floors) | result.more | more | identity(sampler, spec, asked)
        about |= {"model": name, "truncation": truncated, "weights": sha256(file), "seed": settings.seed}
        metrics = values(result.entries)
        write(reports, name, metrics, about | {"extractor": compared.extractor.identity})
        with new_file(reports / "samples" / f"{name}.npz") as part:
            np.savez_compressed(part, **result.shown)  # type: ignore[arg-type]
        write_curves(model, reports / "curves")
        scalars = {f"test_{metric}": value for metric, value in metrics.items()}
        scalars["milliseconds_per_sample"] = pace(sampler, asked)
        sheet = grid(torch.from_numpy(result.shown["sheet"]), 10).permute(1, 2, 0).numpy()
        curves = evidence.curves(about.get("evidence", {}))
        runs.add_evaluation(name, about["weights"], scalars, curves, {"sheet": sheet})


def pace(sampler: nn.Module, task: Task) -> float:
    """Milliseconds a sample takes, of some drawn at once: for MLflow, as no two runs take the same."""
    numbers = torch.arange(min(NUM_TIMED, len(task.test)))
    draw(sampler, task.test.conditions, numbers[:2], 1, 0)
    started = time.perf_counter()
    draw(sampler, task.test.conditions, numbers, 1, 0)
    return 1000 * (time.perf_counter() - started) / len(numbers)


def write_curves(model: Path, folder: Path) -> None:
    """A column of the history a file: loss/<model>.csv, and fid/<model>.csv or modes/<model>.csv."""
    with (model / HISTORY).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name, column in (("loss", list(rows[0])[1]), *((each, each) for each in ("fid", "modes"))):
        found = [(row["step"], row[column]) for row in rows if row.get(column)]
        if found:
            (folder / name).mkdir(parents=True, exist_ok=True)
            lines = "".join(f"{step},{value}\n" for step, value in (("step", name), *found))
            with new_file(folder / name / f"{model.name}.csv") as part:
                part.write_text(lines, "utf-8")


def identity(sampler: nn.Module, spec: Spec, task: Task) -> dict[str, object]:
    """What model this is."""
    device = compute.device_of(sampler)
    z, c = torch.zeros(1, num_inputs(sampler), device=device), task.blank(1).to(device)
    return {
        "method": spec.method,
        "task": task.name,
        "kind": task.kind,
        "condition": task.condition,
        "network": spec.network,
        "num_parameters": size.num_parameters(sampler),
        "num_evaluations": sampler.num_evaluations,  # of the network, for one image
        "flops": size.num_flops(lambda: sampler(z, c)),  # for one image
    }


if __name__ == "__main__":
    run(main)
