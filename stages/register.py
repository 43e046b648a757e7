"""Command `register`: every evaluated model in MLflow's registry, and which is best of its task.

Run it after the report: `make register`. A second call with nothing changed makes nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from torch import nn

from pipeline.methods import method
from pipeline.metrics import tuning
from pipeline.runtime import compute, fingerprint, params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256, sole_writer, write_json
from pipeline.sampling import weights
from pipeline.tasks import task as tasks
from pipeline.tasks.task import Task
from pipeline.tracking import packing, registry
from pipeline.tracking.packing import Evaluated
from pipeline.tracking.served import Asked
from stages import run, sections

SCORES = Path("data/tuning")  # what has been computed of models' scores

Folder = Annotated[Path, typer.Option(exists=True, file_okay=False)]


def main(
    models: Folder = Path("models"), data: Folder = Path("data/tasks"), reports: Folder = Path("reports")
) -> None:
    """Register the models of params.yaml that have been evaluated, with their test metrics, under their
    tasks' names: the champion of a task has the least energy score on the tuning half of the validation
    split, of a task without conditions the least FID.
    """
    compute.configure(params.read("compute", compute.Settings))
    registry.reach()
    found = dict[str, list[str]]()
    for name, asked in evaluated(models, reports):
        found.setdefault(asked, []).append(name)
    if not found:
        raise InputError(f"{reports}/metrics: no model of {params.PARAMS_FILE} has been evaluated")
    with sole_writer(SCORES):
        for name, names in found.items():
            task = tasks.load(data / name)
            identity = task.sha256
            of_task = [packed(models / each, task, reports, identity) for each in names]
            print(told(name, registry.of_task(name, of_task)), flush=True)


def evaluated(models: Path, reports: Path) -> Iterator[tuple[str, str]]:
    """Names and tasks of the models of params.yaml whose evaluation is of their weights."""
    seeds = params.read("seeds", sections.Seeds)
    for section, family in sections.FAMILIES.items():
        for entry in sections.entries(section):
            for seed in [""] if section == "variants" else [f"-{seed}" for seed in seeds]:
                name = f"{family.stage}-{entry}{seed}"
                weights_file, details = models / name / weights.FILE, reports / "details" / f"{name}.json"
                if weights_file.exists() and details.exists():
                    if read(details)["weights"] == sha256(weights_file):
                        yield name, sections.task_of(section, entry)
                    else:
                        print(f"{name}: was evaluated with other weights; left out", flush=True)
                else:
                    print(f"{name}: not trained or not evaluated; left out", flush=True)


def read(file: Path) -> Any:
    """A JSON file of an evaluation; an InputError if it is none."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error


def packed(model: Path, task: Task, reports: Path, data_sha256: str) -> Evaluated:
    """What is registered of the model in a folder."""
    computing, file = params.read("compute", compute.Settings), model / weights.FILE
    network, spec = weights.load(file, compute.device(computing))
    words, identity = packing.words_of(task), sha256(file)
    sampler = method.load(spec.method).sampler(network)
    return Evaluated(
        name=model.name,
        weights=file,
        sha256=identity,
        spec=spec,
        asked=Asked(words=words, threads=computing.threads),
        example=packing.example_of(task, spec, words),
        metrics=read(reports / "metrics" / f"{model.name}.json"),
        criterion=tuning.criterion(task),
        score=score(model.name, sampler, task, [identity, data_sha256]),
    )


def score(name: str, sampler: nn.Module, task: Task, identity: list[str]) -> float:
    """The score of a model, computed once for the same weights, task and way to compute it."""
    file, key = SCORES / f"{name}.json", [*identity, fingerprint.code_hash(Path(tuning.__file__))]
    known = read(file) if file.exists() else {}
    if known.get("key") != key:
        known = {"key": key, "score": tuning.score(sampler, task)}
        write_json(file, known)
        about = f"{tuning.criterion(task)} {known['score']:.4g}"
        print(f"{name}: {about} on the tuning half of {task.name}'s validation split", flush=True)
    return float(known["score"])


def told(task: str, ranked: list[registry.Registered]) -> str:
    """One line on a task."""
    said = [
        f"{alias} {each.model.name} (version {each.version}, {each.model.criterion} {each.model.score:.4g})"
        for alias, each in zip((registry.CHAMPION, registry.CHALLENGER), ranked, strict=False)
    ]
    num_new = sum(each.made for each in ranked)
    return f"{task}: {', '.join(said)}; {len(ranked)} models, {num_new} new versions"


if __name__ == "__main__":
    run(main)
